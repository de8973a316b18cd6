import { type SqlRunner } from '../../database/unit-of-work.js';
import { type Catalogue, type CatalogueTable } from '../../datamap/catalogue.js';
import { qualified, type TableRef } from '../../datamap/names.js';
import { type HostTraits } from './hindrances.js';

// Rights on the columns are enough; the schema's has to be there, or naming the table raises.
const readable = `
  select q.schema, q.name from jsonb_to_recordset($1::jsonb) as q(schema text, name text, columns jsonb)
    join pg_namespace n on n.nspname = q.schema join pg_class c on c.relnamespace = n.oid and c.relname = q.name
   where has_schema_privilege(n.oid, 'usage')
     and (select bool_and(has_column_privilege(c.oid, k.v, 'select')) from jsonb_array_elements_text(q.columns) as k(v))`;

// 8: DELETE, in pg_trigger.tgtype.
const triggers = `
  select from jsonb_to_recordset($1::jsonb) as q(schema text, name text)
    join pg_namespace n on n.nspname = q.schema join pg_class c on c.relnamespace = n.oid and c.relname = q.name
    join pg_trigger t on t.tgrelid = c.oid
   where not t.tgisinternal and t.tgenabled <> 'D' and t.tgtype & 8 = 8 limit 1`;

/**
 * Looks at a host as its role, reading the catalogue only.
 * @param outside tables that the map does not know @param emptied tables from which rows go
 */
export async function traitsOf(
  db: SqlRunner,
  catalogue: Catalogue,
  outside: readonly CatalogueTable[],
  emptied: readonly TableRef[],
): Promise<HostTraits> {
  const keys = outside
    .filter(({ foreignKeys }) => foreignKeys.length > 0)
    .map(({ schema, name, foreignKeys }) => ({
      schema,
      name,
      columns: [...new Set(foreignKeys.flatMap(({ columns }) => columns))],
    }));
  const may = await db.query<TableRef>(readable, [JSON.stringify(keys)]);
  const names = new Set(emptied.map(qualified));
  const trees = [...catalogue.tables.values()].filter((table) =>
    [table, table.root].some((one) => one && names.has(qualified(one))),
  );
  const found = await db.query(triggers, [
    JSON.stringify(trees.map(({ schema, name }) => ({ schema, name }))),
  ]);
  return { readable: new Set(may.map(qualified)), hasDeleteTriggers: found.length > 0 };
}

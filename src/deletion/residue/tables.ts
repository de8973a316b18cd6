/** Where identifiers could be left: every column that can hold text, of every table that stores rows. */
import { type SqlRunner } from '../../database/unit-of-work.js';
import { type DataMap } from '../../datamap/map.js';
import { matches, qualified, quoted, type TableRef } from '../../datamap/names.js';
import { type Unreadable } from './report.js';

/** Habeas's own schema is read under a role of its own; no statement reads both. */
export const ownSchema = 'habeas';
export const ownRole = 'habeas_residue';
export const hostRole = 'habeas_host';

/** `text`: searched as text; `uuid` and `number` are compared with whole values. */
export type SearchedAs = 'text' | 'uuid' | 'number';

export interface SearchedColumn {
  name: string;
  as: SearchedAs;
  /** The value of row `t` as text. */
  sql: string;
  /** A tsvector: words of a text, in which an identifier may stand in pieces. */
  isWords?: boolean;
}

export interface SearchedTable extends TableRef {
  /** The partitioned table that it is a leaf of, else itself: what maps and reports call it. */
  root: TableRef;
  columns: SearchedColumn[];
}

/** Queues hold ids only, and the list of migrations is ours. */
const ownWithoutPeople = ['habeas_jobs', 'habeas_migrations'];

// Column lists are aggregated per table: one round trip, however many tables. Domains are followed to their end.
const RELATIONS = `
select n.nspname as schema, c.relname as name, c.relkind as kind,
       rn.nspname as "rootSchema", r.relname as "rootName",
       has_schema_privilege(role.name, n.oid, 'usage') as "mayLook",
       c.relrowsecurity and n.nspname <> $2 and not role.bypasses as hidden,
       (select coalesce(json_agg(json_build_object(
                 'name', a.attname, 'base', bn.nspname || '.' || b.typname, 'category', b.typcategory,
                 'element', en.nspname || '.' || e.typname, 'elementCategory', e.typcategory,
                 'mayRead', has_column_privilege(role.name, c.oid, a.attnum, 'select')) order by a.attnum), '[]')
          from pg_attribute a
          cross join lateral (
            with recursive down as (
              select y.oid, y.typtype, y.typbasetype from pg_type y where y.oid = a.atttypid
              union all
              select y.oid, y.typtype, y.typbasetype from down join pg_type y on y.oid = down.typbasetype
               where down.typtype = 'd'
            ) select down.oid from down where down.typtype <> 'd') as base
          join pg_type b on b.oid = base.oid
          join pg_namespace bn on bn.oid = b.typnamespace
          left join pg_type e on e.oid = b.typelem and b.typcategory = 'A'
          left join pg_namespace en on en.oid = e.typnamespace
         where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  join pg_class r on r.oid = coalesce(pg_partition_root(c.oid), c.oid)
  join pg_namespace rn on rn.oid = r.relnamespace
  cross join lateral (select rolname as name, rolbypassrls or rolsuper as bypasses from pg_roles
                       where rolname = case n.nspname when $2 then $3 else $4 end) as role
 where c.relkind in ('r', 'm', 'f') and c.relpersistence <> 't' and c.relispopulated
   and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and n.nspname <> all ($1::text[])
 order by 1, 2`;

interface RelationRow extends TableRef {
  kind: 'r' | 'm' | 'f';
  rootSchema: string;
  rootName: string;
  mayLook: boolean;
  hidden: boolean;
  columns: ColumnRow[];
}

interface ColumnRow {
  name: string;
  base: string;
  category: string;
  element: string | null;
  elementCategory: string | null;
  mayRead: boolean;
}

/** Every table to be searched, and those that should be and cannot. Exempt and sealed columns are neither. */
export async function tablesToSearch(
  db: SqlRunner,
  map: DataMap,
): Promise<{ tables: SearchedTable[]; unreadable: Unreadable[] }> {
  const rows = await db.query<RelationRow>(RELATIONS, [ownWithoutPeople, ownSchema, ownRole, hostRole]);
  const tables: SearchedTable[] = [];
  const unreadable: Unreadable[] = [];
  for (const row of rows) {
    const root = { schema: row.rootSchema, name: row.rootName };
    if (row.schema !== ownSchema && (isExempt(map, row) || isExempt(map, root))) continue;
    const wanted = row.columns.flatMap((column) => {
      const searched = searchedAs(column);
      return searched && !isPassedOver(map, root, column.name) ? [{ ...column, ...searched }] : [];
    });
    if (wanted.length === 0) continue;
    const why = obstacle(row, wanted);
    if (why) unreadable.push({ schema: root.schema, table: root.name, why });
    else
      tables.push({
        schema: row.schema,
        name: row.name,
        root,
        columns: wanted.map(({ name, as, sql, isWords }) => ({ name, as, sql, ...(isWords && { isWords }) })),
      });
  }
  return { tables, unreadable: once(unreadable) };
}

function obstacle(row: RelationRow, wanted: ColumnRow[]): Unreadable['why'] | undefined {
  // Its rows are in another database, which has a search of its own or none.
  if (row.kind === 'f') return 'foreign_table';
  if (!row.mayLook || wanted.some(({ mayRead }) => !mayRead)) return 'no_grant';
  return row.hidden ? 'row_security' : undefined;
}

const isExempt = (map: DataMap, table: TableRef): boolean =>
  map.exempt.some((e) => !('column' in e) && isLike(e.table, table));

/** Exempt by a pattern of its own, or ciphertext: there is nothing to be found in it. */
function isPassedOver(map: DataMap, table: TableRef, column: string): boolean {
  if (map.exempt.some((e) => 'column' in e && isLike(e.table, table) && matches(e.column, column)))
    return true;
  return Object.values(map.collections).some((collection) => {
    const { secret, sealed } = collection.columns[column] ?? {};
    return qualified(collection.table) === qualified(table) && (secret === true || sealed === true);
  });
}

const isLike = (pattern: TableRef, table: TableRef): boolean =>
  matches(pattern.schema, table.schema) && matches(pattern.name, table.name);

const binary = [
  'pg_catalog.bytea',
  'pg_catalog.pg_lsn',
  'pg_catalog.txid_snapshot',
  'pg_catalog.pg_snapshot',
];
const long = ['pg_catalog.int8', 'pg_catalog.numeric'];

/** Postgres lists the words of a tsvector by their length; as they stood in the text a phone number can be read again. */
export const wordsInOrder = (value: string): string =>
  `(select string_agg(u.lexeme, ' ' order by p.at) from unnest(${value}) as u left join lateral unnest(u.positions) as p (at) on true)`;

/** How a column can hold an identifier; undefined where it cannot (dates, flags, small numbers, bytes, enums). */
function searchedAs(column: ColumnRow): Omit<SearchedColumn, 'name'> | undefined {
  const value = `t.${quoted(column.name)}`;
  const { base, category, element, elementCategory } = column;
  if (base === 'pg_catalog.uuid') return { as: 'uuid', sql: `${value}::text` };
  if (base === 'pg_catalog.int8') return { as: 'number', sql: `${value}::text` };
  if (base === 'pg_catalog.numeric') return { as: 'number', sql: `trim_scale(${value})::text` };
  if (base === 'pg_catalog.tsvector') return { as: 'text', sql: wordsInOrder(value), isWords: true };
  // JSON has one way to quote, arrays and rows have one for each depth.
  if (category === 'C') return { as: 'text', sql: `to_json(${value})::text` };
  if (category === 'A')
    return element !== null && (holdsText(element, elementCategory) || long.includes(element))
      ? { as: 'text', sql: `to_json(${value})::text` }
      : undefined;
  return holdsText(base, category) ? { as: 'text', sql: `${value}::text` } : undefined;
}

const holdsText = (base: string, category: string | null): boolean =>
  category === 'S' || category === 'C' || category === 'I' || (category === 'U' && !binary.includes(base));

const once = (list: Unreadable[]): Unreadable[] => [
  ...new Map(list.map((entry) => [JSON.stringify(entry), entry])).values(),
];

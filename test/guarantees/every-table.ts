import { type TestDatabase } from '../support/database.js';

export interface Column {
  table: string;
  name: string;
  type: string;
  notNull: boolean;
}

/** Every table of schema habeas, whoever added it. */
export const tables = async (db: TestDatabase): Promise<string[]> =>
  (
    await db.behindTheScenes<{ name: string }>(
      `select relname as name from pg_class
       where relnamespace = 'habeas'::regnamespace and relkind in ('r', 'p') order by relname`,
    )
  ).map(({ name }) => name);

export const columnsOf = (db: TestDatabase): Promise<Column[]> =>
  db.behindTheScenes<Column>(
    `select relname as "table", attname as name, format_type(atttypid, null) as type, attnotnull as "notNull"
     from pg_attribute join pg_class on attrelid = pg_class.oid
     where relnamespace = 'habeas'::regnamespace and relkind in ('r', 'p') and attnum > 0 and not attisdropped
       and attgenerated = ''
     order by relname, attnum`,
  );

/**
 * One row for each tenant in every table. What a row says does not matter here, so the rules about that (checks,
 * foreign keys) are taken away first: this database is thrown away. Row-level security stays as it is.
 */
export async function fillEveryTable(db: TestDatabase, tenants: readonly string[]): Promise<void> {
  await db.behindTheScenes(`
    do $$ declare rule record; begin
      for rule in select conrelid::regclass as owner, conname from pg_constraint
                  where connamespace = 'habeas'::regnamespace and contype in ('c', 'f') loop
        execute format('alter table %s drop constraint %I', rule.owner, rule.conname);
      end loop;
    end $$`);
  const columns = await columnsOf(db);
  for (const table of await tables(db)) {
    const its = columns.filter((column) => column.table === table);
    for (const tenant of tenants) {
      const values = its.map(({ name, type }) => (isTenant(table, name) ? `'${tenant}'` : someValue(type)));
      const names = its.map(({ name }) => name).join(', ');
      await db.behindTheScenes(`insert into habeas.${table} (${names}) values (${values.join(', ')})`);
    }
  }
}

const isTenant = (table: string, column: string) =>
  column.endsWith('tenant_id') || (table === 'workspaces' && column === 'id');

function someValue(type: string): string {
  if (type.endsWith('[]')) return `'{}'`;
  const known: Record<string, string> = {
    uuid: 'gen_random_uuid()',
    text: 'gen_random_uuid()::text',
    bytea: 'uuid_send(gen_random_uuid())',
    jsonb: `'{}'`,
    boolean: 'false',
    integer: '1',
    bigint: '1',
    date: 'current_date',
    'timestamp with time zone': 'now()',
  };
  const value = known[type];
  if (value === undefined) throw new Error(`teach every-table.ts a value of type ${type}`);
  return value;
}

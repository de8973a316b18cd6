/** The SQL that lets habeas_host read and erase exactly what the data map names, and nothing else. */
import { type Catalogue, type CatalogueTable, tableIn } from './catalogue.js';
import { changesOf, isDeleted } from './changes.js';
import { namingColumns } from './letting-go.js';
import { keyGrants } from './key-grants.js';
import { type DataMap, tablesOf } from './map.js';
import { matches, qualified, quoted, type TableRef } from './names.js';
import { inPurges } from './purge-map.js';
import { sweepable } from './sweepable.js';

/** What habeas_host needs on one table. */
export interface NeededGrant {
  table: CatalogueTable;
  update: string[];
  delete: boolean;
}

/** Every grant the map needs, by table; tables that do not exist are the check's matter. */
export function neededGrants(map: DataMap, catalogue: Catalogue): NeededGrant[] {
  const collections = Object.values(map.collections).filter((c) => !c.builtIn);
  const host = { ...map, collections: Object.fromEntries(collections.map((c) => [c.name, c])) };
  const needed = new Map<string, NeededGrant>();
  const need = (table: CatalogueTable | undefined): NeededGrant | undefined => {
    if (!table) return undefined;
    const grant = needed.get(qualified(table)) ?? { table, update: [], delete: false };
    if (!needed.has(qualified(table))) {
      needed.set(qualified(table), grant);
      // Such a view reads with habeas_host's own rights.
      if (table.securityInvoker) table.reads.forEach((read) => need(tableIn(catalogue, read)));
    }
    return grant;
  };
  for (const table of tablesOf(host)) need(tableIn(catalogue, table));
  const purged = map.workspaces ? inPurges(host, catalogue).collections : {};
  for (const collection of collections) {
    const grant = need(tableIn(catalogue, collection.table));
    if (!grant) continue;
    const known = new Set(grant.table.columns.map((column) => column.name));
    const letGo = namingColumns(map, catalogue, collection).map(({ column }) => column);
    const changed = [...letGo, ...Object.keys(changesOf(collection)).filter((name) => known.has(name))];
    grant.update = [...new Set([...grant.update, ...changed])].sort();
    const inPurge = purged[collection.name];
    const deletes =
      isDeleted(collection) ||
      sweepable(collection) !== undefined ||
      (inPurge !== undefined && inPurge.workspace.length > 0 && isDeleted(inPurge));
    grant.delete ||= deletes;
    // Postgres asks for the right to update some column before it skips rows that somebody else has locked.
    const stored = grant.table.kind === 'table' || grant.table.kind === 'partitioned';
    const [lockable] = grant.table.primaryKey.length > 0 ? grant.table.primaryKey : [...known];
    if (deletes && stored && lockable !== undefined)
      grant.update = [...new Set([...grant.update, lockable])].sort();
  }
  return [...needed.values()].sort((a, b) => (qualified(a.table) < qualified(b.table) ? -1 : 1));
}

// A plain owner of the tables may neither make a role nor give BYPASSRLS. Without the role no grant can follow; without
// BYPASSRLS all the others stand, and only tables with row-level security wait.
const ROLE = `
do $$
begin
  if not exists (select from pg_roles where rolname = 'habeas_host') then
    begin
      create role habeas_host nologin noinherit;
    exception when insufficient_privilege then
      raise insufficient_privilege using
        message = 'The role habeas_host does not exist, and you may not create it.',
        hint = 'Run npx habeas migrate, which creates it, and then these grants again.';
    end;
  end if;
  if not (select rolbypassrls from pg_roles where rolname = 'habeas_host') then
    -- Without it a policy of yours would hide rows from packages and erasures.
    begin
      alter role habeas_host bypassrls;
    exception when insufficient_privilege then
      raise notice 'Tables with row-level security stay closed to Habeas until a superuser runs: alter role habeas_host bypassrls;';
    end;
  end if;
end
$$;`.trim();

/**
 * SQL to be run by whoever owns the tables: idempotent, everything quoted. Takes back what the map does not name any
 * more.
 * @param residue also lets the search after an erasure read every table that is not exempt
 */
export function grantsFor(map: DataMap, catalogue: Catalogue, { residue = false } = {}): string {
  const needed = neededGrants(map, catalogue);
  const names = new Set(needed.map(({ table }) => qualified(table)));
  const surplus = [...catalogue.tables.values()].filter(
    ({ granted, ...table }) =>
      !names.has(qualified(table)) && (granted.keys || granted.delete || granted.update.length > 0),
  );
  const schemas = [...new Set(needed.map(({ table }) => table.schema))].sort();
  return [
    ROLE,
    ...surplus.map((table) => `revoke all on table ${qualified(table)} from habeas_host;`),
    ...schemas.map((schema) => `grant usage on schema ${quoted(schema)} to habeas_host;`),
    ...needed.map(({ table, update, delete: deletes }) => {
      const rights = [
        'select',
        ...(update.length > 0 ? [`update (${update.map(quoted).join(', ')})`] : []),
        ...(deletes ? ['delete'] : []),
      ];
      return `grant ${rights.join(', ')} on table ${qualified(table)} to habeas_host;`;
    }),
    ...holdingGrants(map, catalogue, needed),
    ...(residue ? residueGrants(map, catalogue) : []),
    '',
  ].join('\n');
}

/** Of tables that the map does not read: the keys by which their rows could hold back what an erasure deletes. */
function holdingGrants(map: DataMap, catalogue: Catalogue, needed: readonly NeededGrant[]): string[] {
  const emptied = needed.filter((grant) => grant.delete).map(({ table }) => table);
  const known = new Set(needed.map(({ table }) => qualified(table)));
  const holders = keyGrants(catalogue, map, emptied).filter(({ table }) => !known.has(qualified(table)));
  if (holders.length === 0) return [];
  return [
    '-- Keys of other tables to rows that erasures delete: an erasure asks before its first step whether any row hangs there.',
    ...[...new Set(holders.map(({ table }) => table.schema))].map(
      (schema) => `grant usage on schema ${quoted(schema)} to habeas_host;`,
    ),
    ...holders.map(
      ({ table, columns }) =>
        `grant select (${columns.map(quoted).join(', ')}) on table ${qualified(table)} to habeas_host;`,
    ),
  ];
}

/** Reading, and nothing else, of every table that stores rows and is not exempt. */
function residueGrants(map: DataMap, catalogue: Catalogue): string[] {
  const isExempt = (table: TableRef): boolean =>
    map.exempt.some(
      (e) => !('column' in e) && matches(e.table.schema, table.schema) && matches(e.table.name, table.name),
    );
  const searched = [...catalogue.tables.values()].filter(
    (table) => table.kind !== 'view' && table.kind !== 'foreign' && !isExempt(table.root ?? table),
  );
  const schemas = [...new Set(searched.map(({ schema }) => schema))].sort();
  return [
    '-- For the search after an erasure: no table may hide what is left of a person.',
    ...schemas.map((schema) => `grant usage on schema ${quoted(schema)} to habeas_host;`),
    ...searched.map((table) => `grant select on table ${qualified(table)} to habeas_host;`),
  ];
}

/** Tables outside the map whose rows may hold back what an erasure deletes, and the columns that tell whether any does. */
import { type Catalogue, type CatalogueTable, tableIn } from './catalogue.js';
import { type DataMap } from './map.js';
import { qualified } from './names.js';
import { referrersOf, tableBehind } from './referrers.js';

export interface KeyGrant {
  table: CatalogueTable;
  /** Of all its foreign keys: what else a row of it hangs from may take it along. No other column is looked at. */
  columns: string[];
}

/**
 * Those with a key that would stop a delete. One that would cascade is refused unseen, and one that lets go is in
 * nobody's way.
 * @param emptied tables, or views, from which rows go
 */
export function keyGrants(
  catalogue: Catalogue,
  map: DataMap,
  emptied: readonly CatalogueTable[],
): KeyGrant[] {
  const mapped = new Set(Object.values(map.collections).map(({ table }) => qualified(table)));
  const isMapped = (table: CatalogueTable): boolean =>
    [table, table.root].some((one) => one && mapped.has(qualified(one)));
  const holders = new Map<string, CatalogueTable>();
  for (const table of withWhatGoesAlong(catalogue, emptied, isMapped))
    for (const { child, key } of referrersOf(catalogue, table))
      if ((key.onDelete === 'no action' || key.onDelete === 'restrict') && !isMapped(child))
        holders.set(qualified(child), child);
  return [...holders.values()]
    .sort((a, b) => (qualified(a) < qualified(b) ? -1 : 1))
    .map((table) => ({
      table,
      columns: [...new Set(table.foreignKeys.flatMap((key) => key.columns))].sort(),
    }));
}

/** These tables as rows are stored in them, and the mapped ones into which their deletes cascade. */
function withWhatGoesAlong(
  catalogue: Catalogue,
  emptied: readonly CatalogueTable[],
  isMapped: (table: CatalogueTable) => boolean,
): CatalogueTable[] {
  const found = new Map<string, CatalogueTable>();
  const visit = (table: CatalogueTable): void => {
    if (found.has(qualified(table))) return;
    found.set(qualified(table), table);
    for (const { child, key } of referrersOf(catalogue, table))
      if (key.onDelete === 'cascade' && isMapped(child)) visit(child);
  };
  for (const one of emptied) {
    const behind = tableBehind(catalogue, tableIn(catalogue, one) ?? one);
    if (behind) visit(behind);
  }
  return [...found.values()];
}

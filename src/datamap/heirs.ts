/**
 * Whose rows those of an heir are (INHERITS; a partition is a part of its table). Postgres finds them by way of the table
 * above as well, but a row belongs to one place: to the collections of its own table where that is mapped, else to those of
 * the nearest table above that is. So what a law keeps in an heir is not erased, and not shown, as its parent's.
 */
import { type Catalogue, type CatalogueTable, tableIn } from './catalogue.js';
import { type DataMap } from './map.js';
import { literal, qualified, type TableRef } from './names.js';

/** Condition: row `t` belongs to the collections of this table. Undefined where every row does that lies below it. */
export function ownRows(map: DataMap, catalogue: Catalogue, table: TableRef): string | undefined {
  // A partitioned table has partitions and no heirs: their rows are its own.
  const heirs = tableIn(catalogue, table)?.kind === 'partitioned' ? [] : mappedBelow(map, catalogue, table);
  if (heirs.length === 0) return undefined;
  // What inherits from an heir is looked up as it runs: a table made since the map was checked is not the parent's either.
  const mapped = heirs.map((heir) => `${literal(qualified(heir))}::regclass::oid`).join(', ');
  return (
    `t.tableoid <> all (array(with recursive habeas_heirs as (select unnest(array[${mapped}]) as o union ` +
    `select i.inhrelid from pg_catalog.pg_inherits as i join habeas_heirs as h on i.inhparent = h.o) select h.o from habeas_heirs as h))`
  );
}

/** Tables that rows are found in by way of this one, and that are mapped on their own. */
export const mappedBelow = (map: DataMap, catalogue: Catalogue, table: TableRef): CatalogueTable[] =>
  mappedTables(map, catalogue).filter((one) =>
    ancestorsOf(catalogue, one).some((above) => qualified(above) === qualified(table)),
  );

/** The mapped tables to which a row of this one belongs: itself, or the nearest above it. */
export function ownersOf(map: DataMap, catalogue: Catalogue, table: CatalogueTable): CatalogueTable[] {
  const mapped = new Set(mappedTables(map, catalogue));
  if (mapped.has(table)) return [table];
  const above = ancestorsOf(catalogue, table).filter((one) => mapped.has(one));
  return above.filter((one) => !above.some((nearer) => ancestorsOf(catalogue, nearer).includes(one)));
}

/** Every table that rows of this one are found by way of, each once. */
export function ancestorsOf(catalogue: Catalogue, table: CatalogueTable): CatalogueTable[] {
  const found = new Set<CatalogueTable>();
  const next = [...table.parents];
  for (let ref = next.shift(); ref; ref = next.shift()) {
    const parent = tableIn(catalogue, ref);
    if (!parent || found.has(parent)) continue;
    found.add(parent);
    next.push(...parent.parents);
  }
  return [...found];
}

const mappedTables = (map: DataMap, catalogue: Catalogue): CatalogueTable[] => [
  ...new Set(
    Object.values(map.collections).flatMap(({ builtIn, table }) => {
      const found = builtIn ? undefined : tableIn(catalogue, table);
      return found ? [found] : [];
    }),
  ),
];

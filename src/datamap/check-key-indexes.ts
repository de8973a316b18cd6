/** Foreign keys that make each deleted row read another table from end to end. */
import { type Catalogue, type CatalogueTable, type ForeignKey, tableIn } from './catalogue.js';
import { isDeleted } from './changes.js';
import { rowsOf } from './check-speed.js';
import { type Finding, finding } from './findings.js';
import { type DataMap } from './map.js';
import { qualified, quoted, shown } from './names.js';
import { inPurges } from './purge-map.js';
import { referrersOf } from './referrers.js';

/**
 * Postgres looks for referring rows once for each row that is deleted. 5,000 rows are read in about half a millisecond;
 * a batch of 1,000 deleted rows then takes half a second, and batches are to take under 200 ms.
 */
const MANY_ROWS = 5_000;

/** Foreign keys, towards rows that erasures or purges delete, whose columns no index finds. */
export function slowKeys(map: DataMap, catalogue: Catalogue): Finding[] {
  const referrers = deletedTables(map, catalogue).flatMap((table) => referrersOf(catalogue, table));
  const slow = referrers.filter(
    ({ child, key }) => rowsOf(catalogue, child) >= MANY_ROWS && !isFound(catalogue, child, key),
  );
  return slow.map(({ child, key }) => {
    const columns = key.columns.map(quoted).join(', ');
    // Postgres makes no index of a partitioned table concurrently.
    const how = child.kind === 'partitioned' ? 'create index on' : 'create index concurrently on';
    return finding(
      'query.scans',
      child,
      key.columns.join(', '),
      `Each row of ${shown(key.target)} that is deleted reads this whole table (about ${Math.round(rowsOf(catalogue, child))} rows) ` +
        `for foreign key ${key.name}. Create an index: ${how} ${qualified(child)} (${columns});`,
    );
  });
}

/** Tables of which erasures or purges delete rows, and those that foreign keys go on to from there. */
function deletedTables(map: DataMap, catalogue: Catalogue): CatalogueTable[] {
  const purged = map.workspaces ? Object.values(inPurges(map, catalogue).collections) : [];
  const found = new Map<string, CatalogueTable>();
  const add = (table: CatalogueTable | undefined): void => {
    if (!table || found.has(qualified(table))) return;
    found.set(qualified(table), table);
    for (const { child, key } of referrersOf(catalogue, table)) if (key.onDelete === 'cascade') add(child);
  };
  for (const collection of [...Object.values(map.collections), ...purged])
    if (!collection.builtIn && isDeleted(collection)) add(tableIn(catalogue, collection.table));
  return [...found.values()];
}

/**
 * Whether an index leads to the few rows that refer to one: it begins with all columns of the key, or with those of them
 * that tell the target apart already (the id of a key that also has the tenant in it).
 */
function isFound(catalogue: Catalogue, child: CatalogueTable, key: ForeignKey): boolean {
  const target = tableIn(catalogue, key.target);
  return child.indexes.some((index) => {
    const end = index.findIndex((column) => !key.columns.includes(column));
    const led = end < 0 ? index : index.slice(0, end);
    const towards = key.targetColumns.filter((_, n) => led.includes(key.columns[n] as string));
    return (
      key.columns.every((column) => led.includes(column)) ||
      !!target?.uniques.some((unique) => unique.every((column) => towards.includes(column)))
    );
  });
}

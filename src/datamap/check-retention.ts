/** Can what the map's retentions say be swept in this database? Names and types of columns: check-names.ts. */
import { type Catalogue, columnIn, tableIn } from './catalogue.js';
import { type Finding, finding } from './findings.js';
import { isZero } from './iso-days.js';
import { type DataMap } from './map.js';
import { sweepables } from './sweepable.js';
import { keyOf } from './walk.js';

/** Retentions over views and over rows without a key, and `P0D` after a column that every row has from its start. */
export function checkRetention(map: DataMap, catalogue: Catalogue): Finding[] {
  return sweepables(map).flatMap(({ collection, after, keep }) => {
    const table = tableIn(catalogue, collection.table);
    if (!table) return [];
    const impossible = (column: string | undefined, message: string) =>
      finding('retention.impossible', table, column, `${collection.name}: ${message}`);
    const stored = table.kind === 'table' || table.kind === 'partitioned';
    return [
      ...(stored
        ? []
        : [
            impossible(
              undefined,
              'Rows of a view are not swept. Map the table, or say its retention in words.',
            ),
          ]),
      ...(keyOf(collection, table).length > 0
        ? []
        : [
            impossible(undefined, 'A row that cannot go is told apart by a key: give one, or a primary key.'),
          ]),
      // Counted from its making, a row would be over before anybody has seen it.
      ...(keep && isZero(keep) && columnIn(catalogue, table, after)?.notNull
        ? [impossible(after, 'P0D needs a column that says that something ended, which is null until then.')]
        : []),
    ];
  });
}

/** Rows whose time never comes, although the map gives them one: what hangs from them is kept without an end. */
import { type Catalogue, tableIn } from './catalogue.js';
import { type Finding, finding } from './findings.js';
import { type DataMap } from './map.js';
import { qualified, shown } from './names.js';
import { referrersOf } from './referrers.js';
import { sweepable, sweepables } from './sweepable.js';

/** Children with the rule `keep` whose retention is words only: they keep the rows that they refer to (docs/retention.md). */
export const endlessParents = (map: DataMap, catalogue: Catalogue): Finding[] =>
  sweepables(map).flatMap(({ collection, keep, adjustable }) => {
    const table = tableIn(catalogue, collection.table);
    if (!table || (keep === null && !adjustable)) return [];
    return referrersOf(catalogue, table).flatMap(({ child, key }) =>
      Object.values(map.collections)
        .filter(
          (one) =>
            one.erasure.rule === 'keep' &&
            !one.builtIn &&
            !sweepable(one) &&
            qualified(one.table) === qualified(child) &&
            qualified(child) !== qualified(table) &&
            key.onDelete !== 'set null' &&
            key.onDelete !== 'set default',
        )
        .map((one) =>
          finding(
            'retention.never_ends',
            table,
            undefined,
            `${collection.name}: Rows that ${one.name} refers to by ${key.name} (${shown(child)}) never go, whatever time is set: ${one.name} is kept, ` +
              'and its retention is in words only. Give it `after` and `atLeast`, or let the key be ON DELETE SET NULL.',
          ),
        ),
    );
  });

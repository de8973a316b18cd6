/** Whether rows that hold on to what is deleted are there for good by the map alone, whosever they are. */
import { changesOf, isDeleted } from './changes.js';
import { type Collection, type DataMap } from './map.js';
import { qualified } from './names.js';
import { type Referrer } from './referrers.js';

/** Of a key that stops the delete: no collection over the referring table deletes its rows, or clears the key. */
export function staysBehind(
  map: DataMap,
  { child, key }: Referrer,
  { table, erasure: { rule } }: Collection,
): boolean {
  if (key.onDelete !== 'no action' && key.onDelete !== 'restrict') return false;
  if (qualified(child) === qualified(table)) return false;
  // A tombstone still holds on to its parent, until both are swept.
  return !Object.values(map.collections).some(
    (one) =>
      qualified(one.table) === qualified(child) &&
      (one.erasure.rule === 'delete' ||
        (isDeleted(one) && rule === 'tombstone') ||
        key.columns.some((name) => changesOf(one)[name] === null)),
  );
}

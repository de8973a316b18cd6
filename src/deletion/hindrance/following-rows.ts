/** Whether it follows from the map and the keys alone that whatever refers to a row goes by a step of its own. */
import { leadsThrough } from '../../datamap/leads-through.js';
import { type Collection } from '../../datamap/map.js';
import { qualified } from '../../datamap/names.js';
import { type Referrer } from '../../datamap/referrers.js';
import { type ErasureExtent } from './extent.js';

/**
 * Whether every row that refers by this key to one of the collection is found by way of that very key: then it goes
 * when the row does, and none of them has to be looked at, however many there are.
 */
export function followsByKey(extent: ErasureExtent, parent: Collection, { child, key }: Referrer): boolean {
  if (qualified(key.target) !== qualified(parent.table)) return false;
  return extent.bystanders
    .collectionsOn(child)
    .some(
      (one) =>
        extent.isWhole(one) &&
        extent.hasSamePlaces(one, parent) &&
        one.workspace.length === parent.workspace.length &&
        parent.workspace.every((path) => leadsThrough(key, one.workspace, path)) &&
        Object.entries(parent.subject).every(
          ([kind, paths]) =>
            !extent.isAbout(kind) || paths.every((path) => leadsThrough(key, one.subject[kind] ?? [], path)),
        ),
    );
}

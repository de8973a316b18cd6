/** Can the purge of a workspace be executed? The same questions as of a person's erasure, of the map as a purge walks it. */
import { type Catalogue } from './catalogue.js';
import { checkErasure } from './check-erasure.js';
import { type Finding } from './findings.js';
import { type Collection, type DataMap } from './map.js';
import { inPurges, isOutOfReach } from './purge-map.js';

/** What stops a purge, beyond what stops a person's erasure: `known`. */
export function checkPurge(map: DataMap, catalogue: Catalogue, known: readonly Finding[]): Finding[] {
  if (!map.workspaces) return [];
  const purged = inPurges(map, catalogue);
  const collections = Object.entries(purged.collections).map(([name, collection]): [string, Collection] => [
    name,
    // What no way leads to stays as it is, and so do its foreign keys.
    isOutOfReach(collection)
      ? { ...collection, erasure: { rule: 'keep', ground: 'out of reach', until: 'its own end' } }
      : collection,
  ]);
  return checkErasure({ ...purged, collections: Object.fromEntries(collections) }, catalogue)
    .filter(({ code, where }) => !known.some((one) => one.code === code && one.where === where))
    .map((found) => ({ ...found, message: `When a workspace is purged: ${found.message}` }));
}

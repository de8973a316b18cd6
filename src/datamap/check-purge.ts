/** Can the purge of a workspace be executed? The same questions as of a person's erasure, of the map as a purge walks it. */
import { type Catalogue, tableIn } from './catalogue.js';
import { checkErasure } from './check-erasure.js';
import { type Finding } from './findings.js';
import { isHeld } from './held-rows.js';
import { type Collection, type DataMap } from './map.js';
import { qualified, shown } from './names.js';
import { holdsBy, inPurges, isOutOfReach, wholeInPurges } from './purge-map.js';
import { referrersOf } from './referrers.js';

/** What stops a purge, beyond what stops a person's erasure: `known`. */
export function checkPurge(map: DataMap, catalogue: Catalogue, known: readonly Finding[]): Finding[] {
  if (!map.workspaces) return [];
  const purged = inPurges(map, catalogue);
  const parted = checkOf(purged, catalogue).filter((found) => !isForHeld(purged, catalogue, found));
  return [...checkOf(wholeInPurges(map, catalogue).whole, catalogue), ...parted]
    .filter(({ code, where }) => !known.some((one) => one.code === code && one.where === where))
    .map((found) => ({ ...found, message: `When a workspace is purged: ${found.message}` }));
}

/** Of what stops a person's erasure, as the check says it, what only a purge would ever run into. */
export function ofPurgesAlone(map: DataMap, catalogue: Catalogue, found: readonly Finding[]): Finding[] {
  if (!map.workspaces || found.length === 0) return [];
  const collections = Object.entries(map.collections).map(([name, one]): [string, Collection] => [
    name,
    Object.keys(one.subject).length === 0 ? { ...one, erasure: OUT_OF_REACH } : one,
  ]);
  const people = checkErasure({ ...map, collections: Object.fromEntries(collections) }, catalogue);
  return found.filter(({ code, message }) => {
    const isPeoples = people.some((one) => one.code === code && one.message === message);
    return code === 'erasure.foreign_key' && !isPeoples;
  });
}

const OUT_OF_REACH = { rule: 'keep', ground: 'out of reach', until: 'its own end' } as const;

function checkOf(purged: DataMap, catalogue: Catalogue): Finding[] {
  const collections = Object.entries(purged.collections).map(([name, collection]): [string, Collection] => [
    name,
    // What no way leads to stays as it is, and so do its foreign keys.
    isOutOfReach(collection) ? { ...collection, erasure: OUT_OF_REACH } : collection,
  ]);
  return checkErasure({ ...purged, collections: Object.fromEntries(collections) }, catalogue);
}

/** Whether it is about a key of which every row that holds on to one of these keeps that one from being deleted, or is not told anew. */
function isForHeld({ collections }: DataMap, catalogue: Catalogue, { code, message }: Finding): boolean {
  const all = Object.values(collections);
  const held = all.filter(({ name }) => isHeld(name));
  if (held.some(({ name }) => message.includes(name))) return true;
  return (
    code === 'erasure.foreign_key' &&
    held.some(({ table }) => {
      const parent = tableIn(catalogue, table);
      return (
        parent &&
        referrersOf(catalogue, parent).some(
          ({ child, key }) =>
            message.startsWith(`${key.name} refers to ${shown(key.target)},`) &&
            all.some(
              (one) =>
                [child, child.root ?? child].some((over) => qualified(over) === qualified(one.table)) &&
                !one.builtIn &&
                holdsBy(one, key),
            ),
        )
      );
    })
  );
}

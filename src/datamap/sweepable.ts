/** Which collections have an end in time, and what the map says of it. */
import { isDeleted } from './changes.js';
import { type Collection, type DataMap } from './map.js';

/** How long rows of a collection are kept, as far as the map decides. */
export interface Sweepable {
  collection: Collection;
  /** The column that the time counts from; a row without a value in it is not over yet. */
  after: string;
  /** The time counts from the end of the calendar year in which `after` lies. */
  fromYearEnd: boolean;
  /** ISO 8601 duration; null: until deleted. What is in force where a workspace has set nothing. */
  keep: string | null;
  /** The least that a law demands, and which law. */
  floor?: { atLeast: string; ground: string };
  /** Whether a workspace may set another time. */
  adjustable: boolean;
}

/**
 * What retention makes of the collection; undefined where it says nothing that can be swept by. Rows that erasure keeps
 * for a law end with that law's time, so they are swept only where the map names it (`atLeast`).
 */
export function sweepable(collection: Collection): Sweepable | undefined {
  const { retention, erasure, builtIn } = collection;
  if (builtIn || typeof retention === 'string' || retention.after === undefined) return undefined;
  const { after, keep = null, atLeast, ground, adjustable = true } = retention;
  const ends = erasure.rule === 'delete' || (erasure.rule === 'keep' && atLeast !== undefined);
  if (!ends) return undefined;
  return {
    collection,
    after,
    fromYearEnd: retention.from === 'year-end',
    keep,
    ...(atLeast !== undefined && { floor: { atLeast, ground: ground ?? '' } }),
    // What belongs to no workspace is decided by the host, in the map.
    adjustable: adjustable && collection.workspace.length > 0,
  };
}

/** All of them, in the order of the map. */
export const sweepables = (map: DataMap): Sweepable[] =>
  Object.values(map.collections).flatMap((collection) => sweepable(collection) ?? []);

/** Whether an `after` stands beside an erasure that lets no row go. */
export const sweepsWhatStays = (collection: Collection): boolean =>
  typeof collection.retention !== 'string' &&
  collection.retention.after !== undefined &&
  (!isDeleted(collection) || collection.erasure.rule === 'tombstone') &&
  collection.erasure.rule !== 'keep';

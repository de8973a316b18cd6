import { createHash, randomBytes } from 'node:crypto';

/** A disclosure with its salt, and the digest that the event keeps. */
export interface Committed {
  path: string;
  value: unknown;
  salt: Buffer;
  digest: string;
}

/** Draws a salt for a personal value, and commits to it. */
export function commit(path: string, value: unknown): Committed {
  const salt = randomBytes(16);
  return { path, value, salt, digest: commitment(path, value, salt) };
}

/**
 * Commitment to a disclosed value: sha256 in hex over salt ‖ UTF-8 of the JSON array [path, value], in which the
 * keys of objects are sorted, because jsonb does not keep their order. Whoever has
 * the disclosure can check it against the event; whoever has not learns nothing, and nothing is left to guess
 * once the salt is gone.
 */
export const commitment = (path: string, value: unknown, salt: Buffer): string =>
  createHash('sha256')
    .update(salt)
    .update(JSON.stringify([path, value], sortKeys), 'utf8')
    .digest('hex');

const sortKeys = (_key: string, value: unknown): unknown =>
  value !== null && typeof value === 'object' && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;

/** Puts a disclosed value back where it belongs in what is told of an event, e.g. at `context.ip`. */
export function putBack(event: object, path: string, value: unknown): void {
  const way = path.split('.');
  const last = way.pop() ?? '';
  let place = event as Record<string, unknown>;
  for (const step of way) {
    const inner = Object.hasOwn(place, step) ? place[step] : undefined;
    place = (typeof inner === 'object' && inner !== null ? inner : (place[step] = {})) as typeof place;
  }
  place[last] = value;
}

/** What a foreign key could be changed to, so that rows which refer to one that is deleted stay and lose the pointer. */
import { type Referrer } from './referrers.js';

/**
 * The clause (and what has to be dropped before it), as its owner would write it; undefined where the key has no column
 * that can be null. One of a primary key cannot, nor can a computed one: then the others of the key are named, which
 * Postgres knows since 15, and one of them is enough to point at nothing.
 */
export function setNullOf({ child, key }: Referrer): string | undefined {
  const own = child.columns.filter(({ name }) => key.columns.includes(name));
  const free = own.filter(({ name, generated }) => !child.primaryKey.includes(name) && !generated);
  if (free.length === 0) return undefined;
  const named =
    free.length === own.length
      ? ''
      : ` (${free.map(({ name }) => name).join(', ')}), as Postgres knows since 15`;
  const fixed = free.filter(({ notNull }) => notNull).map(({ name }) => name);
  return `ON DELETE SET NULL${named}${fixed.length === 0 ? '' : ` (after DROP NOT NULL of ${fixed.join(', ')})`}`;
}

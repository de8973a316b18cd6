import { DomainError } from '../../errors.js';
import { type Person } from '../../identity/principal.js';

/** How old a sign-in may be that stands for a deletion. */
const FRESH_MS = 10 * 60_000;
/** How far the provider's clock may be ahead of ours. What it says of a later day is no sign-in of just now. */
const AHEAD_MS = 60_000;

/** Signed in, and not only refreshed, a short while ago. */
export const isFresh = ({ authTime }: Pick<Person, 'authTime'>, now: Date): boolean =>
  authTime !== undefined && isFreshAge(now.getTime() - authTime.getTime());

const isFreshAge = (ms: number) => ms < FRESH_MS && ms >= -AHEAD_MS;

/** @throws DomainError `auth.stale`, for what takes more than a session that somebody left open */
export function assertFresh(person: Pick<Person, 'authTime'>, now: Date): void {
  if (!isFresh(person, now))
    throw new DomainError(
      'auth.stale',
      'This takes a sign-in younger than 10 minutes: sign in again, then repeat the call with the new token.',
    );
}

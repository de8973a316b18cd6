import { isOutOfPatience } from '../../mail/back-off.js';
import { type RecipientTask } from './recipient.js';

/** About half an hour: somebody may be mending a key or an address over there. */
const REFUSALS = 6;

/**
 * Whether it is time that a person looks: what may pass is tried for three days, a plain no for half an hour, and one
 * that was told is asked for as long as the map says.
 */
export function isGivenUp(
  {
    status,
    attempts,
    firstAttemptAt,
    dueAt,
  }: Pick<RecipientTask, 'status' | 'attempts' | 'firstAttemptAt' | 'dueAt'>,
  { refused }: { refused: boolean },
  now: Date,
): boolean {
  if (status === 'told') return now >= dueAt;
  if (refused) return attempts >= REFUSALS;
  return firstAttemptAt !== null && isOutOfPatience(firstAttemptAt, now);
}

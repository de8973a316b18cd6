import { DateTime, Duration } from 'luxon';
import { reachesAsFar } from '../../datamap/iso-days.js';
import { type Sweepable } from '../../datamap/sweepable.js';

/** How long: an ISO 8601 duration of days, weeks, months and years; null: until deleted. */
export type Keep = string | null;

/** Which moments in a time column are over. */
export interface Over {
  at: Date;
  /** Whether `at` itself is over. */
  inclusive: boolean;
}

/** Of the audit log, whatever anybody wants. */
export const LOG_FLOOR = 'P30D';

/** Whether the change lets anything go earlier than before: then it waits a day, so that a mistake can be taken back. */
export const shortens = (from: Keep, to: Keep): boolean =>
  to !== null && (from === null || !reachesAsFar(to, from));

/** The moment before which `keep` is over, in UTC. */
export const before = (now: Date, keep: string): Date =>
  DateTime.fromJSDate(now, { zone: 'UTC' }).minus(Duration.fromISO(keep)).toJSDate();

/**
 * What is over now for rows of a collection; undefined where nothing ever is. A floor holds whatever was set: a map that
 * has learnt of a law since counts at once.
 */
export function overNow(now: Date, keep: Keep, { floor, fromYearEnd }: Sweepable): Over | undefined {
  if (keep === null) return undefined;
  const moments = [keep, ...(floor ? [floor.atLeast] : [])].map((one) => before(now, one).getTime());
  const at = new Date(Math.min(...moments));
  return fromYearEnd
    ? { at: DateTime.fromJSDate(at, { zone: 'UTC' }).startOf('year').toJSDate(), inclusive: false }
    : { at, inclusive: true };
}

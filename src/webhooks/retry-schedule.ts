const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/**
 * How long to wait after the first, second, … failed attempt: the schedule that the Standard Webhooks specification
 * suggests, a little over three days. Sweeps run each minute, so that the first waits may last up to one.
 */
const waits = [
  5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR,
]; // prettier-ignore

/** Attempts at one message before it is given up. */
export const MOST_ATTEMPTS = waits.length + 1;
const LONGEST_WAIT = 24 * HOUR;
const LONGEST_PAUSE = 5 * MINUTE;

/**
 * Milliseconds until this message is tried again, up to a fifth more than planned, so that messages that failed
 * together do not come back together.
 * @param attempt how many there have been, 1 or more
 * @param random 0 to 1
 * @param retryAfter milliseconds that the receiver asked for; more than a day is not waited
 */
export function waitAfter(attempt: number, random: number, retryAfter = 0): number {
  const planned = waits[Math.min(attempt, waits.length) - 1] ?? LONGEST_WAIT;
  return Math.max(Math.round(planned * (1 + random / 5)), Math.min(retryAfter, LONGEST_WAIT));
}

/**
 * Milliseconds in which nothing at all is sent to an endpoint that just failed: 5 s, doubling up to 5 min. A server
 * that hangs costs one worker 15 s in 5 min, and no other endpoint notices.
 * @param failures in a row, 1 or more
 */
export const pauseAfter = (failures: number, retryAfter = 0): number =>
  Math.max(
    Math.min(5 * SECOND * 2 ** Math.min(failures - 1, 10), LONGEST_PAUSE),
    Math.min(retryAfter, LONGEST_WAIT),
  );

/** `Retry-After` in milliseconds: seconds, or a date. What cannot be read is 0. */
export function readRetryAfter(header: string | string[] | undefined, now: Date): number {
  if (typeof header !== 'string') return 0;
  if (/^\d{1,9}$/.test(header)) return Number(header) * SECOND;
  const at = Date.parse(header);
  return Number.isNaN(at) ? 0 : Math.max(0, at - now.getTime());
}

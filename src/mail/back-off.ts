const MINUTE = 60_000;
const shortest = MINUTE;
const longest = 6 * 60 * MINUTE;

/** After this long with failures that may pass, a mail counts as undeliverable. */
const patience = 3 * 24 * 60 * MINUTE;

/**
 * Milliseconds until the next try: 1 min, doubling up to 6 h, a quarter more or less, so that the mails that
 * failed together do not come back together.
 * @param attempt how many tries there have been, 1 or more
 * @param random 0 to 1
 */
export function backOff(attempt: number, random: number): number {
  const planned = Math.min(shortest * 2 ** (attempt - 1), longest);
  return Math.min(longest, Math.max(shortest, Math.round(planned * (0.75 + random / 2))));
}

/** Counted from the first try and not from the writing: a service that was down for a week still tries. */
export const isOutOfPatience = (firstAttemptAt: Date, now: Date): boolean =>
  now.getTime() - firstAttemptAt.getTime() >= patience;

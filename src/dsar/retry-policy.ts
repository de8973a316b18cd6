const MINUTE = 60_000;
const delays = [1, 5, 15, 60, 240, 720].map((minutes) => minutes * MINUTE);

/** After so many failed attempts a person on the desk decides. About 17 hours after the first. */
export const MAX_ATTEMPTS = delays.length + 1;

/** Milliseconds until the next attempt after `attempts` failed ones. */
export const delayAfter = (attempts: number): number =>
  delays[Math.min(Math.max(attempts, 1), delays.length) - 1] ?? MINUTE;

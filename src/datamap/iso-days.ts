import { Duration } from 'luxon';

/** The fewest and the most days that a duration of days, weeks, months and years can be: months have 28 to 31. */
export function daysOf(iso: string): { least: number; most: number } {
  // As written: luxon's own conversions take every month for 30 days.
  const { years = 0, months = 0, weeks = 0, days = 0 } = Duration.fromISO(iso).toObject();
  const fixed = weeks * 7 + days;
  const all = years * 12 + months;
  const [whole, rest] = [Math.floor(all / 12), all % 12];
  return { least: whole * 365 + rest * 28 + fixed, most: whole * 366 + rest * 31 + fixed };
}

/** P0D and its like: over at once. */
export const isZero = (iso: string): boolean => daysOf(iso).most === 0;

/** Whether `a` is never shorter than `b`, whichever month it counts from (P30D is not sure to reach P1M). */
export function reachesAsFar(a: string, b: string): boolean {
  const [x, y] = [daysOf(a), daysOf(b)];
  return x.least >= y.least && x.most >= y.most;
}

import Holidays from 'date-holidays';
import { DateTime } from 'luxon';
import { type Period } from './law.js';
import { type Place } from './places.js';

/** A date without time, `YYYY-MM-DD`; such strings compare as dates do. */
export type LocalDate = string;

type Year = ReadonlySet<LocalDate>;

/** The date that a moment has in an IANA zone. */
export const dateIn = (zone: string, moment: Date): LocalDate =>
  isoDate(DateTime.fromJSDate(moment, { zone }));

/** `date` plus a number of calendar days (may be negative). */
export const plusDays = (date: LocalDate, days: number): LocalDate => isoDate(at(date).plus({ days }));

/** How many calendar days `to` lies after `from`. */
export const daysBetween = (from: LocalDate, to: LocalDate): number => at(to).diff(at(from), 'days').days;

/** The day on which a period that began on `date` ends. Its first day is not counted (Reg. 1182/71 Art. 3(1)). */
export function endOf(period: Period, date: LocalDate, place: Place): LocalDate {
  switch (period.unit) {
    case 'calendar month':
      // luxon ends on the last day where the month has no such date, as Art. 3(2)(c) asks.
      return isoDate(at(date).plus({ months: period.amount }));
    case 'calendar day':
      return plusDays(date, period.amount);
    case 'working day':
      return plusWorkingDays(date, period.amount, place);
  }
}

/** Neither weekend nor a public holiday of the place. */
export const isWorkingDay = (date: LocalDate, place: Place): boolean =>
  !place.weekend.includes(at(date).weekday) && !holidaysOf(place, at(date).year).has(date);

/** `date` itself if it is a working day, else the next one. */
export function workingDayFrom(date: LocalDate, place: Place): LocalDate {
  while (!isWorkingDay(date, place)) date = plusDays(date, 1);
  return date;
}

function plusWorkingDays(date: LocalDate, amount: number, place: Place): LocalDate {
  for (let counted = 0; counted < amount; counted++) date = workingDayFrom(plusDays(date, 1), place);
  return date;
}

const years = new Map<string, Year>();

/** Computing a country's year takes milliseconds, so each is kept. */
function holidaysOf(place: Place, year: number): Year {
  if (!place.holidays) return new Set();
  const { country, state } = place.holidays;
  const key = `${country}/${state ?? ''}/${year}`;
  const known = years.get(key);
  if (known) return known;
  const calendar = state
    ? new Holidays(country, state, { types: ['public'] })
    : new Holidays(country, { types: ['public'] });
  const computed = new Set(calendar.getHolidays(year).flatMap(wholeDays));
  years.set(key, computed);
  return computed;
}

/** A holiday's whole days: several for a long one, none for Iceland's Christmas Eve, which begins at 13:00. */
function wholeDays({ date, start, end }: { date: string; start: Date; end: Date }): LocalDate[] {
  // Rounded, because the day on which clocks change has 23 or 25 hours.
  const length = Math.round((end.getTime() - start.getTime()) / 86_400_000);
  return Array.from({ length }, (_, day) => plusDays(date.slice(0, 10), day));
}

const at = (date: LocalDate): DateTime => DateTime.fromISO(date, { zone: 'utc' });

function isoDate(moment: DateTime): LocalDate {
  const date = moment.toISODate();
  if (date === null) throw new RangeError('not a date');
  return date;
}

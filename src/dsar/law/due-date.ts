import { DomainError } from '../../errors.js';
import { daysBetween, endOf, type LocalDate, plusDays, workingDayFrom } from './calendar.js';
import { type LawId, type Period, type RequestKind } from './law.js';
import { lawOf } from './laws.js';
import { type Place, placeOf, places } from './places.js';

/** The clock was stopped from the day `from` on; `until` is the day it ran again, null while it is stopped. */
export interface Pause {
  from: LocalDate;
  until: LocalDate | null;
}

/** All that a clock is: what a request stores, and what extending and pausing need. */
export interface Clock {
  law: LawId;
  jurisdiction: string;
  kind: RequestKind;
  receivedOn: LocalDate;
  /** The last day on which an answer is in time, as stored; while the clock is stopped see `dueOnAt`. */
  dueOn: LocalDate;
  extended: boolean;
  pauses: readonly Pause[];
}

/** The rule of the law applied: period, extension and pauses counted from receipt; only the sum rolls to a working day. */
export function dueOnOf({
  law: id,
  jurisdiction,
  kind,
  receivedOn,
  extended,
  pauses,
}: Omit<Clock, 'dueOn'>): LocalDate {
  const law = lawOf(id);
  const place = knownPlace(jurisdiction);
  const period =
    extended && law.extension ? sum(law.response[kind].within, law.extension.by) : law.response[kind].within;
  const end = plusDays(endOf(period, receivedOn, place), daysPaused(pauses));
  return law.rollover.rolls ? workingDayFrom(end, place) : end;
}

const daysPaused = (pauses: readonly Pause[]): number =>
  pauses.reduce((total, { from, until }) => total + (until === null ? 0 : daysBetween(from, until)), 0);

function sum(first: Period, more: Period): Period {
  if (first.unit !== more.unit) throw new TypeError('a period is extended in its own unit');
  return { amount: first.amount + more.amount, unit: first.unit };
}

/** @throws `jurisdiction.unknown` for a place that no law here covers */
export function knownPlace(jurisdiction: string): Place {
  const place = placeOf(jurisdiction);
  if (!place) {
    throw new DomainError(
      'jurisdiction.unknown',
      `Give one of the known jurisdictions: ${[...places.keys()].join(', ')}.`,
    );
  }
  return place;
}

import { type DurationLike, Duration } from 'luxon';
import { DomainError } from '../../errors.js';
import { dateIn, endOf, type LocalDate, plusDays } from './calendar.js';
import { type Clock, dueOnOf, knownPlace, type Pause } from './due-date.js';
import { type LawId, type RequestKind, type Rule } from './law.js';
import { lawOf } from './laws.js';

export type { Clock, Pause };

/** A clock as it starts, with what is told about it. */
export interface Deadline extends Clock {
  zone: string;
  acknowledgeBy: LocalDate | null;
  rule: Rule;
}

/** What a workspace-scope request has instead: a contract, and no statutory clock. */
export interface ContractualTerm {
  law: 'contract';
  jurisdiction: null;
  kind: RequestKind;
  zone: string;
  receivedOn: LocalDate;
  dueOn: null;
  acknowledgeBy: null;
  rule: Rule;
}

/**
 * When an answer is due: computed once, at receipt, in the zone of the place.
 * Give the jurisdiction, or the law alone, which then counts at its home (`EU` for the GDPR: weekends, no holidays).
 * @throws `jurisdiction.unknown` for a place that no law here covers
 */
export function deadline(
  request: ({ jurisdiction: string } | { law: LawId }) & { kind: RequestKind; receivedAt: Date },
): Deadline {
  const { kind, receivedAt } = request;
  const place =
    'jurisdiction' in request ? knownPlace(request.jurisdiction) : knownPlace(lawOf(request.law).home);
  const law = lawOf(place.law);
  const { source, text, verified } = law.response[kind];
  const receivedOn = dateIn(place.zone, receivedAt);
  const start = {
    law: law.id,
    jurisdiction: place.code,
    kind,
    receivedOn,
    extended: false,
    pauses: [],
  };
  return {
    ...start,
    dueOn: dueOnOf(start),
    zone: place.zone,
    acknowledgeBy: law.acknowledgement && endOf(law.acknowledgement.within, receivedOn, place),
    rule: { source, text, verified },
  };
}

/** A workspace's own data goes to its owner under the contract (GDPR Art. 28(3)(g)-(h)): law `contract`, never due. */
export const contractualTerm = (kind: RequestKind, receivedAt: Date, zone = 'UTC'): ContractualTerm => ({
  law: 'contract',
  jurisdiction: null,
  kind,
  zone,
  receivedOn: dateIn(zone, receivedAt),
  dueOn: null,
  acknowledgeBy: null,
  rule: {
    source: 'The contract between the host and the workspace',
    text: 'Data of a whole workspace is handed over under the contract; no statutory period runs.',
    verified: true,
  },
});

/** The one that falls due first; what is never due comes last; the first of equals. Null for an empty list. */
export const earliestDeadline = <T extends { dueOn: LocalDate | null }>(list: readonly T[]): T | null =>
  list.reduce<T | null>((first, next) => {
    if (first === null) return next;
    if (next.dueOn === null) return first;
    return first.dueOn === null || next.dueOn < first.dueOn ? next : first;
  }, null);

/**
 * The clock with the one extension its law allows, counted anew from receipt (one month and two are three from receipt,
 * not two from the last day). The person must hear of it in the first period, so it is too late once that has ended.
 * @throws `deadline.not_extendable`, `deadline.extended_already`, `deadline.extension_too_late`
 */
export function extendedDeadline<C extends Clock>(clock: C, today: LocalDate): C {
  if (!lawOf(clock.law).extension) {
    throw new DomainError('deadline.not_extendable', 'The law of this request allows no extension.');
  }
  if (clock.extended) {
    throw new DomainError(
      'deadline.extended_already',
      'This deadline was extended before. It can be extended only once.',
    );
  }
  if (today > dueOnAt(clock, today)) {
    throw new DomainError(
      'deadline.extension_too_late',
      'The first period has ended. An extension must be announced before it does.',
    );
  }
  return restated({ ...clock, extended: true });
}

/**
 * The clock stopped from `today` on, because identity is honestly in doubt. Only staff do this, and only where the law allows.
 * @throws `deadline.not_pausable`, `deadline.paused_already`, `deadline.pause_too_late`
 */
export function pausedDeadline<C extends Clock>(clock: C, today: LocalDate): C {
  if (!lawOf(clock.law).identityDoubt.pausable) {
    throw new DomainError(
      'deadline.not_pausable',
      'Under the law of this request the clock runs while identity is verified.',
    );
  }
  if (openPause(clock)) {
    throw new DomainError('deadline.paused_already', 'This clock is stopped already.');
  }
  if (today > clock.dueOn) {
    throw new DomainError(
      'deadline.pause_too_late',
      'The deadline has passed. It cannot be paused any more.',
    );
  }
  return { ...clock, pauses: [...clock.pauses, { from: today, until: null }] };
}

/**
 * The clock running again, its deadline later by the days it stood (none if it resumes on the same day).
 * @throws `deadline.not_paused`, `deadline.resumed_too_early` before the pause began
 */
export function resumedDeadline<C extends Clock>(clock: C, today: LocalDate): C {
  const pause = openPause(clock);
  if (!pause) throw new DomainError('deadline.not_paused', 'This clock is not stopped.');
  if (today < pause.from) {
    throw new DomainError('deadline.resumed_too_early', 'A pause cannot end before it began.');
  }
  return restated({ ...clock, pauses: [...clock.pauses.slice(0, -1), { from: pause.from, until: today }] });
}

/** Whether the clock is stopped: then nothing falls due. */
export const isPaused = (clock: Pick<Clock, 'pauses'>): boolean => openPause(clock) !== undefined;

/** The deadline as it would stand if an open pause ended today; without one, the stored deadline. */
export const dueOnAt = (clock: Clock, today: LocalDate): LocalDate =>
  isPaused(clock) ? resumedDeadline(clock, today).dueOn : clock.dueOn;

/** The day on which parts that nobody decided are left out: `dueOn − DUE_MARGIN`, days only (`P3D`). */
export const decisionsCloseOn = (dueOn: LocalDate, margin: DurationLike): LocalDate =>
  plusDays(dueOn, -Math.ceil(Duration.fromDurationLike(margin).as('days')));

/** The day before that: until its end a decision counts. */
export const lastDayToDecide = (dueOn: LocalDate, margin: DurationLike): LocalDate =>
  plusDays(decisionsCloseOn(dueOn, margin), -1);

const openPause = (clock: Pick<Clock, 'pauses'>): Pause | undefined =>
  clock.pauses.find((pause) => pause.until === null);

const restated = <C extends Clock>(clock: C): C => ({ ...clock, dueOn: dueOnOf(clock) });

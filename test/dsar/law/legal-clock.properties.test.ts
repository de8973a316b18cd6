import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { daysBetween, endOf, isWorkingDay, plusDays } from '../../../src/dsar/law/calendar.js';
import { resolveJurisdiction } from '../../../src/dsar/law/jurisdiction.js';
import { type RequestKind } from '../../../src/dsar/law/law.js';
import {
  deadline,
  extendedDeadline,
  pausedDeadline,
  resumedDeadline,
} from '../../../src/dsar/law/legal-clock.js';
import { lawIds, lawOf } from '../../../src/dsar/law/laws.js';
import { type Place, placeOf, places } from '../../../src/dsar/law/places.js';
import { codeOf } from './support.js';

const kind = fc.constantFrom<RequestKind>('access', 'deletion');
const moment = fc.date({ min: new Date('2020-01-01'), max: new Date('2035-01-01'), noInvalidDate: true });
const anywhere = fc.constantFrom(...places.values());
const whereItRolls = fc.constantFrom(...[...places.values()].filter(({ law }) => lawOf(law).rollover.rolls));
const whereItExtends = fc.constantFrom(...[...places.values()].filter(({ law }) => lawOf(law).extension));
const whereItPauses = fc.constantFrom(
  ...[...places.values()].filter(({ law }) => lawOf(law).identityDoubt.pausable),
);
const few = fc.nat({ max: 40 });

const at = (place: Place, kind: RequestKind, receivedAt: Date) =>
  deadline({ jurisdiction: place.code, kind, receivedAt });

describe('whatever the place, the kind and the moment', () => {
  test('an answer is due after the day of receipt, and acknowledged by then', () => {
    fc.assert(
      fc.property(anywhere, kind, moment, (place, kind, receivedAt) => {
        const { receivedOn, dueOn, acknowledgeBy } = at(place, kind, receivedAt);
        expect(dueOn > receivedOn).toBe(true);
        if (acknowledgeBy) expect(acknowledgeBy > receivedOn && acknowledgeBy < dueOn).toBe(true);
      }),
    );
  });

  test('who asks later is never due earlier', () => {
    fc.assert(
      fc.property(anywhere, kind, moment, moment, (place, kind, one, other) => {
        const [first, second] = one <= other ? [one, other] : [other, one];
        expect(at(place, kind, first).dueOn <= at(place, kind, second).dueOn).toBe(true);
      }),
    );
  });

  test('a deadline that rolls falls on a working day, and skips nothing but days off', () => {
    fc.assert(
      fc.property(whereItRolls, kind, moment, (place, kind, receivedAt) => {
        const { receivedOn, dueOn } = at(place, kind, receivedAt);
        expect(isWorkingDay(dueOn, place)).toBe(true);
        const end = endOf(lawOf(place.law).response[kind].within, receivedOn, place);
        for (let day = end; day < dueOn; day = plusDays(day, 1)) expect(isWorkingDay(day, place)).toBe(false);
      }),
    );
  });

  test('a month keeps the day of the month, or ends on the last day of a shorter one', () => {
    const somewhere = placeOf('EU') as Place;
    fc.assert(
      fc.property(moment, fc.integer({ min: 1, max: 3 }), (receivedAt, amount) => {
        const from = receivedAt.toISOString().slice(0, 10);
        const end = endOf({ amount, unit: 'calendar month' }, from, somewhere);
        const isLastOfItsMonth = plusDays(end, 1).endsWith('-01');
        expect(end.slice(8) === from.slice(8) || (isLastOfItsMonth && end.slice(8) < from.slice(8))).toBe(
          true,
        );
        expect((Number(end.slice(5, 7)) - Number(from.slice(5, 7)) + 12) % 12).toBe(amount);
      }),
    );
  });
});

describe('an extension', () => {
  test('gives more time on every day of the first period, and on none after it', () => {
    fc.assert(
      fc.property(whereItExtends, kind, moment, few, (place, kind, receivedAt, days) => {
        const clock = at(place, kind, receivedAt);
        const inTime = plusDays(clock.receivedOn, days % (daysBetween(clock.receivedOn, clock.dueOn) + 1));
        expect(extendedDeadline(clock, inTime).dueOn > clock.dueOn).toBe(true);
        const late = plusDays(clock.dueOn, 1 + days);
        expect(codeOf(() => extendedDeadline(clock, late))).toBe('deadline.extension_too_late');
      }),
    );
  });

  test('and a pause give the same deadline in either order', () => {
    fc.assert(
      fc.property(whereItPauses, kind, moment, few, (place, kind, receivedAt, days) => {
        const clock = at(place, kind, receivedAt);
        const [from, until] = [clock.receivedOn, plusDays(clock.receivedOn, days)];
        const pausedFirst = extendedDeadline(resumedDeadline(pausedDeadline(clock, from), until), from);
        const extendedFirst = resumedDeadline(pausedDeadline(extendedDeadline(clock, from), from), until);
        expect(pausedFirst).toEqual(extendedFirst);
      }),
    );
  });
});

describe('a pause', () => {
  test('never takes time away, and two pauses weigh as much as one of their length', () => {
    fc.assert(
      fc.property(whereItPauses, kind, moment, few, few, (place, kind, receivedAt, one, other) => {
        const clock = at(place, kind, receivedAt);
        const start = clock.receivedOn;
        const middle = plusDays(start, one);
        const end = plusDays(middle, other);
        const twice = resumedDeadline(
          pausedDeadline(resumedDeadline(pausedDeadline(clock, start), middle), middle),
          end,
        );
        const once = resumedDeadline(pausedDeadline(clock, start), end);
        expect(twice.dueOn).toBe(once.dueOn);
        expect(once.dueOn >= clock.dueOn).toBe(true);
      }),
    );
  });
});

test('a jurisdiction is always one whose law is enabled, and nothing known gives the earliest date', () => {
  const code = fc.option(fc.constantFrom('DE', 'GB', 'US-CA', 'BR', 'JP', 'BH', 'ATLANTIS', ''));
  fc.assert(
    fc.property(
      fc.subarray(lawIds, { minLength: 1 }),
      fc.record({ request: code, subject: code, establishment: code }),
      kind,
      moment,
      (enabled, known, kind, receivedAt) => {
        const found = resolveJurisdiction({ ...known, enabled }, kind, receivedAt);
        expect(enabled).toContain(found.law);
        expect(placeOf(found.jurisdiction)?.law).toBe(found.law);
        if (found.decidedBy !== 'earliest') return;
        const { dueOn } = deadline({ jurisdiction: found.jurisdiction, kind, receivedAt });
        for (const law of enabled) expect(dueOn <= deadline({ law, kind, receivedAt }).dueOn).toBe(true);
      },
    ),
  );
});

import { describe, expect, test } from '@jest/globals';
import {
  contractualTerm,
  deadline,
  decisionsCloseOn,
  dueOnAt,
  earliestDeadline,
  extendedDeadline,
  pausedDeadline,
  resumedDeadline,
} from '../../../src/dsar/law/legal-clock.js';
import { codeOf } from './support.js';

/** A deadline for a request that arrived at noon UTC of a day, which is that day in every zone used here but Tokyo's. */
const received = (day: string, jurisdiction: string, kind: 'access' | 'deletion' = 'access') =>
  deadline({ jurisdiction, kind, receivedAt: new Date(`${day}T12:00:00Z`) });

describe('one calendar month', () => {
  test.each([
    ['the EDPB’s example: 5 March until 5 April', '2024-03-05', 'DE', '2024-04-05'],
    ['the EDPB’s example: 31 August until 30 September', '2022-08-31', 'DE', '2022-09-30'],
    ['31 January ends on the last day of February', '2023-01-31', 'DE', '2023-02-28'],
    ['31 January ends on 29 February in a leap year', '2024-01-31', 'DE', '2024-02-29'],
    ['29 February ends on 29 March', '2024-02-29', 'DE', '2024-04-02'], // Good Friday to Easter Monday follow
    ['December leads into the next year', '2025-12-15', 'DE', '2026-01-15'],
    ['a Saturday moves to Monday', '2026-01-28', 'DE', '2026-03-02'],
    ['New Year’s Day moves on', '2025-12-01', 'DE', '2026-01-02'],
    ['German Good Friday moves past the weekend and Easter Monday', '2026-03-03', 'DE', '2026-04-07'],
    ['Good Friday is no public holiday in all of France', '2026-03-03', 'FR', '2026-04-03'],
    ['somewhere in the Union: weekends count, holidays are not known', '2026-03-03', 'EU', '2026-04-03'],
    ['Iceland’s half holiday on Christmas Eve is a working day', '2026-11-24', 'IS', '2026-12-24'],
    ['the UK’s substitute day after Boxing Day counts', '2026-11-26', 'GB', '2026-12-29'],
  ])('%s', (_rule, on, jurisdiction, dueOn) => {
    expect(received(on, jurisdiction)).toMatchObject({ receivedOn: on, dueOn });
  });
});

describe('other periods', () => {
  test.each([
    ['California: 45 calendar days', 'US-CA', 'access', '2026-03-02', '2026-04-16'],
    ['California: 45 days end on a Sunday if they do', 'US-CA', 'deletion', '2026-03-05', '2026-04-19'],
    ['Brazil: 15 days', 'BR', 'access', '2026-03-10', '2026-03-25'],
    ['Canada: 30 days', 'CA', 'access', '2027-02-01', '2027-03-03'],
    ['Saudi Arabia: 30 days', 'SA', 'access', '2027-02-01', '2027-03-03'],
    [
      'Bahrain: 15 working days for access, Friday and Saturday off',
      'BH',
      'access',
      '2026-11-05',
      '2026-11-26',
    ],
    ['Bahrain: 10 working days for erasure', 'BH', 'deletion', '2026-11-05', '2026-11-19'],
    ['Japan: 14 days, our own target', 'JP', 'access', '2026-03-10', '2026-03-24'],
  ] as const)('%s', (_rule, jurisdiction, kind, on, dueOn) => {
    expect(received(on, jurisdiction, kind).dueOn).toBe(dueOn);
  });

  test('California is told within 10 business days that its request has arrived', () => {
    expect(received('2026-03-02', 'US-CA').acknowledgeBy).toBe('2026-03-16');
    // Thanksgiving and the day after it are no business days in California.
    expect(received('2026-11-20', 'US-CA').acknowledgeBy).toBe('2026-12-08');
    expect(received('2026-03-02', 'DE').acknowledgeBy).toBeNull();
  });
});

describe('the day of receipt', () => {
  const receivedOn = (jurisdiction: string, moment: string) =>
    deadline({ jurisdiction, kind: 'access', receivedAt: new Date(moment) }).receivedOn;

  test('23:30 UTC is the next day in Tokyo', () => {
    expect(receivedOn('JP', '2026-03-10T23:30:00Z')).toBe('2026-03-11');
  });

  test('a minute before midnight in California is still that day', () => {
    expect(receivedOn('US-CA', '2026-03-03T07:59:00Z')).toBe('2026-03-02');
    expect(receivedOn('US-CA', '2026-03-03T08:00:00Z')).toBe('2026-03-03');
  });

  test('midnight in Berlin follows summer time on both sides of the change', () => {
    expect(receivedOn('DE', '2026-03-28T22:59:00Z')).toBe('2026-03-28');
    expect(receivedOn('DE', '2026-03-28T23:00:00Z')).toBe('2026-03-29');
    expect(receivedOn('DE', '2026-03-29T21:59:00Z')).toBe('2026-03-29');
    expect(receivedOn('DE', '2026-03-29T22:00:00Z')).toBe('2026-03-30');
  });
});

test('a deadline says which rule it follows and whether that was checked', () => {
  expect(received('2026-03-02', 'us-ny')).toMatchObject({
    law: 'ccpa',
    jurisdiction: 'US',
    zone: 'America/Los_Angeles',
    rule: { source: expect.stringContaining('1798.130'), verified: true },
  });
});

test('with the law alone the clock runs at the law’s home', () => {
  const receivedAt = new Date('2026-03-03T12:00:00Z');
  expect(deadline({ law: 'gdpr', kind: 'access', receivedAt })).toEqual(received('2026-03-03', 'EU'));
});

test('a place that no law covers is refused by name of the known ones', () => {
  expect(codeOf(() => received('2026-03-03', 'ATLANTIS'))).toBe('jurisdiction.unknown');
});

test('a workspace’s own data is due under a contract, with no statutory clock', () => {
  const term = contractualTerm('access', new Date('2026-03-03T23:30:00Z'), 'Asia/Tokyo');
  expect(term).toMatchObject({ law: 'contract', jurisdiction: null, receivedOn: '2026-03-04', dueOn: null });
});

describe('the earliest deadline', () => {
  const germany = received('2026-03-02', 'DE');
  const brazil = received('2026-03-02', 'BR');
  const contract = contractualTerm('access', new Date('2026-03-02T12:00:00Z'));

  test('is the first date over all parts, and what is never due never wins', () => {
    expect(earliestDeadline([contract, germany, brazil])).toBe(brazil);
    expect(earliestDeadline([germany, contract])).toBe(germany);
    expect(earliestDeadline([contract])).toBe(contract);
    expect(earliestDeadline([])).toBeNull();
  });
});

describe('an extension', () => {
  test('under the GDPR ends three months from receipt, not two from the last day', () => {
    const clock = received('2025-01-31', 'DE');
    expect(clock.dueOn).toBe('2025-02-28');
    expect(extendedDeadline(clock, '2025-02-28').dueOn).toBe('2025-04-30');
  });

  test.each([
    ['US-CA', '2026-03-02', '2026-05-31'],
    ['CA', '2027-02-01', '2027-04-02'],
    ['SA', '2027-02-01', '2027-04-02'],
  ])('doubles the days in %s', (jurisdiction, on, dueOn) => {
    expect(extendedDeadline(received(on, jurisdiction), on)).toMatchObject({ dueOn, extended: true });
  });

  test('is refused on the day after the deadline', () => {
    expect(codeOf(() => extendedDeadline(received('2025-01-31', 'DE'), '2025-03-01'))).toBe(
      'deadline.extension_too_late',
    );
  });

  test('is given once', () => {
    const extended = extendedDeadline(received('2025-01-31', 'DE'), '2025-02-10');
    expect(codeOf(() => extendedDeadline(extended, '2025-02-11'))).toBe('deadline.extended_already');
  });

  test.each(['BR', 'BH', 'JP'])('is not known in %s', (jurisdiction) => {
    expect(codeOf(() => extendedDeadline(received('2025-01-31', jurisdiction), '2025-02-01'))).toBe(
      'deadline.not_extendable',
    );
  });
});

describe('a pause', () => {
  const clock = received('2026-03-02', 'DE'); // due on 2 April

  test('moves the deadline by the days it lasted', () => {
    const resumed = resumedDeadline(pausedDeadline(clock, '2026-03-10'), '2026-03-15');
    expect(resumed).toMatchObject({
      dueOn: '2026-04-07',
      pauses: [{ from: '2026-03-10', until: '2026-03-15' }],
    });
  });

  test('is added before the weekend is skipped, not after', () => {
    const weekend = received('2026-02-28', 'DE');
    expect(weekend.dueOn).toBe('2026-03-30'); // from Saturday 28 March
    expect(resumedDeadline(pausedDeadline(weekend, '2026-03-10'), '2026-03-13').dueOn).toBe('2026-03-31');
  });

  test('lets the first period end later, for the extension too', () => {
    const paused = pausedDeadline(clock, '2026-04-01');
    expect(dueOnAt(paused, '2026-04-10')).toBe('2026-04-13'); // Saturday 11 April moves to Monday
    const extended = extendedDeadline(paused, '2026-04-10');
    expect(resumedDeadline(extended, '2026-04-11').dueOn).toBe('2026-06-12'); // 2 June and ten days
  });

  test('of no days changes nothing', () => {
    expect(resumedDeadline(pausedDeadline(clock, '2026-03-10'), '2026-03-10').dueOn).toBe(clock.dueOn);
  });

  test('is refused where verification never stops the clock', () => {
    expect(codeOf(() => pausedDeadline(received('2026-03-02', 'US-CA'), '2026-03-03'))).toBe(
      'deadline.not_pausable',
    );
  });

  test('cannot begin twice, after the deadline, or end before it began or without beginning', () => {
    const paused = pausedDeadline(clock, '2026-03-10');
    expect(codeOf(() => pausedDeadline(paused, '2026-03-11'))).toBe('deadline.paused_already');
    expect(codeOf(() => pausedDeadline(clock, '2026-04-03'))).toBe('deadline.pause_too_late');
    expect(codeOf(() => resumedDeadline(paused, '2026-03-09'))).toBe('deadline.resumed_too_early');
    expect(codeOf(() => resumedDeadline(clock, '2026-03-09'))).toBe('deadline.not_paused');
  });
});

test('decisions close DUE_MARGIN before the deadline', () => {
  expect(decisionsCloseOn('2026-03-02', { days: 3 })).toBe('2026-02-27');
});

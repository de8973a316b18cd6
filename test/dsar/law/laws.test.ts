import { describe, expect, test } from '@jest/globals';
import Holidays from 'date-holidays';
import { IANAZone } from 'luxon';
import { lawIds as configurable } from '../../../src/config.js';
import { type Rule } from '../../../src/dsar/law/law.js';
import { isLawId, lawIds, laws } from '../../../src/dsar/law/laws.js';
import { placeOf, places } from '../../../src/dsar/law/places.js';

const everyLaw = Object.values(laws);
const everyPlace = [...places.values()];

/** Every rule of a law by name, so that a failure says which one lacks what. */
const rulesOf = (law: (typeof everyLaw)[number]): [string, Rule][] => [
  [`${law.id} access`, law.response.access],
  [`${law.id} deletion`, law.response.deletion],
  [`${law.id} rollover`, law.rollover],
  [`${law.id} identity in doubt`, law.identityDoubt],
  ...(law.acknowledgement ? [[`${law.id} acknowledgement`, law.acknowledgement] as [string, Rule]] : []),
  ...(law.extension ? [[`${law.id} extension`, law.extension] as [string, Rule]] : []),
];

describe('the laws', () => {
  test('the laws that configuration may enable are the laws there are', () => {
    expect(new Set(lawIds)).toEqual(new Set(configurable));
    expect(isLawId('gdpr')).toBe(true);
    expect(isLawId('toString')).toBe(false);
  });

  test.each(everyLaw.flatMap(rulesOf))(
    '%s says what it says, where that stands, and whether it was checked',
    (_name, rule) => {
      expect(rule.source.length).toBeGreaterThan(10);
      expect(rule.text).toMatch(/\.$/);
      expect(typeof rule.verified).toBe('boolean');
    },
  );

  test.each(everyLaw)('$id knows itself by its own id, and its home is a place where it applies', (law) => {
    expect(laws[law.id]).toBe(law);
    expect(placeOf(law.home)?.law).toBe(law.id);
  });

  test('an extension is counted in the unit of the period it extends', () => {
    for (const { response, extension } of everyLaw) {
      if (!extension) continue;
      expect([response.access.within.unit, response.deletion.within.unit]).toEqual([
        extension.by.unit,
        extension.by.unit,
      ]);
    }
  });

  test('a number that the law does not name is called our own target', () => {
    expect(laws['jp-appi'].response.access.ownTarget).toBe(true);
    expect(laws.lgpd.response.deletion.ownTarget).toBe(true);
  });

  test('Bahraini terms are shown as unverified', () => {
    expect(laws['bh-pdpl'].response.access.verified).toBe(false);
    expect(laws['bh-pdpl'].response.deletion.verified).toBe(false);
  });
});

describe('the places', () => {
  test('the GDPR applies in the 27 member states, the three EEA states, and where only the Union is known', () => {
    expect(everyPlace.filter(({ law }) => law === 'gdpr')).toHaveLength(27 + 3 + 1);
  });

  test.each(everyPlace)(
    '$code lies in a real time zone, names its authority, and has holidays that exist',
    (place) => {
      expect(IANAZone.isValidZone(place.zone)).toBe(true);
      if (place.code !== 'EU') expect(place.authority).toMatch(/^the /);
      if (!place.holidays) return;
      const { country, state } = place.holidays;
      const calendar = state ? new Holidays(country, state) : new Holidays(country);
      expect(calendar.getHolidays(2026).length).toBeGreaterThan(5);
    },
  );

  test('the weekend of the Gulf is Friday and Saturday', () => {
    expect([placeOf('BH')?.weekend, placeOf('SA')?.weekend]).toEqual([
      [5, 6],
      [5, 6],
    ]);
  });

  test.each([
    ['de', 'DE'],
    [' US-CA ', 'US-CA'],
    ['US-NY', 'US'],
    ['DE-BY', 'DE'],
    ['uk', 'GB'],
    ['EL', 'GR'],
    ['ATLANTIS', undefined],
    ['', undefined],
    [null, undefined],
  ])('%p is read as %p', (written, code) => {
    expect(placeOf(written)?.code).toBe(code);
  });
});

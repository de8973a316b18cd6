import { expect, test } from '@jest/globals';
import { isFresh } from '../../src/dsar/proof/fresh-sign-in.js';

const now = new Date('2026-11-21T12:00:00Z');
const ago = (ms: number) => isFresh({ authTime: new Date(now.getTime() - ms) }, now);

test('a sign-in is fresh for ten minutes, and for the minute that two clocks may differ', () => {
  expect([ago(0), ago(599_999), ago(600_000)]).toEqual([true, true, false]);
  expect([ago(-60_000), ago(-60_001), ago(-365 * 86_400_000)]).toEqual([true, false, false]);
});

test('nobody is fresh of whom no sign-in is known', () => {
  expect(isFresh({}, now)).toBe(false);
});

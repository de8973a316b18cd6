import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DeletionCrashRounds } from './deletion-crash-rounds.js';

describe('a worker is killed (kill -9) while it deletes a person', () => {
  let rounds: DeletionCrashRounds;
  beforeAll(async () => {
    rounds = await DeletionCrashRounds.open('coarse');
  });
  afterAll(() => rounds.close());

  test('wherever it was, another one finishes it: one mail, one certificate, one pseudonym, and nobody else touched', async () => {
    const whole = await rounds.killAtStep(Number.MAX_SAFE_INTEGER);
    expect(whole.diedAt).toBeUndefined();
    await rounds.expectErasedOnce(whole);
    // What that one has left to staff would be overdue in the middle of the next round.
    rounds.desk.clock.advance(24 * 3_600_000 - 3 * 60_000);
    const { steps } = whole;
    const all = (name: string): number[] =>
      steps.flatMap((step, index) => (step === name ? [index + 1] : []));
    const at = (name: string, share: number): number => {
      const places = all(name);
      expect(places.length).toBeGreaterThan(0);
      return places[Math.round((places.length - 1) * share)] as number;
    };
    // The worst of them; deletion-crash.deep.test.ts takes every step there is.
    const choice = [
      at('eraser: before COMMIT', 0.5),
      at('eraser: after COMMIT', 0.8),
      at('store: files gone, and nobody told', 0),
      at('own-data: after COMMIT', 0.3),
      at('store: stored, and nobody told', 0), // the ledger knows
      at('deletion-fulfilment: before COMMIT', 1), // certificate, suppression, letter, fulfilled
      at('mail: sent, and nobody told', 0),
    ];
    for (const n of choice) {
      const round = await rounds.killAtStep(n);
      expect(round.diedAt).toBe(steps[n - 1]);
      await rounds.recover(round);
      await rounds.expectErasedOnce(round);
    }
  }, 240_000);
});

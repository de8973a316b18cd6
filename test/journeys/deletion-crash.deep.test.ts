import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DeletionCrashRounds } from './deletion-crash-rounds.js';

describe('a worker is killed (kill -9) while it deletes a person, in full', () => {
  let rounds: DeletionCrashRounds;
  beforeAll(async () => {
    rounds = await DeletionCrashRounds.open('coarse');
  });
  afterAll(() => rounds.close());

  test('at every step there is: before and after each COMMIT, in the store, in the ledger, in the mail', async () => {
    let n = 1;
    for (; ; n += 1) {
      const round = await rounds.killAtStep(n);
      await rounds.recover(round);
      await rounds.expectErasedOnce(round).catch((error: unknown) => {
        throw new Error(`killed at step ${n}: ${round.diedAt ?? 'none'}`, { cause: error });
      });
      if (round.diedAt === undefined) break;
    }
    expect(n).toBeGreaterThan(100);
  }, 2_400_000);
});

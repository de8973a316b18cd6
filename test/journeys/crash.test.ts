import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CrashRounds } from './crash-rounds.js';

describe('a worker is killed (kill -9) while it fulfils an access request', () => {
  let rounds: CrashRounds;
  beforeAll(async () => {
    rounds = await CrashRounds.open('coarse');
  });
  afterAll(() => rounds.close());

  // crash.deep.test.ts kills it at every step there is.
  test.each([
    [6, 'in the middle of a COPY'],
    [12, 'store: stored, and nobody told'],
    [14, 'access-fulfilment: after COMMIT'], // ready, link, letter, fulfilled
    [19, 'mail: sent, and nobody told'],
  ])(
    'at step %d, %s: another one finishes it: one package, one mail, one event, a link that works',
    async (n, step) => {
      const { requestId, diedAt } = await rounds.killAtStep(n);
      expect(diedAt).toBe(step);
      await rounds.loseTheQueue();
      await rounds.recover(requestId);
      await rounds.expectExactlyOnce(requestId);
    },
    120_000,
  );
});

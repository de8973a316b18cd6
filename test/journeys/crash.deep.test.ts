import { afterEach, describe, expect, test } from '@jest/globals';
import { CrashRounds } from './crash-rounds.js';

describe('a worker is killed (kill -9) while it fulfils an access request, in full', () => {
  let rounds: CrashRounds;
  afterEach(() => rounds.close());

  test('at every step there is: every transaction, every COPY, every piece of the upload, every mail', async () => {
    rounds = await CrashRounds.open('fine');
    let n = 1;
    for (; ; n += 1) {
      const { requestId, diedAt } = await rounds.killAtStep(n);
      await rounds.loseTheQueue();
      await rounds.recover(requestId);
      await rounds.expectExactlyOnce(requestId);
      if (diedAt === undefined) break;
    }
    expect(n).toBeGreaterThan(30);
  }, 1_200_000);

  test('with nobody to help: the queue itself notices that the worker is gone and hands its job on', async () => {
    rounds = await CrashRounds.open('coarse');
    const { requestId, diedAt } = await rounds.killAtStep(6);
    expect(diedAt).toBe('in the middle of a COPY');
    const died = Date.now();
    await rounds.recover(requestId, 90_000);
    await rounds.expectExactlyOnce(requestId);
    expect(Date.now() - died).toBeLessThan(90_000);
  }, 240_000);
});

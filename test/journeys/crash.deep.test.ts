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

  test('at every kind of step, by name', async () => {
    rounds = await CrashRounds.open('coarse');
    const steps: string[] = [];
    for (let n = 1; ; n += 1) {
      const { requestId, diedAt } = await rounds.killAtStep(n);
      await rounds.loseTheQueue();
      await rounds.recover(requestId);
      await rounds.expectExactlyOnce(requestId);
      if (diedAt === undefined) break;
      steps.push(diedAt);
    }
    // Not the source of the list but its witness: a step that vanishes from the work should be missed here.
    expect(steps).toEqual([
      'access-fulfilment: before COMMIT', // the request starts, the package has its row
      'access-fulfilment: after COMMIT',
      'access-fulfilment: before COMMIT', // whose data, of which places
      'access-fulfilment: after COMMIT',
      'store: before the first byte',
      'in the middle of a COPY',
      'export: before COMMIT',
      'export: after COMMIT',
      'store: an attachment',
      'store: in the middle of the upload',
      'store: everything read, not yet stored',
      'store: stored, and nobody told',
      'access-fulfilment: before COMMIT', // ready, link, letter, fulfilled
      'access-fulfilment: after COMMIT',
      'access-fulfilment: done, and the queue not told',
      'mail: before COMMIT', // claimed
      'mail: after COMMIT',
      'mail: before it is sent',
      'mail: sent, and nobody told',
      'mail: before COMMIT', // settled
      'mail: after COMMIT',
      'mail-delivery: done, and the queue not told',
    ]);
  }, 480_000);

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

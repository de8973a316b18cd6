import { expect, test } from '@jest/globals';
import { SweepRegistry } from '../../src/jobs/sweep-registry.js';

test('a sweep that fails does not keep the others from running', async () => {
  const sweeps = new SweepRegistry();
  const ran: string[] = [];
  sweeps.register('one', () => Promise.reject(new Error('no')));
  sweeps.register('two', () => Promise.resolve(ran.push('two')));
  expect(await sweeps.runAll()).toEqual([{ name: 'one', error: new Error('no') }, { name: 'two' }]);
  expect(ran).toEqual(['two']);
});

test('a round that still runs is not run a second time beside itself', async () => {
  const sweeps = new SweepRegistry();
  let finish: () => void = () => undefined;
  let rounds = 0;
  sweeps.register('slow', () => {
    rounds += 1;
    return new Promise<void>((resolve) => (finish = resolve));
  });
  const first = sweeps.runAll();
  expect(await sweeps.runAll()).toEqual([{ name: 'slow', skipped: true }]);
  finish();
  expect(await first).toEqual([{ name: 'slow' }]);
  expect(rounds).toBe(1);
});

test('two sweeps of one name are a mistake', () => {
  const sweeps = new SweepRegistry();
  sweeps.register('one', () => Promise.resolve());
  expect(() => sweeps.register('one', () => Promise.resolve())).toThrow('one');
});

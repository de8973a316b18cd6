import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { systemTenancy } from '../../src/database/tenancy.js';
import { type JobRef, Queue } from '../../src/jobs/queue.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';

const tenant = '10000000-0000-4000-8000-000000000001';
const job = { tenant, id: '10000000-0000-4000-8000-00000000000a' };

describe('the queue', () => {
  let db: TestDatabase;
  const queues: Queue[] = [];
  beforeAll(async () => {
    db = await createDatabase();
  });
  afterEach(() => Promise.all(queues.splice(0).map((queue) => queue.stop())));
  afterAll(() => db.drop());

  const start = async (name: string, handler: (job: JobRef) => Promise<void>) => {
    const queue = new Queue(db.database, { onError: (error) => expect(error).toBeUndefined() });
    queue.register(name, handler);
    await queue.start();
    queues.push(queue);
    return queue;
  };
  const enqueue = (queue: Queue, name: string, fail = false) =>
    db.database.within(systemTenancy(tenant, 'test'), async (tx) => {
      await queue.enqueue(tx, name, job);
      if (fail) throw new Error('rolled back');
    });

  test('runs what was committed and nothing that was rolled back', async () => {
    const done: JobRef[] = [];
    const queue = await start('commits', (ref) => Promise.resolve(void done.push(ref)));
    await expect(enqueue(queue, 'commits', true)).rejects.toThrow('rolled back');
    await enqueue(queue, 'commits');
    await eventually(() => done.length > 0);
    expect(done).toEqual([job]);
  });

  test('keeps one job per id, however often it is asked and by however many', async () => {
    let running = 0;
    let most = 0;
    let finish: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (finish = resolve));
    const handler = async () => {
      most = Math.max(most, ++running);
      await gate;
      running--;
    };
    const first = await start('one-at-a-time', handler);
    const second = await start('one-at-a-time', handler);
    for (let i = 0; i < 5; i++)
      await Promise.all([enqueue(first, 'one-at-a-time'), enqueue(second, 'one-at-a-time')]);
    await eventually(() => running === 1);
    finish();
    await eventually(() => running === 0);
    expect(most).toBe(1);
  });

  test('tries again when a handler throws', async () => {
    let tries = 0;
    const queue = await start('retries', () =>
      ++tries === 1 ? Promise.reject(new Error('once')) : Promise.resolve(),
    );
    await enqueue(queue, 'retries');
    await eventually(() => tries === 2, 20_000);
  });
});

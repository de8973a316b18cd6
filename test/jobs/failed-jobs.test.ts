import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { systemTenancy } from '../../src/database/tenancy.js';
import { DomainError } from '../../src/errors.js';
import { Queue } from '../../src/jobs/queue.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';

const tenant = '10000000-0000-4000-8000-000000000001';
const jobs = {
  'fails-in-sql': '20000000-0000-4000-8000-000000000001',
  'fails-in-words': '20000000-0000-4000-8000-000000000002',
};

let db: TestDatabase;
let queue: Queue;
const heard: Error[] = [];
beforeAll(async () => {
  db = await createDatabase();
  queue = new Queue(db.database, { onError: (error) => heard.push(error) });
  queue.register('fails-in-sql', () =>
    db.database.within(systemTenancy(tenant, 'test'), async (tx) => {
      await tx.query('select 1 / (length($1) - 17)', ['maria@example.org']);
    }),
  );
  queue.register('fails-in-words', () =>
    Promise.reject(new DomainError('storage.full', 'The disk is full.')),
  );
  await queue.start();
});
afterAll(async () => {
  await queue.stop();
  await db.drop();
});

test('of a job that fails the queue keeps a code and our own words, and no value; the operator hears of it', async () => {
  for (const [name, id] of Object.entries(jobs))
    await db.database.within(systemTenancy(tenant, 'test'), (tx) => queue.enqueue(tx, name, { tenant, id }));
  const kept = await eventually(async () => {
    const rows = await db.behindTheScenes<{ name: string; output: { message: string } }>(
      `select name, output from habeas_jobs.job where state = 'retry' order by name`,
    );
    return rows.length === 2 ? rows : undefined;
  });
  expect(kept.map(({ output }) => output.message)).toEqual(['22012', 'storage.full: The disk is full.']);
  expect(JSON.stringify(kept)).not.toContain('maria');
  expect(heard).toHaveLength(2);
});

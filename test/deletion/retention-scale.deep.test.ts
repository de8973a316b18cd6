import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Database } from '../../src/database/database.js';
import { Forum } from './retention-forum.js';

const OLD = '2026-10-21 12:00:00';

let forum: Forum;
beforeEach(async () => {
  forum = await Forum.open();
});
afterEach(() => forum.close());

const count = async (table: string) =>
  Number((await forum.sql<{ n: string }>(`select count(*) as n from ${table}`))[0]?.n);

/** Milliseconds of one run, and of its longest transaction. */
const timedRun = async () => {
  let longest = 0;
  const real = forum.foreign.database.database;
  const within: Database['within'] = async (...its) => {
    const started = performance.now();
    try {
      return await real.within(...its);
    } finally {
      longest = Math.max(longest, performance.now() - started);
    }
  };
  const started = performance.now();
  await forum.run(Object.assign(Object.create(real) as Database, { within }));
  return { took: performance.now() - started, longest };
};

/** Milliseconds of one plain DELETE of the same rows, which is rolled back: what Postgres itself needs. */
const plainDelete = async (table: string) => {
  const started = performance.now();
  await forum.sql(`do $$ begin delete from ${table}; raise exception 'back'; end $$`).catch(() => undefined);
  return performance.now() - started;
};

const told = (what: string, figures: Record<string, number>) =>
  process.stderr.write(
    `${what}: ${Object.entries(figures)
      .map(([name, n]) => `${name} ${Math.round(n)} ms`)
      .join(', ')}\n`,
  );

describe('threads', () => {
  test('one of 10,000 levels goes without an index on what they answer', async () => {
    await forum.sql(
      `insert into forum.post select 1, n, 1, $1, case when n > 1 then 1 end, nullif(n - 1, 0) from generate_series(1, 10000) n`,
      [OLD],
    );
    const plain = await plainDelete('forum.post');
    const { took, longest } = await timedRun();
    told('10,000 levels', { plain, took, longest });
    expect(await count('forum.post')).toBe(0);
    expect(await forum.failures()).toEqual([]);
    expect(took).toBeLessThan(6 * plain + 10_000);
  }, 120_000);

  test('100,000 rows in flat threads go, with an index, in short transactions', async () => {
    await forum.sql(
      `insert into forum.post select 1, n, 1, $1, case when n % 10 > 0 then 1 end, case when n % 10 > 0 then n - n % 10 end
       from generate_series(10, 100009) n`,
      [OLD],
    );
    await forum.sql('create index on forum.post (to_board, to_no)');
    const plain = await plainDelete('forum.post');
    const { took, longest } = await timedRun();
    told('100,000 in flat threads, with an index', { plain, took, longest });
    expect(await count('forum.post')).toBe(0);
  }, 240_000);
});

describe('a room with a million messages', () => {
  test('goes in short transactions, the room last', async () => {
    await forum.sql(`insert into forum.room values (1, '2026-11-01Z')`);
    await forum.sql(
      'insert into forum.message select n, 1, 1 + n % 2, null from generate_series(1, 1000000) n',
    );
    await forum.sql(`insert into forum.paper select n, n, 'p/' || n from generate_series(1, 1000) n`);
    await forum.sql('create index on forum.message (room)');
    await forum.sql('create index on forum.message (answers)');
    await forum.sql('analyze');
    const { took, longest } = await timedRun();
    told('a million', { took, longest });
    expect(await forum.failures()).toEqual([]);
    expect([await count('forum.room'), await count('forum.message'), await count('forum.paper')]).toEqual([
      0, 0, 0,
    ]);
  }, 600_000);
});

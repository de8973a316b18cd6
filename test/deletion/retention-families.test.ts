import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { type Database } from '../../src/database/database.js';
import { Forum } from './retention-forum.js';

const OLD = '2026-10-21 12:00:00';
const YOUNG = '2026-10-21 12:00:01';

let forum: Forum;
beforeEach(async () => {
  forum = await Forum.open();
});
afterEach(() => forum.close());

const count = async (from: string) =>
  Number((await forum.sql<{ n: string }>(`select count(*) as n from ${from}`))[0]?.n);
const told = async () =>
  (await forum.sql(`select metadata from habeas.events where action = 'retention.swept'`)).map(
    ({ metadata }) => metadata.collections,
  );

/** A run in which something is done after each of its transactions; when that says so, nothing is ever done again. */
const runDoing = (act: () => Promise<unknown>) => {
  const real = forum.foreign.database.database;
  let dead = false;
  const within: Database['within'] = async (...its) => {
    if (dead) throw new Error('killed');
    const done = await real.within(...its);
    dead = (await act()) === 'die';
    return done;
  };
  return forum.run(Object.assign(Object.create(real) as Database, { within }));
};

describe('a room with 3,000 messages, some with papers', () => {
  beforeEach(async () => {
    await forum.sql(`insert into forum.room values (1, '2026-11-01Z'), (2, null)`);
    await forum.sql(`insert into forum.message select n, 1, 1, null from generate_series(1, 3000) n`);
    await forum.sql('insert into forum.message values (4000, 2, 1, null)');
    await forum.sql(`insert into forum.paper select n, n, 'p/' || n from generate_series(1, 3) n`);
    await forum.sql('create index on forum.message (room); create index on forum.message (answers)');
    for (const n of [1, 2, 3]) await forum.store('papers', `p/${n}`);
  });
  const left = async () => [await count('forum.room'), await count('forum.message where room = 1')];

  test('goes batch by batch, the room last, and is told once', async () => {
    const seen: number[][] = [];
    await runDoing(async () => void seen.push(await left()));
    expect(await left()).toEqual([1, 0]);
    expect(await count('forum.message')).toBe(1);
    const between = seen.filter(([, messages]) => Number(messages) > 0 && Number(messages) < 3000);
    expect(between.length).toBeGreaterThan(1);
    // The room is there as long as one of its messages is.
    expect(between.every(([rooms]) => rooms === 2)).toBe(true);
    expect(await forum.stores.bucket('papers').stat('p/2')).toBeNull();
    expect(await told()).toEqual([
      { rooms: { rows: 1 }, messages: { rows: 3000 }, papers: { rows: 3, files: 3 } },
    ]);
    expect(await forum.failures()).toEqual([]);
  });

  test('keeps what is left of it from the moment at which somebody in it is held', async () => {
    await forum.sql('update forum.message set author = 2 where id > 2990');
    let kept: number[] | undefined;
    await runDoing(async () => {
      const [rooms, messages] = await left();
      if (kept || Number(messages) === 3000 || rooms === 1) return;
      await forum.hold('person', '2');
      kept = await left();
    });
    expect(kept).toBeDefined();
    expect(await left()).toEqual(kept);
    expect(await count('forum.message where room = 1 and author = 2')).toBe(10);
  });

  test('keeps what somebody who is held writes into it meanwhile, and so the room', async () => {
    await forum.hold('person', '2');
    let written = false;
    await runDoing(async () => {
      const [rooms, messages] = await left();
      if (written || Number(messages) === 3000 || rooms === 1) return;
      written = true;
      // So that it lies where the next batch looks first.
      await forum.sql('vacuum forum.message');
      await forum.sql('insert into forum.message values (6000, 1, 2, null)');
    });
    expect(written).toBe(true);
    expect((await left())[0]).toBe(2);
    expect(await count('forum.message where id = 6000')).toBe(1);
  });

  test('killed between two batches, the next run takes the rest', async () => {
    let batches = 0;
    const dying = runDoing(async () => {
      const [, messages] = await left();
      return Number(messages) < 3000 && ++batches === 2 ? 'die' : undefined;
    });
    await expect(dying).rejects.toThrow('killed');
    const [rooms, messages] = await left();
    expect([rooms, Number(messages) > 0 && Number(messages) < 3000]).toEqual([2, true]);
    await forum.run();
    expect(await left()).toEqual([1, 0]);
    expect((await told()).at(-1)).toMatchObject({ rooms: { rows: 1 } });
    expect(await count('habeas.erasure_files')).toBe(0);
  });

  test('goes as a whole where its messages answer each other in a circle', async () => {
    await forum.sql(
      'update forum.message set answers = case when id = 3000 then 1 else id + 1 end where room = 1',
    );
    await forum.run();
    expect(await left()).toEqual([1, 0]);
    expect(await forum.failures()).toEqual([]);
  });

  test('is put off where all that could go ahead is locked by others, and is not tried at once', async () => {
    const real = forum.foreign.database.database;
    const tries: string[] = [];
    const within: Database['within'] = (tenancy, work, options) =>
      real.within(
        tenancy,
        (tx) => {
          const query = tx.query.bind(tx);
          tx.query = (text, values) => {
            if (/locked as \(|delete from "?forum/.test(text)) tries.push(text);
            return query(text, values);
          };
          return work(tx);
        },
        options,
      );
    const watched = Object.assign(Object.create(real) as Database, { within });
    const client = new pg.Client({ connectionString: forum.foreign.database.ownerUrl });
    await client.connect();
    try {
      await client.query('begin');
      await client.query('select from forum.message where room = 1 for update');
      await forum.run(watched);
      expect(await left()).toEqual([2, 3000]);
      expect(tries).toEqual([]);
      expect(await forum.failures()).toEqual([]);
    } finally {
      await client.query('rollback');
      await client.end();
    }
    await forum.run(watched);
    expect(await left()).toEqual([1, 0]);
    expect(tries.length).toBeGreaterThan(1);
  });

  test('loses no message that an answer elsewhere hangs from', async () => {
    await forum.sql('insert into forum.message values (5000, 2, 1, 7)');
    await forum.run();
    expect(await left()).toEqual([2, 3000]);
  });
});

describe('threads of many levels, without an index', () => {
  const chain = (from: number, levels: number) =>
    forum.sql(
      `insert into forum.post select 1, n, 1, $1, case when n > $2 then 1 end, case when n > $2 then n - 1 end
       from generate_series($2::int, $2::int + $3::int - 1) n`,
      [OLD, from, levels],
    );
  const posts = () => forum.sql<{ no: number }>('select no from forum.post order by 1');

  test('go in few batches, with what hangs from them, and leave what a young answer needs', async () => {
    await chain(1, 1500);
    await chain(2001, 300);
    await forum.sql(`insert into forum.post values (1, 2500, 1, $1, 1, 2150)`, [YOUNG]);
    await forum.sql(`insert into forum.drawing values (1, 1, 700, 'd/1')`);
    await forum.store('drawings', 'd/1');
    let transactions = 0;
    await runDoing(() => Promise.resolve((transactions += 1)));
    const left = (await posts()).map(({ no }) => no);
    expect(left).toEqual([...Array.from({ length: 150 }, (_, n) => 2001 + n), 2500]);
    expect(await forum.stores.bucket('drawings').stat('d/1')).toBeNull();
    expect(await told()).toEqual([{ posts: { rows: 1650 }, drawings: { rows: 1, files: 1 } }]);
    // One level each would be 1,650.
    expect(transactions).toBeLessThan(200);
    expect(await forum.failures()).toEqual([]);
  });

  test('a row in one that a strange table holds is named, and only what it answers stays', async () => {
    await chain(1, 60);
    await forum.sql(
      'create table forum.pin (board int, no int, foreign key (board, no) references forum.post)',
    );
    await forum.sql('insert into forum.pin values (1, 30)');
    await forum.run();
    expect((await posts()).length).toBe(30);
    expect(await forum.failures()).toEqual([
      { collection: 'posts', code: 'erasure.blocked_by_constraint', reason: expect.stringContaining('pin_board_no_fkey') },
    ]); // prettier-ignore
  });
});

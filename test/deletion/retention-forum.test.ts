import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { type Database } from '../../src/database/database.js';
import { type UnitOfWork } from '../../src/database/unit-of-work.js';
import { eventually } from '../support/eventually.js';
import { Forum } from './retention-forum.js';

const OLD = '2026-10-21 12:00:00';
const YOUNG = '2026-10-21 12:00:01';

let forum: Forum;
beforeEach(async () => {
  forum = await Forum.open();
});
afterEach(() => forum.close());

const post = (no: number, posted: string, to?: number) =>
  forum.sql('insert into forum.post values (1, $1, 1, $2, $3, $4)', [no, posted, to === undefined ? null : 1, to ?? null]); // prettier-ignore
const answer = (no: number, to: number) =>
  forum.sql('update forum.post set to_board = 1, to_no = $2 where no = $1', [no, to]);
const posts = async () =>
  (await forum.sql<{ no: number }>('select no from forum.post order by 1')).map(({ no }) => no);
const told = async () =>
  (await forum.sql(`select metadata from habeas.events where action = 'retention.swept'`)).map(
    ({ metadata }) => metadata.collections,
  );

describe('on a host without tenants', () => {
  test('times without a zone are UTC, days are over when they have ended, and partitions are swept like tables', async () => {
    await post(1, OLD);
    await post(2, YOUNG);
    await forum.sql(
      `insert into forum.visit values (1, '2026-10-20', 'a'), (1, '2026-10-21', 'a'), (1, '2026-11-02', 'a')`,
    );
    await forum.run();
    expect(await posts()).toEqual([2]);
    expect(await forum.sql('select day::text from forum.visit order by 1')).toEqual([
      { day: '2026-10-21' },
      { day: '2026-11-02' },
    ]);
    // Rows of two partitions may lie at the same place in their files.
    forum.clock.set('2026-12-02T12:00:00Z');
    await forum.run();
    expect(await forum.sql('select day::text from forum.visit')).toEqual([{ day: '2026-11-02' }]);
    expect(await told()).toEqual([
      { posts: { rows: 1 }, visits: { rows: 1 } },
      { posts: { rows: 1 }, visits: { rows: 1 } },
    ]);
    expect(await forum.failures()).toEqual([]);
  });

  test('a file goes with the row that hangs by a composite key', async () => {
    await post(1, OLD);
    await post(2, YOUNG);
    for (const no of [1, 2]) {
      await forum.store('drawings', `d/${no}`);
      await forum.sql(`insert into forum.drawing values ($1, 1, $1, $2)`, [no, `d/${no}`]);
    }
    await forum.run();
    expect(await forum.ids('forum.drawing')).toEqual([2]);
    const store = forum.stores.bucket('drawings');
    expect([await store.stat('d/1'), await store.stat('d/2')]).toEqual([null, expect.anything()]);
  });

  test('the last comment that a ticket points to takes no ticket along', async () => {
    await forum.sql(`insert into forum.ticket values (1, 1)`);
    await forum.sql(`insert into forum.comment values (1, 1, $1), (2, 1, $1)`, [`${OLD}+00`]);
    await forum.sql('update forum.ticket set last_comment = 2');
    await forum.run();
    expect([await forum.ids('forum.ticket'), await forum.ids('forum.comment')]).toEqual([[1], [2]]);
    expect(await forum.failures()).toEqual([]);
    await forum.sql('update forum.ticket set last_comment = null');
    await forum.run();
    expect([await forum.ids('forum.ticket'), await forum.ids('forum.comment')]).toEqual([[1], []]);
  });
});

describe('posts that answer each other', () => {
  test('a thread that is over goes whole; one that somebody still answers stays as far as the answer leads', async () => {
    for (const [no, to] of [[1], [2, 1], [3, 2], [4], [5, 4], [7, 4]]) await post(no as number, OLD, to);
    await post(6, YOUNG, 5);
    await forum.run();
    expect(await posts()).toEqual([4, 5, 6]);
    expect(await told()).toEqual([{ posts: { rows: 4 } }]);
    expect(await forum.failures()).toEqual([]);
  });

  test('a circle that is over goes as one, with what answers it and what it answers', async () => {
    for (const no of [1, 2, 3]) await post(no, OLD, no === 1 ? undefined : no - 1);
    await answer(1, 3);
    await post(4, OLD, 2); // hangs from it
    await post(5, OLD);
    await post(6, OLD, 5);
    await answer(5, 6); // another one
    await post(7, OLD, 7); // itself
    await forum.run();
    expect(await posts()).toEqual([]);
    expect(await told()).toEqual([{ posts: { rows: 7 } }]);
    expect(await forum.failures()).toEqual([]);
  });

  test('a circle in which one is young, or that a young one answers, stays whole', async () => {
    await post(1, OLD);
    await post(2, YOUNG, 1);
    await answer(1, 2);
    await post(3, OLD);
    await post(4, OLD, 3);
    await answer(3, 4);
    await post(5, YOUNG, 4);
    await forum.run();
    expect(await posts()).toEqual([1, 2, 3, 4, 5]);
    expect(await forum.failures()).toEqual([]);
  });

  test('a circle that a strange table holds is named once, and the other circles go', async () => {
    for (const no of [1, 3, 5]) {
      await post(no, OLD);
      await post(no + 1, OLD, no);
      await answer(no, no + 1);
    }
    await forum.sql(
      'create table forum.pin (board int, no int, foreign key (board, no) references forum.post)',
    );
    await forum.sql('insert into forum.pin values (1, 4)');
    await forum.run();
    expect(await posts()).toEqual([3, 4]);
    expect(await forum.failures()).toEqual([
      { collection: 'posts', code: 'erasure.blocked_by_constraint', reason: expect.stringContaining('pin_board_no_fkey') },
    ]); // prettier-ignore
  });

  test('100 circles of 30 go', async () => {
    await forum.sql(`insert into forum.post select 1, n, 1, $1 from generate_series(1, 3000) n`, [OLD]);
    await forum.sql(
      `update forum.post set to_board = 1, to_no = case when no % 30 = 0 then no - 29 else no + 1 end`,
    );
    await forum.sql('create index on forum.post (to_board, to_no)');
    await forum.sql('analyze forum.post');
    await forum.run();
    expect((await posts()).length).toBe(0);
  });
});

describe('a room that is over', () => {
  beforeEach(async () => {
    await forum.sql(`insert into forum.room values (1, '2026-11-01Z'), (2, null)`);
    await forum.sql('insert into forum.message values (1, 1, 1, null), (2, 1, 2, 1), (3, 2, 1, null)');
    await forum.sql(`insert into forum.paper values (1, 2, 'p/1'), (3, 3, 'p/3')`);
    for (const path of ['p/1', 'p/2', 'p/3']) await forum.store('papers', path);
  });
  const isThere = async (path: string) => (await forum.stores.bucket('papers').stat(path)) !== null;

  test('goes with its answers and their papers', async () => {
    await forum.run();
    expect(await forum.failures()).toEqual([]);
    expect([await forum.ids('forum.room'), await forum.ids('forum.message'), await forum.ids('forum.paper')]).toEqual([[2], [3], [3]]); // prettier-ignore
    expect([await isThere('p/1'), await isThere('p/3')]).toEqual([false, true]);
  });

  test('stays when an answer in another room would be taken along', async () => {
    await forum.sql('update forum.message set answers = 2 where id = 3');
    await forum.run();
    expect([await forum.ids('forum.room'), await forum.ids('forum.message')]).toEqual([[1, 2], [1, 2, 3]]); // prettier-ignore
  });

  test('leaves no file behind of a paper that comes while it goes', async () => {
    const client = new pg.Client({ connectionString: forum.foreign.database.ownerUrl });
    await client.connect();
    let came: Promise<unknown> | undefined;
    // Between the last lock and the delete, somebody adds a paper to a message of the room.
    const real = forum.foreign.database.database;
    const waits = `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like 'insert into forum.paper%'`;
    const add = async () => {
      came = client.query(`insert into forum.paper values (2, 1, 'p/2')`).catch((error: unknown) => error);
      const decided = async () =>
        (await forum.sql(waits)).length > 0 || (await forum.ids('forum.paper')).includes(2);
      await eventually(decided);
    };
    const within: Database['within'] = (tenancy, work, options) =>
      real.within(tenancy, (tx) => work(sayingBefore(tx, 'with l0', /delete from/, add)), options);
    const database = Object.assign(Object.create(real) as Database, { within });
    try {
      await forum.run(database);
      // It had to wait, and finds no message any more.
      expect(await came).toMatchObject({ code: '23503' });
      expect(await forum.ids('forum.paper')).toEqual([3]);
      // Its file is its writer's to remove: no row has ever named it.
      expect(await forum.ids('forum.room')).toEqual([2]);
    } finally {
      await client.end();
    }
  });
});

/** Does something once before a statement of the host's rows that begins and matches so. */
function sayingBefore(tx: UnitOfWork, start: string, match: RegExp, act: () => Promise<void>): UnitOfWork {
  const query = tx.query.bind(tx);
  let done = false;
  tx.query = async (sql, values) => {
    if (!done && sql.startsWith(start) && match.test(sql)) {
      done = true;
      await act();
    }
    return query(sql, values);
  };
  return tx;
}

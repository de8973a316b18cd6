import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import pg from 'pg';
import { settingsStatement } from '../../src/datamap/settings.js';
import { StepRows } from '../../src/deletion/step/rows.js';
import { sweepTombstones } from '../../src/deletion/tombstones/sql.js';
import { eventually } from '../support/eventually.js';
import { collection, invent, type Invented } from './invented-host.js';

// The row with number 1 is judged first. A statement that comes upon it while the gate is shut for such statements stands
// there with the snapshot that it has, and has not locked number 2 yet: the window in which others write.
const schema = `create schema h;
  create table h.gate (shut_for text);
  insert into h.gate values (null);
  create sequence h.standing;
  create function h.gate(id int) returns boolean language plpgsql volatile security definer as $$
  begin
    while id = 1 and exists (select from h.gate where current_query() ~ shut_for) loop
      perform nextval('h.standing');
      perform pg_sleep(0.005);
    end loop;
    return true;
  end $$;
  create table h.person (id int primary key, mail text);
  create table h.post (id int primary key, person int references h.person, text text);
  create table h.reply (id serial primary key, post int references h.post on delete cascade, person int references h.person);
  create table h.clap (id serial primary key, reply int references h.reply on delete cascade, person int references h.person);
  create table h.room (id int primary key, owner int references h.person);
  create table h.seat (id serial primary key, room int references h.room on delete cascade, person int references h.person);
  create table h.album (id int primary key, person int references h.person);
  create table h.photo (id int primary key, album int references h.album, person int references h.person);
  alter table h.album add cover int references h.photo deferrable initially deferred;
  create table h.sticker (id serial primary key, album int references h.album on delete cascade, person int references h.person);
  create table h.stone (id int primary key, person int references h.person, text text);
  create table h.flower (id serial primary key, stone int references h.stone on delete cascade, person int references h.person);`;

const rows = `
  truncate h.person, h.post, h.reply, h.clap, h.room, h.seat, h.album, h.photo, h.sticker, h.stone, h.flower;
  update h.gate set shut_for = null;
  alter sequence h.standing restart;
  insert into h.person values (1, 'a@x.example'), (2, 'b@x.example');
  insert into h.post select n, 1, 'x' from generate_series(1, 4) as n;
  insert into h.room select n, 1 from generate_series(1, 4) as n;
  insert into h.seat (room, person) select n, 1 from generate_series(1, 4) as n;
  insert into h.album select n, 1 from generate_series(1, 4) as n;
  insert into h.photo select n, n, 1 from generate_series(1, 4) as n;
  update h.album set cover = id;
  insert into h.stone select n from generate_series(1, 4) as n;
  insert into h.seat (room, person) values (1, 2);
  insert into h.flower (stone, person) values (1, 2);`;

const theirs = { subject: { person: 'person' } };
const gated = { where: 'h.gate(t.id)' };
const map = {
  subjects: {
    person: { table: 'person', key: 'id', identifiers: { mail: { column: 'mail', normalise: 'mail' } } },
  },
  exempt: [{ table: 'gate', reason: 'the test' }],
  collections: {
    people: collection('person', 'id mail', {
      subject: { person: 'id' },
      erasure: { rule: 'pseudonymise', set: { mail: 'pseudonym-mail' } },
    }),
    posts: collection('post', 'id person text', { ...theirs, ...gated }),
    replies: collection('reply', 'id post person', theirs),
    claps: collection('clap', 'id reply person', theirs),
    rooms: collection('room', 'id owner', {
      subject: {
        person: [
          'owner',
          { column: 'person', join: [{ table: 'seat', on: { id: 'room' }, where: 'h.gate(t.room)' }] },
        ],
      },
      shared: 'keep-if-others',
    }),
    seats: collection('seat', 'id room person', theirs),
    albums: collection('album', 'id person cover', { ...theirs, ...gated }),
    photos: collection('photo', 'id album person', theirs),
    stickers: collection('sticker', 'id album person', theirs),
    stones: collection('stone', 'id person text', {
      ...theirs,
      erasure: { rule: 'tombstone', clear: ['person', 'text'] },
    }),
    flowers: collection('flower', 'id stone person', { ...theirs, where: 'h.gate(t.stone)' }),
  },
};

let host: Invented;
let somebody: pg.Client;
beforeAll(async () => {
  host = await invent(schema, map);
  somebody = new pg.Client({ connectionString: host.host.database.ownerUrl });
  await somebody.connect();
});
afterAll(async () => {
  await somebody.end();
  await host.drop();
});
beforeEach(async () => {
  await somebody.query('rollback');
  await sql(rows);
});

const sql = <Row = { id: number }>(query: string) => host.host.database.behindTheScenes<Row>(query);
const ids = async (table: string) => (await sql(`select id from h.${table} order by id`)).map(({ id }) => id);
const ofB = async (table: string) =>
  (await sql<{ n: number }>(`select count(*)::int as n from h.${table} where person = 2`))[0]?.n;

const waiting = `select pid as id from pg_stat_activity where wait_event_type = 'Lock' and query like 'insert into h.clap%'`;

/** Does something while a statement like that stands at row 1, then lets it go on. */
async function whileStanding(work: Promise<unknown>, meanwhile: () => Promise<unknown>): Promise<string> {
  let ended: string | undefined;
  const outcome = work
    .then(
      () => 'done',
      (error: unknown) => (error as { code?: string }).code ?? String(error),
    )
    .then((code) => (ended = code));
  try {
    // Whatever ends before it stands is not what is tested.
    const stands = await eventually(
      async () => ended ?? (await sql<{ is: boolean }>('select is_called as is from h.standing'))[0]?.is,
    );
    if (stands !== true) return `${stands} without having stood`;
    await meanwhile();
  } finally {
    await sql('update h.gate set shut_for = null');
  }
  return outcome;
}

/** Erases person 1; the gate is shut for such statements from the first batch on. */
async function erase(shutFor: string, meanwhile: () => Promise<unknown>): Promise<string> {
  const { situation } = host;
  const job = situation.job([await situation.person('person', '1')]);
  await situation.begin(job);
  let isShut = false;
  const shouldGoOn = async () => {
    if (!isShut) await sql(`update h.gate set shut_for = '${shutFor}'`);
    isShut = true;
  };
  return whileStanding(situation.eraser.run(job, { shouldGoOn }), meanwhile);
}

test('a reply that somebody commits after a batch has looked, and before it locks the post, stays with its post', async () => {
  const code = await erase('from "h"."post".* for update', () =>
    sql('insert into h.reply (post, person) values (2, 2)'),
  );
  expect(await ofB('reply')).toBe(1);
  expect(await ids('post')).toEqual([2]);
  expect(code).toBe('erasure.blocked_by_constraint');
});

test('a reply that is not committed yet is waited for, and stays with its post', async () => {
  await somebody.query('begin; insert into h.reply (post, person) values (2, 2)');
  const { situation } = host;
  const outcome = situation.erase(situation.job([await situation.person('person', '1')])).then(
    () => 'done',
    (error: unknown) => (error as { code?: string }).code,
  );
  await eventually(async () => (await ids('post')).length === 1);
  await somebody.query('commit');
  expect(await outcome).toBe('erasure.blocked_by_constraint');
  expect(await ofB('reply')).toBe(1);
  expect(await ids('post')).toEqual([2]);
});

test('nobody can add to what goes along once the batch has looked the last time', async () => {
  await sql('insert into h.reply (id, post, person) values (7, 2, null)');
  let clap: Promise<unknown> | undefined;
  const code = await erase('delete from "h"."post"', async () => {
    clap = somebody
      .query('insert into h.clap (reply, person) values (7, 2)')
      .catch((error: unknown) => error);
    await eventually(async () => (await sql(waiting)).length > 0);
  });
  expect(code).toBe('done');
  expect(await clap).toMatchObject({ code: '23503' });
  expect(await ids('reply')).toEqual([]);
});

test('what would go along and becomes somebody else’s after a batch has looked stays', async () => {
  await sql('insert into h.reply (id, post, person) values (7, 2, null)');
  await erase('from "h"."post".* for update', () => sql('update h.reply set person = 2 where id = 7'));
  expect(await ids('reply')).toEqual([7]);
  expect(await ids('post')).toEqual([2]);
});

test('a shared row stays with whoever joins it after a batch has looked', async () => {
  const code = await erase('from "h"."room".* for update', () =>
    sql('insert into h.seat (room, person) values (2, 2)'),
  );
  expect(code).toBe('done');
  expect(await ids('room')).toEqual([1, 2]);
  expect(await ofB('seat')).toBe(2);
});

test('a circle goes whole or not at all, and takes nothing along that comes after it has looked', async () => {
  const code = await erase('from "h"."album".* for update|delete from "h"."album"', () =>
    sql('insert into h.sticker (album, person) values (2, 2)'),
  );
  expect(code).toBe('erasure.blocked_by_constraint');
  expect(await ofB('sticker')).toBe(1);
  expect([await ids('album'), await ids('photo')]).toEqual([
    [1, 2, 3, 4],
    [1, 2, 3, 4],
  ]);
});

test('a tombstone stays when something is hung on it after the sweep has looked', async () => {
  const { db, host: held } = host.situation;
  const stones = held.map.collections.stones;
  if (!stones) throw new Error('the map has no stones');
  const job = { ...host.situation.job([]), scope: 'person' as const };
  const sweep = async () => {
    await sql(`update h.gate set shut_for = 'from "h"."stone"'`);
    await db.database.asHost(async (as) => {
      const settings = settingsStatement({ subjects: [] });
      await as.query(settings.sql, settings.values);
      await sweepTombstones(as, new StepRows(held.current(), job, stones, { subjects: [] }), [
        ['1'],
        ['2'],
        ['3'],
      ]);
    });
  };
  await whileStanding(sweep(), () => sql('insert into h.flower (stone, person) values (2, 2)'));
  expect(await ids('stone')).toEqual([1, 2, 4]);
  expect(await ofB('flower')).toBe(2);
});

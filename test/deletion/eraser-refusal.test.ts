import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { HOST_TENANT, systemTenancy } from '../../src/database/tenancy.js';
import { type ErasureJob } from '../../src/deletion/erasure.js';
import { type EraserOptions } from '../../src/deletion/step/context.js';
import { WorkspaceEraser } from '../../src/deletion/workspace-eraser.js';
import { type DomainError } from '../../src/errors.js';
import { difference } from './eraser-situation.js';
import { collection, invent, type Invented } from './invented-host.js';

const schema = `create schema h;
  create table h.house (id int primary key, name text);
  create table h.person (id int primary key, mail text);
  create table h.note (id int primary key, house int references h.house, person int references h.person);
  create table h.letter (id int primary key, house int references h.house, person int references h.person);
  create table h.reply (id int primary key, letter int references h.letter, house int references h.house, person int references h.person);
  create table h.album (id int primary key, house int references h.house, person int references h.person);
  create table h.photo (id int primary key, album int references h.album on delete cascade, house int references h.house, person int references h.person);
  create table h.loan (id int primary key, album int constraint loan_of_an_album references h.album, remark text);`;

// Whose they are: notes, letters and albums of person 1 in house 1; the last two rows of each hang from them.
const rows = `
  truncate h.house, h.person, h.note, h.letter, h.reply, h.album, h.photo, h.loan;
  insert into h.house values (1, 'one'), (2, 'two');
  insert into h.person values (1, 'a@x.example'), (2, 'b@x.example');
  insert into h.note values (1, 1, 1), (2, 1, 1), (3, 2, 2);
  insert into h.letter values (1, 1, 1), (2, 2, 2);
  insert into h.reply values (1, 1, 1, 1), (2, 2, 2, 2);
  insert into h.album values (1, 1, 1), (2, 2, 2);
  insert into h.photo values (1, 1, 1, 1), (2, 2, 2, 2);`;

const inHouse = { subject: { person: 'person' }, workspace: 'house', controller: 'workspace' };
const map = {
  subjects: {
    person: { table: 'person', key: 'id', identifiers: { mail: { column: 'mail', normalise: 'mail' } } },
  },
  workspaces: { table: 'house', key: 'id' },
  exempt: [{ table: 'loan', reason: 'says nothing about anybody' }],
  collections: {
    people: collection('person', 'id mail', {
      subject: { person: 'id' },
      erasure: { rule: 'pseudonymise', set: { mail: 'pseudonym-mail' } },
    }),
    houses: collection('house', 'id name', { subject: 'none', workspace: 'id', controller: 'workspace' }),
    notes: collection('note', 'id house person', inHouse),
    letters: collection('letter', 'id house person', inHouse),
    replies: collection('reply', 'id letter house person', inHouse),
    albums: collection('album', 'id house person', inHouse),
    photos: collection('photo', 'id album house person', inHouse),
  },
};

let host: Invented;
beforeAll(async () => {
  host = await invent(schema, map);
});
afterAll(() => host.drop());
beforeEach(async () => {
  await sql(rows);
});

const sql = <Row>(query: string) => host.host.database.behindTheScenes<Row>(query);
const everything = () => host.situation.rows('h', 'habeas');

const person = async (): Promise<ErasureJob> =>
  host.situation.job([await host.situation.person('person', '1')], { workspaces: ['1', '2'] });

const house = (): ErasureJob => ({
  ...{ id: randomUUID(), tenant: HOST_TENANT, jobId: randomUUID(), scope: 'workspace', subjects: [] },
  workspaces: ['1'],
  pseudonyms: { 'workspace:1': randomUUID() },
});

const eraserOf = ({ scope }: ErasureJob) => {
  const { db, host: held, erasures, files, clock, eraser } = host.situation;
  const parts = { database: db.database, host: held, erasures, files, tombstoneDue: () => clock.now() };
  return scope === 'workspace' ? new WorkspaceEraser(parts) : eraser;
};

const begin = (job: ErasureJob) =>
  host.situation.db.database.within(systemTenancy(job.tenant, 'test'), (tx) => eraserOf(job).begin(tx, job));

/** Runs a job that has begun; @returns what it says, and what it has changed in any table, Habeas's own too. */
const run = async (job: ErasureJob, options: EraserOptions = {}) => {
  const before = await everything();
  const error = await eraserOf(job)
    .run(job, options)
    .then(
      () => undefined,
      (e: unknown) => e as DomainError,
    );
  return { error, changes: difference(before, await everything()) };
};

describe.each([
  ['a person', person, '3, 1, 1, 2'],
  ['a workspace', () => Promise.resolve(house()), '3, 1, 2, 1'],
])('%s, of whose last collection a row cannot go', (_, jobOf, elses) => {
  test('is refused before anything is done, with every constraint by its name', async () => {
    await sql(
      `insert into h.reply values (${elses}); insert into h.photo values (${elses}); insert into h.loan values (1, 1, 'Anna')`,
    );
    const job = await jobOf();
    await begin(job);
    const { error, changes } = await run(job);
    expect(changes).toEqual({});
    expect(error).toMatchObject({
      code: 'erasure.blocked_by_constraint',
      details: { extra: { begun: false } },
    });
    const said = (error as DomainError).message;
    expect(said).toMatch(/^3 foreign keys stand in the way/);
    expect(said).toContain('Nothing of it has been erased.');
    for (const name of [
      'photo_album_fkey of table h.photo',
      'loan_of_an_album of table h.loan',
      'reply_letter_fkey of table h.reply',
    ])
      expect(said).toContain(`constraint ${name}`);
    expect(said).not.toContain('Anna');
  });

  test('is looked at once more where the database cancelled the look', async () => {
    await sql(`insert into h.loan values (1, 1, 'Anna')`);
    const job = await jobOf();
    await begin(job);
    const { database } = host.situation.db;
    const within = database.within.bind(database);
    let cancelled = 0;
    database.within = (tenancy, work, options) =>
      within(
        tenancy,
        (tx) => {
          const query = tx.query.bind(tx);
          tx.query = async (text: string, values?: unknown[]) => {
            if (cancelled > 0 || !/^select exists .* as w0/s.test(text)) return query(text, values);
            cancelled += 1;
            await query(`select set_config('statement_timeout', '1', true)`);
            return query('select pg_sleep(1)');
          };
          return work(tx);
        },
        options,
      );
    const { error } = await run(job).finally(() => (database.within = within));
    expect(cancelled).toBe(1);
    expect(error).toMatchObject({
      code: 'erasure.blocked_by_constraint',
      details: { extra: { constraint: 'loan_of_an_album' } },
    });
  });

  test('goes once the rows are free', async () => {
    await sql(`insert into h.photo values (${elses})`);
    const job = await jobOf();
    await begin(job);
    expect((await run(job)).error).toMatchObject({ details: { extra: { constraint: 'photo_album_fkey' } } });
    await sql('delete from h.photo where id = 3');
    expect((await run(job)).error).toBeUndefined();
    expect(await sql('select id from h.album')).toEqual([{ id: 2 }]);
  });

  test('that comes after the look is refused at its step, and it is said how far it is', async () => {
    const job = await jobOf();
    await begin(job);
    let asked = 0;
    const { error, changes } = await run(job, {
      // First before the look, then before each batch.
      shouldGoOn: async () => {
        if (++asked === 2) await sql(`insert into h.photo values (${elses})`);
      },
    });
    expect(error?.code).toBe('erasure.blocked_by_constraint');
    expect(error?.message).toContain('photo_album_fkey');
    expect(Object.keys(changes)).toContain('h.note');
    expect(await sql('select id from h.album order by 1')).toEqual([{ id: 1 }, { id: 2 }]);
    // What is left of it is looked at alone, and what it says is that something is gone.
    const again = await run(job);
    expect(again.error).toMatchObject({
      details: { extra: { constraint: 'photo_album_fkey', begun: true } },
    });
    expect(again.error?.message).toContain('What was erased before stays erased');
    expect(again.changes).toEqual({});
    await sql('delete from h.photo where id = 3');
    expect((await run(job)).error).toBeUndefined();
    expect(await sql('select id from h.album')).toEqual([{ id: 2 }]);
  });

  test('goes where a trigger of the host frees it', async () => {
    await sql(`insert into h.loan values (1, 1, 'Anna');
      create function h.free() returns trigger language plpgsql security definer as
        $$ begin delete from h.loan where album = old.id; return old; end $$;
      create trigger free before delete on h.album for each row execute function h.free()`);
    try {
      const job = await jobOf();
      await begin(job);
      expect((await run(job)).error).toBeUndefined();
      expect(await sql('select 1 from h.loan')).toEqual([]);
    } finally {
      await sql('drop trigger free on h.album; drop function h.free');
    }
  });

  test('by a key that was made since the map was held against the database', async () => {
    await sql(`create table h.frame (photo int constraint frame_of_a_photo references h.photo on delete cascade);
      insert into h.frame values (1)`);
    try {
      const job = await jobOf();
      await begin(job);
      const { error, changes } = await run(job);
      expect(changes).toEqual({});
      expect(error?.message).toContain('frame_of_a_photo of table h.frame');
    } finally {
      await sql('drop table h.frame');
    }
  });
});

import { afterEach, describe, expect, test } from '@jest/globals';
import { HOST_TENANT, systemTenancy } from '../../src/database/tenancy.js';
import { type ErasureJob } from '../../src/deletion/erasure.js';
import { type DomainError } from '../../src/errors.js';
import { collection, invent, type Invented } from './invented-host.js';

const [anna, ben] = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222'];
const persons = `create schema h;
  create table h.person (id uuid primary key, mail text, name text);
  insert into h.person values ('${anna}', 'anna@x.example', 'Anna Berg'), ('${ben}', 'ben@x.example', 'Ben Tal');
  create table h.note (id int primary key, person uuid, body text);
  insert into h.note select n, case when n <= 12 then '${anna}'::uuid else '${ben}'::uuid end, 'x' from generate_series(1, 14) n;`;
const person = { table: 'person', key: 'id', identifiers: { mail: { column: 'mail', normalise: 'mail' } } };
const people = collection('person', 'id mail name', {
  subject: { person: 'id' },
  erasure: { rule: 'pseudonymise', set: { mail: 'pseudonym-mail', name: 'gone' } },
});
const ofPerson = { subject: { person: 'person' } };
const notes = collection('note', 'id person body', ofPerson);
/** A trigger of the host, by whatever right it needs. */
const trigger = (when: string, body: string) => `
  create function h.answer() returns trigger language plpgsql security definer as $$ begin ${body} end $$;
  create trigger answer ${when} for each row execute function h.answer();`;

let host: Invented;
afterEach(() => host.drop());
const sql = <Row>(query: string) => host.host.database.behindTheScenes<Row>(query);

const jobOf = async (key = anna): Promise<ErasureJob> => {
  const job = host.situation.job([await host.situation.person('person', key)]);
  await host.situation.begin(job);
  return job;
};
const attempt = (job: ErasureJob) =>
  host.situation.eraser.run(job).then(
    () => undefined,
    (error: unknown) => error as DomainError,
  );
/** What the certificate would say. */
const counts = async (job: ErasureJob) => {
  const steps = await host.situation.db.database.within(systemTenancy(HOST_TENANT, 'test'), (tx) =>
    host.situation.erasures.steps(tx, job.id),
  );
  return Object.fromEntries(steps.map(({ collection: name, done }) => [name, done]));
};

describe('what is certified are rows, however often something had to go over them', () => {
  test.each([
    [
      'sets a changed row back before it is written',
      'before update on h.person',
      'new.mail = old.mail; return new;',
    ],
    [
      'sets a changed row back after it was written',
      'after update on h.person',
      `if pg_trigger_depth() = 1 then update h.person set mail = old.mail where id = old.id; end if; return null;`,
    ],
    [
      'writes a deleted row anew',
      'after delete on h.note',
      'if old.id = 3 then insert into h.note values (old.*); end if; return null;',
    ],
    [
      'does not let a row go',
      'before delete on h.note',
      'if old.id = 3 then return null; end if; return old;',
    ],
  ])('of a host whose trigger %s', async (_, when, body) => {
    host = await invent(`${persons} ${trigger(when, body)}`, {
      subjects: { person },
      collections: { people, notes },
    });
    const job = await jobOf();
    const change = when.includes('person');
    for (let n = 0; n < 3; n += 1) {
      expect(await attempt(job)).toMatchObject({ code: 'erasure.rows_came_back' });
      expect(await counts(job)).toEqual(change ? { notes: 12, people: 0 } : { notes: 11, people: 0 });
    }
    await sql(`drop trigger answer on ${change ? 'h.person' : 'h.note'}`);
    expect(await attempt(job)).toBeUndefined();
    expect(await counts(job)).toEqual({ notes: 12, people: 1 });
    expect(await sql(`select 1 from h.note where person = '${anna}'`)).toEqual([]);
    expect(await sql('select id from h.note order by 1')).toEqual([{ id: 13 }, { id: 14 }]);
  });

  test.each([
    ['deleted', { rule: 'delete' }, 'after delete', 'insert into h.sheet values (old.*);'],
    [
      'emptied until it goes',
      { rule: 'tombstone', set: { body: 'gone' } },
      'after update',
      'if pg_trigger_depth() = 1 then update h.sheet set body = old.body where id = old.id; end if;',
    ],
  ])('where rows were noted beforehand and are %s', async (_, erasure, when, body) => {
    host = await invent(
      `${persons}
       create table h.sheet (id int primary key, body text);
       create table h.folder (id int primary key, person uuid, sheet int references h.sheet);
       insert into h.sheet values (1, 'of Anna'), (2, 'of Ben'), (3, 'of Anna');
       insert into h.folder values (1, '${anna}', 1), (2, '${ben}', 2), (3, '${anna}', 3);
       ${trigger(`${when} on h.sheet`, `if old.id = 1 then ${body} end if; return null;`)}`,
      {
        subjects: { person },
        collections: {
          people,
          folders: collection('folder', 'id person sheet', ofPerson),
          sheets: collection('sheet', 'id body', {
            subject: { person: { column: 'person', join: [{ table: 'folder', on: { id: 'sheet' } }] } },
            erasure,
          }),
        },
        exempt: [{ table: 'note', reason: 'of another test' }],
      },
    );
    const job = await jobOf();
    for (let n = 0; n < 2; n += 1) {
      const error = await attempt(job);
      expect(error).toMatchObject({ code: 'erasure.rows_came_back' });
      expect(error?.message).toContain('the database kept 1 rows in table h.sheet');
      expect(await counts(job)).toMatchObject({ sheets: 1 });
    }
    await sql('drop trigger answer on h.sheet');
    expect(await attempt(job)).toBeUndefined();
    expect(await counts(job)).toEqual({ folders: 2, sheets: 2, people: 1 });
    expect(await sql(`select id from h.sheet where body = 'of Anna'`)).toEqual([]);
  });

  test('nor is a trigger that only looks on taken for one that answers back', async () => {
    host = await invent(
      `${persons} create table h.log (n serial);
       ${trigger('after delete on h.note', 'insert into h.log default values; return null;')}`,
      {
        subjects: { person },
        collections: { people, notes },
        exempt: [{ table: 'log', reason: 'numbers' }],
      },
    );
    const job = await jobOf();
    expect(await attempt(job)).toBeUndefined();
    expect(await counts(job)).toEqual({ notes: 12, people: 1 });
    expect(await sql('select count(*)::int as n from h.log')).toEqual([{ n: 12 }]);
  });
});

describe('the message of an erasure that stops', () => {
  const stubborn = (body: string, when = 'before') =>
    invent(`${persons} ${trigger(`${when} update on h.person`, body)}`, {
      subjects: { person },
      collections: { people, notes },
    });

  test('tells what has gone of other collections, and that the database kept the row', async () => {
    host = await stubborn('return null;');
    const { message = '' } = (await attempt(await jobOf())) ?? {};
    expect(message).toContain('the database kept 1 rows in table h.person');
    expect(message).toContain(
      'None of its rows has been erased; 12 rows of other collections have been already.',
    );
    expect(message).not.toContain('after they were erased');
  });

  test('tells the same where the database itself refuses', async () => {
    host = await stubborn(`raise exception 'Anna stays';`);
    const error = await attempt(await jobOf());
    expect(error).toMatchObject({ code: 'erasure.refused_by_database', details: { extra: { done: 0 } } });
    expect(error?.message).toContain('12 rows of other collections have been already.');
    expect(error?.message).not.toContain('Anna');
  });

  test('says that nothing has been erased only where that is true of all', async () => {
    host = await invent(`${persons} ${trigger('before delete on h.note', 'return null;')}`, {
      subjects: { person },
      collections: { people, notes },
    });
    expect((await attempt(await jobOf()))?.message).toContain('Nothing of it has been erased.');
  });

  test('does not say so where a trigger puts only a part of the row back, which then is past withdrawal', async () => {
    host = await invent(
      `${persons} drop table h.note; ${trigger('before update on h.person', 'new.mail = old.mail; return new;')}`,
      { subjects: { person }, collections: { people } },
    );
    const job = await jobOf();
    expect((await attempt(job))?.message).toContain('No row has been erased as a whole.');
    expect(await sql(`select mail, name from h.person where id = '${anna}'`)).toEqual([
      { mail: 'anna@x.example', name: 'gone' },
    ]);
    const begun = await host.situation.db.database.within(systemTenancy(HOST_TENANT, 'test'), (tx) =>
      host.situation.erasures.isIrreversible(tx, job.id),
    );
    expect(begun).toBe(true);
  });

  test('says that rows are there again where they had gone', async () => {
    host = await invent(persons, { subjects: { person }, collections: { people, notes } });
    const job = await jobOf();
    const writing = await host.situation.eraser
      .run(job, {
        shouldGoOn: () =>
          sql(`insert into h.note select max(id) + 1, '${anna}', 'y' from h.note`).then(() => undefined),
      })
      .then(
        () => undefined,
        (error: unknown) => error as DomainError,
      );
    expect(writing).toMatchObject({ code: 'erasure.rows_came_back' });
    expect(writing?.message).toContain('again after they were erased');
    expect(writing?.message).toMatch(/1[0-9] of its rows have been erased already\./);
  });
});

import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import { readCatalogue } from '../../src/datamap/catalogue.js';
import { grantsFor } from '../../src/datamap/grants.js';
import { LeftRows } from '../../src/deletion/left-rows.js';
import { type EraserOptions } from '../../src/deletion/step/context.js';
import { ResidueSearch } from '../../src/deletion/residue/search.js';
import { difference } from './eraser-situation.js';
import { collection, invent, type Invented } from './invented-host.js';

const [anna, ben] = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222'];
const persons = `create schema h;
  create table h.person (id uuid primary key, mail text);
  insert into h.person values ('${anna}', 'anna+x@x.example'), ('${ben}', 'ben@x.example');`;
const person = { table: 'person', key: 'id', identifiers: { mail: { column: 'mail', normalise: 'mail' } } };
const people = collection('person', 'id mail', {
  subject: { person: 'id' },
  erasure: { rule: 'pseudonymise', set: { mail: 'pseudonym-mail' } },
});
const ofPerson = { subject: { person: 'person' } };

let host: Invented;
afterEach(() => host.drop());
const sql = <Row>(query: string) => host.host.database.behindTheScenes<Row>(query);

/** Erases as the service does: every row, none that came back, then the search. */
const erase = async (key: string, options: EraserOptions = {}) => {
  const { database, map } = host.host;
  const owner = {
    query: (query: string, values?: readonly unknown[]) =>
      database.behindTheScenes(query, values && [...values]),
  };
  await sql(grantsFor(map, await readCatalogue(owner as never), { residue: true }));
  const subjects = [await host.situation.person('person', key)];
  const job = host.situation.job(subjects);
  const before = await host.situation.rows('h');
  const outcome = async () => {
    await host.situation.erase(job, options);
    await new LeftRows(database.database, host.situation.host).noneCameBack(job);
    const [report] = await new ResidueSearch(database.database, host.situation.host).search([
      { id: job.id, subjects },
    ]);
    const again = await host.situation.erase({ ...job, id: randomUUID() });
    expect(again.reduce((sum, { rule, done }) => sum + (rule === 'keep' ? 0 : done), 0)).toBe(0);
    return (report?.residues ?? []).map(({ table, column }) => `${table}.${column}`).sort();
  };
  const residues = await outcome().catch((error: unknown) => (error as { code?: string }).code);
  return { residues, changes: difference(before, await host.situation.rows('h')) };
};

/** Something that others write when the erasure has looked for what stands in its way, and before its first batch. */
const late = (query: string): EraserOptions => {
  let asked = 0;
  return {
    shouldGoOn: async () => {
      if (++asked === 2) await sql(query);
    },
  };
};

describe('a row that cannot go because something of others hangs from it is never passed over', () => {
  test('where it was noted beforehand, and what led to it has gone', async () => {
    host = await invent(
      `${persons}
       create table h.sheet (id int primary key, body text);
       create table h.stamp (id int primary key, sheet int references h.sheet on delete cascade, person uuid);
       create table h.folder (id int primary key, person uuid, sheet int references h.sheet);
       insert into h.sheet values (1, 'of Anna'), (2, 'of Ben'), (3, 'of Anna');
       insert into h.stamp values (1, 1, '${ben}');
       insert into h.folder values (1, '${anna}', 1), (2, '${ben}', 2), (3, '${anna}', 3)`,
      {
        subjects: { person },
        collections: {
          people,
          folders: collection('folder', 'id person sheet', ofPerson),
          sheets: collection('sheet', 'id body', {
            subject: { person: { column: 'person', join: [{ table: 'folder', on: { id: 'sheet' } }] } },
          }),
          stamps: collection('stamp', 'id sheet person', ofPerson),
        },
      },
    );
    expect(host.errors).toEqual([expect.stringContaining('erasure.foreign_key h.stamp.sheet')]);
    expect(await erase(anna)).toEqual({ residues: 'erasure.blocked_by_constraint', changes: {} });
    await sql('delete from h.stamp');
    expect(await erase(anna, late(`insert into h.stamp values (1, 1, '${ben}')`))).toEqual({
      residues: 'erasure.blocked_by_constraint',
      changes: {
        'h.folder': { gone: 2, come: 0 },
        'h.sheet': { gone: 1, come: 0 },
        'h.stamp': { gone: 0, come: 1 },
      },
    });
  });

  const circle = {
    subjects: { person },
    collections: {
      people,
      teams: collection('team', 'id person lead', ofPerson),
      seats: collection('seat', 'id person team', ofPerson),
      votes: collection('vote', 'id team person', ofPerson),
    },
  };
  const teams = `${persons}
    create table h.team (id int primary key, person uuid, lead int);
    create table h.seat (id int primary key, person uuid, team int references h.team);
    alter table h.team add foreign key (lead) references h.seat deferrable initially deferred;
    create table h.vote (id int primary key, team int references h.team on delete cascade, person uuid);
    insert into h.team values (1, '${anna}', null), (2, '${anna}', null);
    insert into h.seat values (1, '${anna}', null);`;

  test('where it is in a circle, of which then nothing goes', async () => {
    const vote = `insert into h.vote values (1, 1, '${ben}')`;
    host = await invent(`${teams} ${vote}`, circle);
    expect(host.errors).toEqual([expect.stringContaining('erasure.foreign_key h.vote.team')]);
    expect(await erase(anna)).toEqual({ residues: 'erasure.blocked_by_constraint', changes: {} });
    await sql('delete from h.vote');
    expect(await erase(anna, late(vote))).toEqual({
      residues: 'erasure.blocked_by_constraint',
      changes: { 'h.vote': { gone: 0, come: 1 } },
    });
  });

  test('nor one of a circle that a trigger holds on to', async () => {
    host = await invent(
      `${teams}
       create function h.no() returns trigger language plpgsql as 'begin return null; end';
       create trigger no before delete on h.seat for each row execute function h.no()`,
      circle,
    );
    expect(await erase(anna)).toEqual({ residues: 'erasure.rows_came_back', changes: {} });
  });
});

test('a thread whose rows were noted goes from the leaves up, whatever the order of their keys', async () => {
  host = await invent(
    `${persons}
     create table h.post (id int primary key, parent int references h.post on delete cascade, room int);
     create table h.room (id int primary key, person uuid, first int references h.post);
     insert into h.post select n, nullif(n - 1, 0), 1 from generate_series(1, 40) n;
     insert into h.room values (1, '${anna}', 1)`,
    {
      subjects: { person },
      collections: {
        people,
        rooms: collection('room', 'id person first', ofPerson),
        posts: collection('post', 'id parent room', {
          subject: { person: { column: 'person', join: [{ table: 'room', on: { room: 'id' } }] } },
        }),
      },
    },
  );
  expect(host.errors).toEqual([]);
  expect(await erase(anna)).toEqual({
    residues: [],
    changes: {
      'h.person': { gone: 1, come: 1 },
      'h.post': { gone: 40, come: 0 },
      'h.room': { gone: 1, come: 0 },
    },
  });
});

test('a shared row is not somebody else’s because its citext key is written in another case', async () => {
  host = await invent(
    `create extension citext schema public;
     create schema h;
     create table h.person (id public.citext primary key, mail text);
     create table h.room (id int primary key, owner public.citext, topic text);
     insert into h.person values ('Anna.Example', 'anna@x.example'), ('ben', 'ben@x.example');
     insert into h.room values (1, 'anna.EXAMPLE', 'mine'), (2, 'ben', 'his')`,
    {
      subjects: { person },
      collections: {
        people: collection('person', 'id mail', { subject: { person: 'id' } }),
        rooms: collection('room', 'id owner topic', {
          subject: { person: 'owner' },
          shared: 'keep-if-others',
        }),
      },
    },
  );
  expect(host.errors).toEqual([]);
  expect(await erase('Anna.Example')).toEqual({
    residues: [],
    changes: { 'h.person': { gone: 1, come: 0 }, 'h.room': { gone: 1, come: 0 } },
  });
});

test('the search finds copies that triggers made, in odd types and under odd names', async () => {
  host = await invent(
    `${persons}
     create schema "Other side";
     alter table h.person add ip inet;
     update h.person set ip = '203.0.113.177' where id = '${anna}';
     create table h."select" (id int generated always as identity primary key, "from" uuid, body text);
     create table "Other side"."a ""b"".c" (n serial, "order" jsonb);
     create function h.audit() returns trigger language plpgsql security definer as
       $$ begin insert into "Other side"."a ""b"".c" ("order") values (to_jsonb(old)); return old; end $$;
     create trigger audit after delete on h."select" for each row execute function h.audit();
     create type "Other side".card as (who text, no int);
     create table "Other side".cards (one "Other side".card, many text[]);
     create table "Other side".hits (origin inet, line text);
     create materialized view "Other side".seen as select mail as m from h.person;
     insert into h."select" ("from", body) values ('${anna}', 'mine');
     insert into "Other side".cards values (row('Anna+X@x.example', 1), array['ANNA+x@x.example']);
     insert into "Other side".hits values ('203.0.113.177', 'from 203.0.113.177 at noon'), ('203.0.113.17', '1203.0.113.177');`,
    {
      subjects: {
        person: {
          ...person,
          identifiers: { ...person.identifiers, ip: { column: 'ip', normalise: 'exact' } },
        },
      },
      collections: {
        people: collection('person', 'id mail ip', {
          subject: { person: 'id' },
          erasure: { rule: 'pseudonymise', set: { mail: 'pseudonym-mail', ip: null } },
        }),
        selects: collection('select', 'id from body', { subject: { person: 'from' } }),
      },
    },
  );
  expect(host.errors).toEqual([]);
  const { residues } = await erase(anna);
  expect(residues).toEqual([
    'a "b".c.order',
    'cards.many',
    'cards.one',
    'hits.line',
    'hits.origin',
    'seen.m',
  ]);
});

describe('words of a text taken apart', () => {
  const searched = async (names: string[] = []) => {
    const { database, map } = host.host;
    const owner = {
      query: (query: string, values?: readonly unknown[]) =>
        database.behindTheScenes(query, values && [...values]),
    };
    await sql(grantsFor(map, await readCatalogue(owner as never), { residue: true }));
    const subjects = [await host.situation.person('person', anna)];
    const search = new ResidueSearch(database.database, host.situation.host);
    const [report] = await search.search([{ id: 'x', subjects, names }]);
    return (report?.residues ?? [])
      .filter(({ column }) => column !== 'mail')
      .map(({ table, column, kind, rows }) => `${table}.${column} ${kind} ${rows}`)
      .sort();
  };

  test('hold an identifier in one piece, in several, and without their places', async () => {
    host = await invent(
      `${persons}
       create table h.paper (name text, body text);
       insert into h.paper values
         ('whole', 'to <b@x.example> and Anna+X@x.example'), ('uuid', 'user ${anna} was here'),
         ('another uuid', 'user ${ben} was here'), ('elsewhere', 'anna likes x@x.example'), ('swapped', 'x@x.example anna');
       create table h.vectors as select to_tsvector('english', body) as w, null::tsvector as bare from h.paper;
       insert into h.vectors select null, strip(to_tsvector('simple', body)) from h.paper where name like '%uuid';
       insert into h.vectors values (array_to_tsvector('{anna+x@x.example}'), '')`,
      { subjects: { person }, collections: { people }, exempt: [{ table: 'paper', reason: 'made of it' }] },
    );
    expect(await searched()).toEqual(['vectors.bare uuid 1', 'vectors.w mail 2', 'vectors.w uuid 1']);
  });

  test('hold a phone number, and in the person’s own rows their name', async () => {
    host = await invent(
      `${persons}
       alter table h.person add phone text, add words tsvector;
       update h.person set phone = '+49301234567', words = to_tsvector('simple', 'Anna Maria Berg, +49 (30) 123 45-67')
        where id = '${anna}'`,
      {
        subjects: {
          person: {
            ...person,
            identifiers: { ...person.identifiers, phone: { column: 'phone', normalise: 'phone' } },
          },
        },
        collections: {
          people: collection('person', 'id mail phone words', {
            subject: { person: 'id' },
            erasure: { rule: 'pseudonymise', set: { mail: 'pseudonym-mail', phone: null } },
          }),
        },
      },
    );
    expect(host.errors).toEqual([expect.stringContaining('erasure.words_stay h.person.words')]);
    expect(await searched(['Anna Maria Berg', 'Anna Berg'])).toEqual([
      'person.phone phone 1',
      'person.words name 1',
      'person.words phone 1',
    ]);
  });
});

test('rows that the map keeps and a key changes along with the person’s are an error', async () => {
  host = await invent(
    `create schema h;
     create table h.person (id int primary key, mail text unique);
     create table h.bill (id int primary key, mail text references h.person (mail) on update cascade)`,
    {
      subjects: { person },
      collections: {
        people,
        bills: collection('bill', 'id mail', {
          subject: { person: { column: 'mail', as: 'mail' } },
          erasure: { rule: 'keep', ground: 'a law', until: '2030' },
        }),
      },
    },
  );
  expect(host.errors).toEqual([expect.stringContaining('erasure.foreign_key h.person.mail')]);
});

import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import { HOST_TENANT, systemTenancy } from '../../src/database/tenancy.js';
import { type ErasureJob } from '../../src/deletion/erasure.js';
import { WorkspaceEraser } from '../../src/deletion/workspace-eraser.js';
import { difference } from './eraser-situation.js';
import { collection, invent, type Invented } from './invented-host.js';

let host: Invented;
afterEach(() => host.drop());

const person = {
  table: 'person',
  key: 'id',
  identifiers: { mail: { column: 'mail', normalise: 'mail' } },
};
const people = collection('person', 'id mail', {
  subject: { person: 'id' },
  erasure: { rule: 'pseudonymise', set: { mail: 'pseudonym-mail' } },
});
const persons = `create schema h;
  create table h.person (id int primary key, mail text);
  insert into h.person values (1, 'a@x.example'), (2, 'b@x.example');`;

/** What it says, and what it has changed, whether it ends or not. */
const outcomeOf = async (work: () => Promise<unknown>) => {
  const before = await host.situation.rows('h');
  const code = await work().then(
    () => 'erased',
    (error: unknown) => (error as { code?: string }).code,
  );
  return { code, changes: difference(before, await host.situation.rows('h')) };
};

const erase = async (kind: string, key: string, more: Partial<ErasureJob> = {}) => {
  const job = host.situation.job([await host.situation.person(kind, key)], more);
  return outcomeOf(() => host.situation.erase(job));
};

const purge = (workspace: string) => {
  const { db, host: map, erasures, files, clock } = host.situation;
  const tombstoneDue = () => clock.now();
  const eraser = new WorkspaceEraser({ database: db.database, host: map, erasures, files, tombstoneDue });
  const job: ErasureJob = {
    ...{ id: randomUUID(), tenant: HOST_TENANT, jobId: randomUUID(), scope: 'workspace', subjects: [] },
    workspaces: [workspace],
    pseudonyms: { [`workspace:${workspace}`]: randomUUID() },
  };
  return outcomeOf(async () => {
    await db.database.within(systemTenancy(job.tenant, 'test'), (tx) => eraser.begin(tx, job));
    await eraser.run(job, {});
    await eraser.assertGone(job);
  });
};

describe('ON DELETE CASCADE does not take along', () => {
  const houses = `${persons}
    create table h.house (id int primary key, name text);
    create table h.diary (id int primary key, house int references h.house, person int references h.person);
    create table h.page (id int primary key, diary int references h.diary on delete cascade,
      house int references h.house, person int references h.person);
    insert into h.house values (1, 'one'), (2, 'two');
    insert into h.diary values (1, 1, 1), (2, 2, 1), (3, 2, 2);
    insert into h.page values (1, 1, 1, 1), (2, 1, 2, 1), (3, 2, 2, 1), (4, 3, 2, 2);`;
  const inHouse = { subject: { person: 'person' }, workspace: 'house', controller: 'workspace' };
  const map = {
    subjects: { person },
    workspaces: { table: 'house', key: 'id' },
    collections: {
      people,
      houses: collection('house', 'id name', { subject: 'none', workspace: 'id', controller: 'workspace' }),
      diaries: collection('diary', 'id house person', inHouse),
      pages: collection('page', 'id diary house person', inHouse),
    },
  };

  test('the person’s own rows in a workspace that the request is not about', async () => {
    host = await invent(houses, map);
    expect(host.errors).toEqual([]);
    expect(await erase('person', '1', { scope: 'person', workspaces: ['1'] })).toEqual({
      code: 'erasure.blocked_by_constraint',
      changes: {},
    });
  });

  test('rows in a workspace that has not approved', async () => {
    host = await invent(houses, map);
    expect(await erase('person', '1', { workspaces: ['1'] })).toEqual({
      code: 'erasure.blocked_by_constraint',
      changes: {},
    });
  });

  test('rows that a hold keeps', async () => {
    host = await invent(houses, map);
    const kept = ['1', '2'].map((workspace) => ({ collection: 'pages', workspace, ground: 'a hold' }));
    expect(await erase('person', '1', { workspaces: ['1', '2'], kept })).toEqual({
      code: 'erasure.blocked_by_constraint',
      changes: {},
    });
  });

  test('people, when the workspace they call home is purged', async () => {
    const home = `alter table h.person add home int references h.house on delete cascade; update h.person set home = 2;`;
    host = await invent(`${houses} ${home} delete from h.page where id = 2`, {
      ...map,
      collections: {
        ...map.collections,
        people: { ...people, columns: { ...(people.columns as object), home: { category: 'reference' } } },
      },
    });
    expect(await purge('2')).toEqual({
      code: 'erasure.blocked_by_constraint',
      changes: {},
    });
  });

  test('rows that are to stay without a name, and the check refuses such a map', async () => {
    host = await invent(
      `create schema h;
       create table h.person (id int primary key, mail text);
       create table h.orders (id int primary key, person int references h.person on delete cascade, name text);
       insert into h.person values (1, 'a@x.example');
       insert into h.orders values (1, 1, 'A')`,
      {
        subjects: { person },
        collections: {
          people: collection('person', 'id mail', { subject: { person: 'id' } }),
          orders: collection('orders', 'id person name', {
            subject: { person: 'person' },
            erasure: { rule: 'pseudonymise', set: { name: 'gone' } },
          }),
        },
      },
    );
    expect(host.errors).toEqual([expect.stringContaining('erasure.foreign_key h.orders.person')]);
    expect(await erase('person', '1')).toEqual({ code: 'erasure.blocked_by_constraint', changes: {} });
  });

  test('rows of others by keys that name a partition or an heir', async () => {
    host = await invent(
      `${persons}
       create table h.entry (id int, y int, person int references h.person, primary key (id, y)) partition by list (y);
       create table h.entry_25 partition of h.entry for values in (2025);
       create table h.entry_rest partition of h.entry default;
       create table h.remark (id int primary key, entry int, y int, person int references h.person,
         foreign key (entry, y) references h.entry_25 on delete cascade);
       create table h.thing (id int primary key, person int references h.person);
       create table h.photo (primary key (id)) inherits (h.thing);
       create table h.likes (id int primary key, photo int references h.photo on delete cascade, person int references h.person);
       insert into h.entry values (1, 2025, 1), (2, 2025, 2), (1, 2030, 1);
       insert into h.remark values (1, 1, 2025, 2), (2, 2, 2025, 2);
       insert into h.photo values (2, 1), (3, 2);
       insert into h.likes values (1, 2, 2), (2, 3, 2)`,
      {
        subjects: { person },
        collections: {
          people,
          entries: collection('entry', 'id y person', { subject: { person: 'person' } }),
          remarks: collection('remark', 'id entry y person', { subject: { person: 'person' } }),
          things: collection('thing', 'id person', { subject: { person: 'person' } }),
          likes: collection('likes', 'id photo person', { subject: { person: 'person' } }),
        },
      },
    );
    expect(host.errors).toEqual([
      expect.stringContaining('erasure.foreign_key h.remark.entry, y'),
      expect.stringContaining('erasure.foreign_key h.likes.photo'),
    ]);
    expect(await erase('person', '1')).toEqual({
      code: 'erasure.blocked_by_constraint',
      changes: {},
    });
    await host.host.database.behindTheScenes('delete from h.remark where id = 1');
    // Now only the one about the photo is in the way.
    expect(await erase('person', '1')).toEqual({ code: 'erasure.blocked_by_constraint', changes: {} });
    await host.host.database.behindTheScenes('delete from h.likes where id = 1');
    expect(await erase('person', '1')).toEqual({
      code: 'erased',
      changes: {
        'h.entry': { gone: 2, come: 0 },
        'h.photo': { gone: 1, come: 0 },
        'h.thing': { gone: 1, come: 0 },
        'h.person': { gone: 1, come: 1 },
      },
    });
  });

  test('rows of others by a key that only a partition has', async () => {
    host = await invent(
      `${persons}
       create table h.album (id int primary key, person int references h.person);
       create table h.print (id int, y int, album int, person int references h.person) partition by list (y);
       create table h.print_25 partition of h.print for values in (2025);
       alter table h.print_25 add foreign key (album) references h.album on delete cascade;
       insert into h.album values (1, 1);
       insert into h.print values (1, 2025, 1, 2)`,
      {
        subjects: { person },
        collections: {
          people,
          albums: collection('album', 'id person', { subject: { person: 'person' } }),
          prints: collection('print', 'id y album person', { subject: { person: 'person' } }),
        },
      },
    );
    expect(host.errors).toEqual([expect.stringContaining('erasure.foreign_key h.print_25.album')]);
    expect(await erase('person', '1')).toEqual({ code: 'erasure.blocked_by_constraint', changes: {} });
  });

  test('what is somebody else’s though it is deleted for the application', async () => {
    host = await invent(
      `${persons}
       create table h.thread (id int primary key, person int references h.person);
       create table h.comment (id int primary key, thread int references h.thread on delete cascade,
         person int references h.person, deleted_at timestamptz);
       insert into h.thread values (1, 1), (2, 1);
       insert into h.comment values (1, 1, 2, now()), (2, 2, 1, now())`,
      {
        subjects: { person },
        collections: {
          people,
          threads: collection('thread', 'id person', { subject: { person: 'person' } }),
          comments: collection('comment', 'id thread person deleted_at', {
            where: 't.deleted_at is null',
            subject: { person: 'person' },
          }),
        },
      },
    );
    expect(host.errors).toEqual([expect.stringContaining('erasure.foreign_key h.comment.thread')]);
    expect(await erase('person', '1')).toEqual({
      code: 'erasure.blocked_by_constraint',
      changes: {},
    });
  });
});

test('number 7 of one kind is not number 7 of another', async () => {
  const table = (name: string) => ({ ...person, table: name });
  const of = (name: string) =>
    collection(name, 'id mail', {
      subject: { [name]: 'id' },
      erasure: { rule: 'pseudonymise', set: { mail: 'pseudonym-mail' } },
    });
  host = await invent(
    `create schema h;
     create table h.staff (id int primary key, mail text);
     create table h.customer (id int primary key, mail text);
     create table h.talk (id int primary key, staff int, customer int);
     create table h.ticket (id int primary key, staff int);
     create table h.answer (id int primary key, ticket int references h.ticket on delete cascade, customer int);
     insert into h.staff values (7, 's@x.example');
     insert into h.customer values (7, 'c@x.example'), (8, 'd@x.example');
     insert into h.talk values (1, 7, 7), (2, 7, 8), (3, 7, null);
     insert into h.ticket values (1, 7), (2, 7);
     insert into h.answer values (1, 1, 7)`,
    {
      subjects: { staff: table('staff'), customer: table('customer') },
      collections: {
        staff: of('staff'),
        customers: of('customer'),
        talks: collection('talk', 'id staff customer', {
          subject: { staff: 'staff', customer: 'customer' },
          shared: 'keep-if-others',
        }),
        tickets: collection('ticket', 'id staff', { subject: { staff: 'staff' } }),
        answers: collection('answer', 'id ticket customer', { subject: { customer: 'customer' } }),
      },
    },
  );
  expect(host.errors).toEqual([expect.stringContaining('erasure.foreign_key h.answer.ticket')]);
  expect(await erase('staff', '7')).toEqual({ code: 'erasure.blocked_by_constraint', changes: {} });
  await host.host.database.behindTheScenes('delete from h.answer');
  expect((await erase('staff', '7')).code).toBe('erased');
  expect(await host.host.database.behindTheScenes('select id from h.talk order by 1')).toEqual([
    { id: 1 },
    { id: 2 },
  ]);
});

describe('a key that the map names and that is not unique', () => {
  const card = (erasure: unknown) => ({
    subjects: { person },
    collections: {
      people,
      cards: collection('card', 'no person holder', { key: ['no'], subject: { person: 'person' }, erasure }),
    },
  });

  test('is refused where rows are found again by it', async () => {
    host = await invent(
      `${persons} create table h.card (no int not null, person int references h.person, holder text)`,
      card({ rule: 'tombstone', clear: ['holder'] }),
    );
    expect(host.errors).toEqual([expect.stringContaining('The key of cards is not unique')]);
  });

  test('is refused behind a view too', async () => {
    host = await invent(
      `${persons}
       create table h.card_of (tenant int, no int, person int references h.person, holder text, primary key (tenant, no));
       create view h.card as select no, person, holder from h.card_of`,
      {
        ...card({ rule: 'tombstone', clear: ['holder'] }),
        exempt: [{ table: 'card_of', reason: 'mapped as a view' }],
      },
    );
    expect(host.errors).toEqual([expect.stringContaining('The key of cards is not unique')]);
  });

  test('erases nobody else’s rows behind a view', async () => {
    host = await invent(
      `${persons}
       create table h.card_of (tenant int, no int, person int references h.person, holder text, primary key (tenant, no));
       create view h.card as select no, person, holder from h.card_of;
       insert into h.card_of values (1, 1, 1, 'A'), (2, 1, 2, 'B')`,
      { ...card({ rule: 'delete' }), exempt: [{ table: 'card_of', reason: 'mapped as a view' }] },
    );
    expect(host.errors).toEqual([]);
    expect(await erase('person', '1')).toEqual({
      code: 'erased',
      changes: { 'h.card_of': { gone: 1, come: 0 }, 'h.person': { gone: 1, come: 1 } },
    });
  });

  test('and rows that hang from those behind a view are refused by the check, and before anything goes', async () => {
    host = await invent(
      `${persons}
       create table h.card_of (no int primary key, person int references h.person, holder text);
       create table h.stamp (id int primary key, card int references h.card_of on delete cascade, person int references h.person);
       create view h.card as select no, person, holder from h.card_of;
       insert into h.card_of values (1, 1, 'A');
       insert into h.stamp values (1, 1, 2)`,
      {
        ...card({ rule: 'delete' }),
        exempt: [
          { table: 'card_of', reason: 'mapped as a view' },
          { table: 'stamp', reason: 'a mistake' },
        ],
      },
    );
    expect(host.errors).toEqual([expect.stringContaining('erasure.foreign_key h.stamp.card')]);
    expect(await erase('person', '1')).toEqual({ code: 'erasure.blocked_by_constraint', changes: {} });
  });
});

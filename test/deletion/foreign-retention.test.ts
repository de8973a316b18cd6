import { afterEach, expect, test } from '@jest/globals';
import { settingsStatement } from '../../src/datamap/settings.js';
import { sweepable } from '../../src/datamap/sweepable.js';
import { RetentionSql } from '../../src/deletion/retention/sweep-sql.js';
import { collection, invent, type Invented } from './invented-host.js';

let host: Invented;
afterEach(() => host.drop());

/** Rows of a collection that a sweep would take. */
const over = async (name: string): Promise<unknown> => {
  const { map, catalogue } = host.host;
  const rule = sweepable(map.collections[name] as never);
  if (!rule) throw new Error('it has no end');
  const now = new Date();
  const aim = {
    rule,
    over: { at: now, inclusive: false },
    kept: { people: [], collections: new Set<string>() },
    now,
  };
  const { sql, values } = new RetentionSql(map, catalogue, aim).count();
  return host.host.asHost(async (db) => {
    const settings = settingsStatement({ subjects: [], workspaces: [] });
    await db.query(settings.sql, settings.values);
    return (await db.query<{ rows: number }>(sql, values))[0]?.rows;
  });
};

test('a sweep leaves rows on which others hang by a key that names a partition', async () => {
  host = await invent(
    `create schema h;
     create table h.person (id int primary key, mail text);
     create table h.entry (id int, y int, person int, at timestamptz, primary key (id, y)) partition by list (y);
     create table h.entry_25 partition of h.entry for values in (2025);
     create table h.entry_rest partition of h.entry default;
     create table h.remark (id int primary key, entry int, y int, person int,
       foreign key (entry, y) references h.entry_25 on delete cascade);
     insert into h.person values (1, 'a@x.example'), (2, 'b@x.example');
     insert into h.entry values (1, 2025, 1, '2025-01-01'), (2, 2025, 1, '2025-01-01'), (1, 2030, 1, '2025-01-01');
     insert into h.remark values (1, 1, 2025, 2)`,
    {
      subjects: {
        person: { table: 'person', key: 'id', identifiers: { mail: { column: 'mail', normalise: 'mail' } } },
      },
      collections: {
        people: collection('person', 'id mail', { subject: { person: 'id' } }),
        entries: collection('entry', 'id y person at', {
          subject: { person: 'person' },
          retention: { after: 'at', keep: 'P30D' },
        }),
        remarks: collection('remark', 'id entry y person', { subject: { person: 'person' } }),
      },
    },
  );
  expect(host.errors).toEqual([expect.stringContaining('erasure.foreign_key h.remark.entry, y')]);
  expect(await over('entries')).toBe(2);
});

test('a sweep leaves rows from which, over a row that only changes its name, something hangs that a law keeps', async () => {
  host = await invent(
    `create schema h;
     create table h.person (id int primary key, mail text);
     create table h.room (id int primary key, person int, closed timestamptz);
     create table h.note (id int primary key, room int references h.room on delete cascade, person int);
     create table h.bill (id int primary key, note int references h.note on delete cascade, person int);
     insert into h.person values (1, 'a@x.example');
     insert into h.room values (1, 1, '2025-01-01'), (2, 1, '2025-01-01');
     insert into h.note values (1, 1, 1), (2, 2, 1);
     insert into h.bill values (2, 2, 1);`,
    {
      subjects: {
        person: { table: 'person', key: 'id', identifiers: { mail: { column: 'mail', normalise: 'mail' } } },
      },
      collections: {
        people: collection('person', 'id mail', { subject: { person: 'id' } }),
        rooms: collection('room', 'id person closed', {
          subject: { person: 'person' },
          retention: { after: 'closed', keep: 'P30D' },
        }),
        notes: collection('note', 'id room person', {
          subject: { person: 'person' },
          erasure: { rule: 'clear', columns: ['person'] },
        }),
        bills: collection('bill', 'id note person', {
          subject: { person: 'person' },
          erasure: { rule: 'keep', ground: 'Law', until: 'P8Y' },
        }),
      },
    },
  );
  expect(await over('rooms')).toBe(1);
});

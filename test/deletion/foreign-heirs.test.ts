import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import { AuditLog } from '../../src/audit/events.js';
import { systemTenancy } from '../../src/database/tenancy.js';
import { settingsStatement } from '../../src/datamap/settings.js';
import { sweepable } from '../../src/datamap/sweepable.js';
import { type ErasureJob } from '../../src/deletion/erasure.js';
import { RetentionSql } from '../../src/deletion/retention/sweep-sql.js';
import { TombstonesSweep } from '../../src/deletion/tombstones/tombstones.sweep.js';
import { WorkspaceEraser } from '../../src/deletion/workspace-eraser.js';
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
const teams = collection('team', 'id', { subject: 'none', workspace: 'id', controller: 'workspace' });
const keep = { rule: 'keep', ground: 'a law', until: 'five years' };

/** The ids of the heirs are those of other rows of the parent: nothing in Postgres says that they differ. */
const tables = `create schema h;
  create table h.person (id int primary key, mail text);
  create table h.team (id int primary key);
  create table h.folder (id int primary key, person int, team int, at timestamptz);
  create table h.document (id int primary key, person int, team int, folder int, line text, at timestamptz);
  create table h.identity (number text, primary key (id)) inherits (h.document);
  create table h.passport (primary key (id)) inherits (h.identity);
  create table h.letter (primary key (id)) inherits (h.document);
  insert into h.person values (1, 'a@x.example'), (2, 'b@x.example');
  insert into h.team values (1), (2);
  insert into h.folder values (1, 1, 1, '2020-01-01');
  insert into h.document values (1, 1, 1, 1, 'document', '2020-01-01'), (9, 2, 2, null, 'document', '2020-01-01');
  insert into h.identity values (1, 1, 1, 1, 'identity', '2020-01-01', 'no 1');
  insert into h.passport values (1, 1, 1, 1, 'passport', '2020-01-01', 'no 2');
  insert into h.letter values (2, 1, 1, 1, 'letter', '2020-01-01');`;

const ofPerson = { subject: { person: 'person' }, workspace: 'team', controller: 'workspace' };

interface Rules {
  documents?: Record<string, unknown>;
  identities?: Record<string, unknown>;
  folders?: Record<string, unknown>;
}

const office = ({ documents = {}, identities = { erasure: keep }, folders = {} }: Rules = {}, more = '') =>
  invent(`${tables} ${more}`, {
    subjects: { person },
    workspaces: { table: 'team', key: 'id' },
    collections: {
      people,
      teams,
      folders: collection('folder', 'id person team at', { ...ofPerson, ...folders }),
      documents: collection('document', 'id person team folder line at', { ...ofPerson, ...documents }),
      identities: collection('identity', 'id person team folder line at number', {
        ...ofPerson,
        ...identities,
      }),
    },
  });

/** What lies in each table itself. */
const there = async (): Promise<Record<string, string[]>> => {
  const rows = await host.host.database.behindTheScenes<{ rel: string; line: string | null }>(
    'select tableoid::regclass::text as rel, line from h.document where person = 1 order by 1',
  );
  return Object.fromEntries(
    [...new Set(rows.map(({ rel }) => rel))].map((rel) => [
      rel,
      rows.filter((row) => row.rel === rel).map(({ line }) => line ?? 'emptied'),
    ]),
  );
};
const identities = { 'h.identity': ['identity'], 'h.passport': ['passport'] };
const all = { 'h.document': ['document'], ...identities, 'h.letter': ['letter'] };

const jobOf = async (more: Partial<ErasureJob> = {}): Promise<ErasureJob> =>
  host.situation.job([await host.situation.person('person', '1')], { workspaces: ['1'], ...more });

const told = (
  steps: readonly { collection: string; workspace?: string | null; rule: string; rows: number }[],
) =>
  steps
    .filter((step) => step.rows > 0 && /documents|identities/.test(step.collection))
    .map((step) => `${step.collection} ${step.rule} ${step.rows}`);

const purge = async (more: Partial<ErasureJob> = {}) => {
  const { db, host: map, erasures, files, clock } = host.situation;
  const tombstoneDue = () => clock.now();
  const eraser = new WorkspaceEraser({ database: db.database, host: map, erasures, files, tombstoneDue });
  const job: ErasureJob = {
    ...host.situation.job([], { scope: 'workspace', workspaces: ['1'] }),
    pseudonyms: { 'workspace:1': randomUUID() },
    ...more,
  };
  await db.database.within(systemTenancy(job.tenant, 'test'), (tx) => eraser.begin(tx, job));
  await eraser.run(job, {});
  await eraser.assertGone(job);
};

/** What a sweep of the collection counts, and what is left once it has run. */
const sweep = async (name: string): Promise<number> => {
  const { map, catalogue } = host.host;
  const rule = sweepable(map.collections[name] as never);
  if (!rule) throw new Error('it has no end');
  const now = new Date();
  const kept = { people: [], collections: new Set<string>() };
  const aim = { rule, over: { at: now, inclusive: false }, kept, now, workspace: '1' };
  const sql = new RetentionSql(map, catalogue, aim);
  return host.host.database.database.asHost(async (db) => {
    const settings = settingsStatement({ subjects: [], workspaces: ['1'] });
    await db.query(settings.sql, settings.values);
    const count = sql.count();
    const [counted] = await db.query<{ rows: number }>(count.sql, count.values);
    const pick = sql.pick(100, [], 'leaves');
    const picked = await db.query<{ rel: string; place: string }>(pick.sql, pick.values);
    const erase = sql.erase(picked);
    await db.query(erase.sql, erase.values);
    return counted?.rows ?? 0;
  });
};

describe('rows of an heir that is mapped on its own', () => {
  test('stay by its own rule when its parent’s rows are erased, and are planned, told and shown once', async () => {
    host = await office();
    expect(host.errors).toEqual([]);
    const job = await jobOf();
    expect(told((await host.situation.plan(job)).steps)).toEqual(['documents delete 2', 'identities keep 2']);
    const selection = { subjects: job.subjects, workspaces: ['1'] };
    const lines = async (name: string) =>
      (await host.host.lines(name, { ...selection, maskKey: Buffer.alloc(32) })).map(
        (line) => (JSON.parse(line.slice(0, -1)) as { line: string }).line,
      );
    expect(await lines('documents')).toEqual(['document', 'letter']);
    expect(await lines('identities')).toEqual(['identity', 'passport']);
    expect(told(await host.situation.erase(job))).toEqual(['documents delete 2', 'identities keep 2']);
    expect(await there()).toEqual(identities);
  });

  test('go by its own rule, and leave those of the parent that a law keeps', async () => {
    host = await office({ documents: { erasure: keep }, identities: {}, folders: { erasure: keep } });
    expect(host.errors).toEqual([]);
    await host.situation.erase(await jobOf());
    expect(await there()).toEqual({ 'h.document': ['document'], 'h.letter': ['letter'] });
  });

  test('stay where a hold covers them', async () => {
    host = await office({ identities: {} });
    expect(host.errors).toEqual([]);
    const kept = [{ collection: 'identities', workspace: '1', ground: 'a hold' }];
    await host.situation.erase(await jobOf({ kept }));
    expect(await there()).toEqual(identities);
  });

  test('also in a table made after the map was checked', async () => {
    host = await office();
    await host.host.database.behindTheScenes(
      `create table h.visa (primary key (id)) inherits (h.passport);
       insert into h.visa values (1, 1, 1, 1, 'visa', '2020-01-01', 'no 3')`,
    );
    await host.situation.erase(await jobOf());
    expect(await there()).toEqual({ ...identities, 'h.visa': ['visa'] });
  });

  test.each([
    ['pseudonymised', { rule: 'pseudonymise', set: { line: 'gone' } }, ['gone']],
    ['cleared', { rule: 'clear', columns: ['line'] }, ['emptied']],
  ])('are not %s with them', async (_, erasure, left) => {
    host = await office({ documents: { erasure }, folders: { erasure: keep } });
    await host.situation.erase(await jobOf());
    expect(await there()).toEqual({ 'h.document': left, ...identities, 'h.letter': left });
  });

  test('stay when rows are erased by keys that were noted, and that theirs are the same as', async () => {
    const way = {
      subject: { person: { column: 'person', join: [{ table: 'folder', on: { folder: 'id' } }] } },
    };
    host = await office({ documents: { ...way, shared: 'keep-if-others' } });
    await host.situation.erase(await jobOf());
    expect(await there()).toEqual(identities);
  });

  test('are no tombstones of the parent, though their keys are the same', async () => {
    const erasure = { rule: 'tombstone', clear: ['line'] };
    host = await office({
      documents: { erasure },
      identities: { erasure: { rule: 'clear', columns: ['line'] } },
      folders: { erasure: keep },
    });
    await host.situation.erase(await jobOf());
    const emptied = ['emptied'];
    expect(await there()).toEqual({
      'h.document': emptied,
      'h.identity': emptied,
      'h.passport': emptied,
      'h.letter': emptied,
    });
    const { clock } = host.situation;
    clock.advance(31 * 86_400_000);
    const parts = [host.host.database.database, host.situation.host, new AuditLog(), clock] as const;
    await new TombstonesSweep(...parts, {}).run();
    expect(await there()).toEqual({ 'h.identity': emptied, 'h.passport': emptied });
  });

  test('stay when a workspace is purged', async () => {
    host = await office();
    await purge();
    expect(await there()).toEqual(identities);
  });

  test('are not over when the parent’s are', async () => {
    const retention = { after: 'at', keep: 'P30D' };
    host = await office({ documents: { retention } });
    expect(host.errors).toEqual([]);
    expect(await there()).toEqual(all);
    expect(await sweep('documents')).toBe(2);
    expect(await there()).toEqual(identities);
  });

  test('do not hang from what the parent’s foreign key names, which they have not', async () => {
    host = await office(
      { folders: { retention: { after: 'at', keep: 'P30D' } } },
      'alter table h.document add foreign key (folder) references h.folder',
    );
    expect(host.errors).toEqual([]);
    expect(await sweep('folders')).toBe(1);
    expect(await there()).toEqual(identities);
  });
});

test('rows of an heir that is not mapped are its parent’s', async () => {
  host = await invent(tables, {
    subjects: { person },
    collections: {
      people,
      documents: collection('document', 'id person team folder line at', { subject: { person: 'person' } }),
    },
    exempt: [
      { table: 'team', reason: 'nobody' },
      { table: 'folder', reason: 'nobody' },
      { column: '*.number', reason: 'says nothing' },
    ],
  });
  expect(host.errors).toEqual([]);
  await host.situation.erase(host.situation.job([await host.situation.person('person', '1')]));
  expect(await there()).toEqual({});
});

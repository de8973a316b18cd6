import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { HOST_TENANT, systemTenancy } from '../../src/database/tenancy.js';
import { type ErasureJob } from '../../src/deletion/erasure.js';
import { WorkspaceEraser } from '../../src/deletion/workspace-eraser.js';
import { HostStores } from '../../src/storage/host-stores.js';
import { LocalStores } from '../../src/storage/local-store.js';
import { putText, Situation } from './eraser-situation.js';
import { collection, invent, type Invented } from './invented-host.js';

const scan = '5b0e2c1e-8a57-4c6c-9f3e-0d6a1f0c7b11';
const inHouse = { subject: { person: 'person' }, workspace: 'house', controller: 'workspace' };
const files = { bucket: { constant: 'papers' }, path: 'path' };

let host: Invented;
let home: string;
let stores: LocalStores;
let situation: Situation;
beforeAll(async () => {
  host = await invent(
    `create schema h;
     create table h.house (id int primary key, name text);
     create table h.person (id int primary key, mail text);
     create table h.doc (id int primary key, house int references h.house, person int references h.person, path text,
       deleted_at timestamptz, bucket text default 'papers');
     create table h.bill (id int primary key, house int, person int references h.person, path varchar(80));
     create table h.scan (id int primary key, house int references h.house, person int references h.person, path uuid)`,
    {
      subjects: {
        person: { table: 'person', key: 'id', identifiers: { mail: { column: 'mail', normalise: 'mail' } } },
      },
      workspaces: { table: 'house', key: 'id' },
      collections: {
        people: collection('person', 'id mail', {
          subject: { person: 'id' },
          erasure: { rule: 'pseudonymise', set: { mail: 'pseudonym-mail' } },
        }),
        houses: collection('house', 'id name', {
          subject: 'none',
          workspace: 'id',
          controller: 'workspace',
        }),
        docs: collection('doc', 'id house person path deleted_at bucket', {
          ...inHouse,
          files: { bucket: 'bucket', path: 'path' },
          where: 't.deleted_at is null',
        }),
        bills: collection('bill', 'id house person path', {
          ...{ ...inHouse, files },
          erasure: { rule: 'keep', ground: 'a law', until: 'it ends' },
        }),
        scans: collection('scan', 'id house person path', { ...inHouse, files }),
      },
    },
  );
  home = await mkdtemp(join(tmpdir(), 'named-'));
  stores = new LocalStores({ root: home, publicUrl: 'http://localhost', key: Buffer.alloc(32) });
  situation = await Situation.of(host.host.database, host.host.map, stores);
});
afterAll(async () => {
  await host.drop();
  await rm(home, { recursive: true, force: true });
});

const all = ['own', 'elses', 'elsewhere', 'deleted', 'billed', scan, 'odd/lead'];

// Row 1 to 6 are those of person 1 in house 1, who wrote into them whatever path they liked.
beforeEach(async () => {
  for (const path of all) await putText(stores, 'papers', path);
  await host.host.database.behindTheScenes(`
    truncate h.house, h.person, h.doc, h.bill, h.scan;
    delete from habeas.erasure_files;
    insert into h.house values (1, 'one'), (2, 'two');
    insert into h.person values (1, 'a@x.example'), (2, 'b@x.example');
    insert into h.doc values (1, 1, 1, 'own'), (2, 1, 1, 'elses'), (3, 1, 1, 'elsewhere'), (4, 1, 1, 'deleted'),
      (5, 1, 1, 'billed'), (6, 1, 1, '${scan}'),
      (7, 2, 2, 'elses'), (8, 2, 2, 'elsewhere'), (9, 2, 2, 'deleted');
    update h.doc set deleted_at = now() where id = 9;
    insert into h.bill values (1, 1, 1, 'billed');
    insert into h.scan values (1, 2, 2, '${scan}'), (2, 1, 1, '${randomUUID()}')`);
});

const left = async () => {
  const found: string[] = [];
  for (const path of all) if (await stores.bucket('papers').stat(path)) found.push(path);
  return found;
};

const erasePerson = async () =>
  situation.erase(situation.job([await situation.person('person', '1')], { workspaces: ['1', '2'] }));

async function purgeHouse() {
  const { db, host: held, erasures, files: named, clock } = situation;
  const job: ErasureJob = {
    ...{ id: randomUUID(), tenant: HOST_TENANT, jobId: randomUUID(), scope: 'workspace', subjects: [] },
    workspaces: ['1'],
    pseudonyms: { 'workspace:1': randomUUID() },
  };
  const eraser = new WorkspaceEraser({
    ...{ database: db.database, host: held, erasures, files: named },
    tombstoneDue: () => clock.now(),
  });
  await db.database.within(systemTenancy(job.tenant, 'test'), (tx) => eraser.begin(tx, job));
  return eraser.run(job, {});
}

const docsOf = (steps: Awaited<ReturnType<typeof purgeHouse>>) =>
  steps.find(({ collection: name }) => name === 'docs');
const noted = () => host.host.database.behindTheScenes('select path from habeas.erasure_files order by 1');

describe('a file that a row names which goes stays where one that stays names it as well', () => {
  test('of somebody else, of theirs that a law keeps, or of one that is deleted for the application', async () => {
    const steps = await erasePerson();
    expect(await left()).toEqual(['elses', 'elsewhere', 'deleted', 'billed', scan, 'odd/lead']);
    expect(docsOf(steps)).toMatchObject({ done: 6, files: 6, filesRemoved: 1 });
    expect(await noted()).toEqual([]);
  });

  test('of another workspace, when one is purged', async () => {
    const steps = await purgeHouse();
    expect(await left()).toEqual(['elses', 'elsewhere', 'deleted', 'billed', scan, 'odd/lead']);
    expect(docsOf(steps)).toMatchObject({ done: 6, filesRemoved: 1 });
  });
});

describe('a row that names the bucket of Habeas itself', () => {
  const hostile = `update h.doc set bucket = $1, path = 'packages/of-somebody.zip' where id = 1`;

  test.each(['dsar-exports', 'DSAR-Exports'])('has nothing removed from it (%s)', async (bucket) => {
    await putText(stores, bucket, 'packages/of-somebody.zip');
    await host.host.database.behindTheScenes(hostile, [bucket]);
    const { eraser: _, ...rest } = situation;
    const guarded = await Situation.of(rest.db, rest.host.map, new HostStores(stores, 'dsar-exports'));
    const person = await guarded.person('person', '1');
    const steps = await guarded.erase(guarded.job([person], { workspaces: ['1', '2'] }));
    expect(await stores.bucket(bucket).stat('packages/of-somebody.zip')).not.toBeNull();
    // Nor does the row keep the erasure from its end, or count as a file that went.
    expect(docsOf(steps)).toMatchObject({ done: 6, filesRemoved: 0 });
    expect(await noted()).toEqual([]);
  });
});

describe('a path as applications write it', () => {
  const instead = (rows: string) =>
    host.host.database.behindTheScenes(`delete from h.doc; insert into h.doc values ${rows}`);

  test.each([
    ['an erasure', erasePerson],
    ['a purge', purgeHouse],
  ])('with leading slashes is that of the object without them, in %s', async (_, run) => {
    await instead(`(1, 1, 1, '/odd/lead'), (2, 1, 1, '///own'), (3, 1, 1, 'deleted')`);
    expect(docsOf(await run())).toMatchObject({ done: 3, filesRemoved: 3 });
    expect(await left()).toEqual(['elses', 'elsewhere', 'billed', scan]);
    expect(await noted()).toEqual([]);
  });

  test('protects an object however many slashes each of its rows puts in front', async () => {
    await instead(`(1, 1, 1, '/elses'), (2, 1, 1, 'elsewhere'), (3, 1, 1, '//odd/lead'), (4, 1, 1, '/own'),
      (5, 2, 2, 'elses'), (6, 2, 2, '/elsewhere'), (7, 2, 2, '///odd/lead')`);
    expect(docsOf(await erasePerson())).toMatchObject({ done: 4, files: 4, filesRemoved: 1 });
    expect(await left()).toEqual(['elses', 'elsewhere', 'deleted', 'billed', scan, 'odd/lead']);
  });

  test.each([
    ['an erasure', erasePerson],
    ['a purge', purgeHouse],
  ])(
    'that no bucket can hold is nowhere, holds nothing up and counts as no removal, in %s',
    async (_, run) => {
      await instead(`(1, 1, 1, 'own'), (2, 1, 1, 'a//own'), (3, 1, 1, '../own'), (4, 1, 1, ''), (5, 1, 1, '/'),
      (6, 1, 1, '////own'), (7, 1, 1, E'own\\n'), (8, 1, 1, 'own/'), (9, 1, 1, null);
      insert into h.doc values (10, 1, 1, 'elses', null, null)`);
      expect(docsOf(await run())).toMatchObject({ done: 10, filesRemoved: 1 });
      expect(await left()).toEqual(all.filter((path) => path !== 'own'));
      expect(await noted()).toEqual([]);
    },
  );

  test('that a storage client writes with fewer slashes is not taken for nowhere while its object is there', async () => {
    await instead(`(1, 1, 1, 'odd//lead'), (2, 1, 1, 'own/'), (3, 1, 1, 'elses//'), (4, 2, 2, 'elses')`);
    await expect(erasePerson()).rejects.toMatchObject({
      code: 'erasure.files_left',
      message: expect.stringContaining('2 are written with slashes that their object may not have'),
      details: { extra: { left: 2 } },
    });
    expect(await left()).toEqual(all);
    expect(await noted()).toEqual([{ path: 'odd//lead' }, { path: 'own/' }]);
  });

  test('with a part longer than we can ask for is not taken for nowhere, since a bucket may hold it', async () => {
    const long = `papers/${'x'.repeat(300)}`;
    await instead(`(1, 1, 1, '${long}'), (2, 1, 1, 'own'), (3, 1, 1, '${'y/'.repeat(600)}z')`);
    await expect(erasePerson()).rejects.toMatchObject({
      code: 'erasure.files_left',
      details: { extra: { left: 1 } },
    });
    expect(await left()).toEqual(all.filter((path) => path !== 'own'));
    expect(await noted()).toEqual([{ path: long }]);
  });

  test('that is an address of the web waits for somebody, with the reason, and stops none of the others', async () => {
    const address = 'https://x.example/storage/v1/object/public/papers/own';
    await instead(`(1, 1, 1, '${address}'), (2, 1, 1, 'elses'), (3, 1, 1, 'a//b')`);
    await expect(erasePerson()).rejects.toMatchObject({
      code: 'erasure.files_left',
      message: expect.stringContaining('1 of them are addresses, not paths in a bucket'),
      details: { extra: { left: 1 } },
    });
    expect(await left()).toEqual(all.filter((path) => path !== 'elses'));
    expect(await noted()).toEqual([{ path: address }]);
  });
});

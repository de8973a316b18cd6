import { type Readable, Transform } from 'node:stream';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { demoPeople } from '../../demo/people.js';
import { HOST_TENANT } from '../../src/database/tenancy.js';
import { MAX_ATTEMPTS } from '../../src/dsar/retry-policy.js';
import { type ObjectStore } from '../../src/storage/object-store.js';
import { eventually } from '../support/eventually.js';
import { FaultyDesk, type Fault, supabaseThat } from './faulty-desk.js';
import { download } from './package.js';

const MINUTE = 60_000;

/** Lets some bytes through and then fails, as the source of an upload. */
const breaking = (source: Readable, error: Error): Readable => {
  let passed = 0;
  const breaks = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      passed += chunk.length;
      if (passed > 1000) done(error);
      else done(null, chunk);
    },
  });
  source.once('error', (cause) => breaks.destroy(cause));
  breaks.once('close', () => source.destroy());
  return source.pipe(breaks);
};
const putBreaks = (error: Error) => ({
  packages: (real: ObjectStore) => ({
    put: ((path, source, options) => real.put(path, breaking(source, error), options)) as ObjectStore['put'],
  }),
});

describe('an access request meets a fault', () => {
  let faulty: FaultyDesk;
  const cleanUp: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    faulty = await FaultyDesk.open();
  });
  afterEach(async () => {
    faulty.fault = {};
    for (const step of cleanUp.splice(0)) await step();
  });
  afterAll(() => faulty.desk.close());

  const sql = (text: string) => faulty.desk.db.behindTheScenes(text);
  const linkMails = async () =>
    (await faulty.desk.mails()).filter(
      ({ to, text }) => to?.[0]?.address === demoPeople.viewer.mail && text?.includes('/d/'),
    ).length;

  /** The fault ends: the next attempt succeeds, and there is one package and one link more than before. */
  async function expectMended(id: string, mailsBefore: number): Promise<void> {
    await faulty.fulfilled(id);
    await faulty.desk.sweep();
    expect(await faulty.stored(id)).toHaveLength(1);
    await eventually(async () => (await linkMails()) === mailsBefore + 1);
    expect(await faulty.onDesk(id)).toBeUndefined();
  }

  /** A request whose first attempt failed, so that the host can change between filing and building. */
  async function filedAndPutOff(): Promise<string> {
    faulty.fault = putBreaks(new Error('broken'));
    const id = await faulty.file('viewer');
    await faulty.afterAttempts(id, 1);
    faulty.fault = {};
    return id;
  }

  const faults: Record<string, { arrange: () => Promise<Fault>; code: string; says: RegExp }> = {
    'the upload breaks off': {
      arrange: () =>
        Promise.resolve(putBreaks(Object.assign(new Error('secret words'), { code: 'ECONNRESET' }))),
      code: 'export.failed',
      says: /^The package could not be built \(ECONNRESET\)\.$/,
    },
    'the disk of the store is full': {
      arrange: () => Promise.resolve(putBreaks(Object.assign(new Error('no space'), { code: 'ENOSPC' }))),
      code: 'storage.full',
      says: /disk.* full/,
    },
    'the store answers 500': {
      arrange: async () => {
        const { store, close } = await supabaseThat((request, response) => {
          request.resume();
          response.writeHead(500, { 'content-type': 'application/json' }).end('{"message":"oh"}');
        });
        cleanUp.push(close);
        return { packages: () => ({ put: store.put.bind(store) }) };
      },
      code: 'storage.unavailable',
      says: /could not store the object/,
    },
    'the store takes the package and never answers': {
      arrange: async () => {
        const { store, close } = await supabaseThat((request) => request.resume());
        cleanUp.push(close);
        return { packages: () => ({ put: store.put.bind(store) }) };
      },
      code: 'storage.unavailable',
      says: /could not store the object/,
    },
    'the store takes nothing and hangs': {
      arrange: async () => {
        const { store, close } = await supabaseThat((request) => request.pause());
        cleanUp.push(close);
        return { packages: () => ({ put: store.put.bind(store) }) };
      },
      code: 'storage.unavailable',
      says: /could not store the object/,
    },
    'the host’s store of attachments fails': {
      arrange: async () => {
        const { store, close } = await supabaseThat((_request, response) => {
          response.writeHead(500, { 'content-type': 'application/json' }).end('{"message":"oh"}');
        });
        cleanUp.push(close);
        return { attachments: () => ({ get: store.get.bind(store) }) };
      },
      code: 'storage.unavailable',
      says: /could not read the object/,
    },
    'the host’s store of attachments ends in the middle of a file': {
      arrange: () =>
        Promise.resolve({
          attachments: (real: ObjectStore) => ({
            get: async (path) => breaking(await real.get(path), new Error('cut')),
          }),
        }),
      code: 'export.failed',
      says: /could not be built/,
    },
  };

  test.each(Object.entries(faults))(
    '%s: it says so, lists nothing, waits a minute, and then succeeds',
    async (_, { arrange, code, says }) => {
      const before = await linkMails();
      faulty.fault = await arrange();
      const id = await faulty.file('viewer');
      const failed = await faulty.afterAttempts(id, 1);
      expect(failed).toMatchObject({ status: 'in_progress', attempts: 1, failure: { code } });
      expect(failed.failure?.message).toMatch(says);
      expect(failed.nextAttemptAt).toEqual(new Date(faulty.desk.clock.now().getTime() + MINUTE));
      expect(await faulty.stored(id)).toEqual([]);
      expect(await faulty.onDesk(id)).toMatchObject({ failure: { code } });

      await faulty.desk.sweep(); // not due yet
      expect(await faulty.standing(id)).toEqual(failed);
      faulty.fault = {};
      await faulty.later(1);
      await expectMended(id, before);
    },
  );

  test('that stays: it is tried again ever later, then is failed and on the desk, until staff try again', async () => {
    const before = await linkMails();
    faulty.fault = putBreaks(new Error('broken'));
    const id = await faulty.file('viewer');
    const waits: number[] = [];
    for (let attempts = 1; attempts < MAX_ATTEMPTS; attempts += 1) {
      const { nextAttemptAt } = await faulty.afterAttempts(id, attempts);
      const wait = ((nextAttemptAt?.getTime() ?? 0) - faulty.desk.clock.now().getTime()) / MINUTE;
      waits.push(wait);
      await faulty.later(wait);
    }
    expect(waits).toEqual([1, 5, 15, 60, 240, 720]);
    const standing = await faulty.afterAttempts(id, MAX_ATTEMPTS);
    expect(standing).toMatchObject({
      status: 'failed',
      nextAttemptAt: null,
      failure: { code: 'export.failed' },
    });
    expect(await faulty.onDesk(id)).toMatchObject({ status: 'failed' });
    expect(await faulty.stored(id)).toEqual([]);
    await faulty.later(24 * 60);
    expect((await faulty.standing(id)).status).toBe('failed');

    faulty.fault = {};
    expect((await faulty.retry(id)).status).toBe(201);
    await expectMended(id, before);
    const actions = await faulty.desk.db.behindTheScenes<{ action: string; times: number }>(
      `select action, count(*)::int as times from habeas.events
       where tenant_id = $2 and targets @> jsonb_build_array(jsonb_build_object('type', 'request', 'id', $1::text))
         and action ~ 'attempt|failed|retried|ready' group by action order by action`,
      [id, HOST_TENANT],
    );
    expect(actions).toEqual([
      { action: 'package.ready', times: 1 },
      { action: 'request.attempt_failed', times: MAX_ATTEMPTS - 1 },
      { action: 'request.failed', times: 1 },
      { action: 'request.retried', times: 1 },
    ]);
    // What failed is told as failed to each workspace that has a part of it, too.
    const outcomes = await faulty.desk.db.behindTheScenes(
      `select distinct action, tenant_id = $2 as "atHost", outcome from habeas.events
       where targets @> jsonb_build_array(jsonb_build_object('type', 'request', 'id', $1::text))
         and action ~ 'failed|retried' order by 1, 2`,
      [id, HOST_TENANT],
    );
    expect(outcomes).toEqual([
      { action: 'request.attempt_failed', atHost: false, outcome: 'failure' },
      { action: 'request.attempt_failed', atHost: true, outcome: 'failure' },
      { action: 'request.failed', atHost: false, outcome: 'failure' },
      { action: 'request.failed', atHost: true, outcome: 'failure' },
      { action: 'request.retried', atHost: false, outcome: 'success' },
      { action: 'request.retried', atHost: true, outcome: 'success' },
    ]);
  });

  test('the connection is cut in the middle of a COPY: the next attempt has another one', async () => {
    const before = await linkMails();
    const id = await filedAndPutOff();
    const lock = new pg.Client({ connectionString: faulty.desk.db.ownerUrl });
    await lock.connect();
    cleanUp.push(() => lock.end());
    await lock.query('begin; lock table atelier.messages in access exclusive mode');
    await faulty.later(1);
    await eventually(async () => {
      const cut = await sql(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and query ~ '^copy' and wait_event_type = 'Lock'`,
      );
      return cut.length > 0;
    });
    const failed = await faulty.afterAttempts(id, 2);
    await lock.query('rollback');
    expect(failed.failure?.code).toBe('export.failed');
    expect(await faulty.stored(id)).toEqual([]);
    await faulty.later(5);
    await expectMended(id, before);
  });

  describe('the host’s schema is no longer what the map says', () => {
    test('a column is dropped: it waits, names it to staff, wears no attempt down, goes on when it is back', async () => {
      const before = await linkMails();
      const id = await filedAndPutOff();
      await sql('alter table atelier.users rename column phone to telephone');
      await faulty.desk.lookAtHost();
      await faulty.later(1);
      const waiting = await failedWith(id, 'datamap.drift');
      expect(waiting).toMatchObject({ status: 'in_progress', attempts: 1 });
      expect(waiting.failure?.message).toContain('Column atelier.users.phone is gone');
      expect(await faulty.onDesk(id)).toMatchObject({ failure: { code: 'datamap.drift' } });

      for (let hour = 0; hour < 5; hour += 1) {
        await faulty.later(60);
        await eventually(async () => (await openJobs()) === 0);
      }
      const told = await faulty.desk.db.behindTheScenes(
        `select 1 from habeas.events where tenant_id = $2 and metadata ->> 'code' = 'datamap.drift'
         and targets @> jsonb_build_array(jsonb_build_object('type', 'request', 'id', $1::text))`,
        [id, HOST_TENANT],
      );
      expect(told).toHaveLength(1); // not once for each time it looked
      expect((await faulty.standing(id)).attempts).toBe(1);

      await sql('alter table atelier.users rename column telephone to phone');
      await faulty.desk.lookAtHost();
      await faulty.later(0);
      await expectMended(id, before);
    });

    test('and nobody has looked yet: Postgres names the column, and after the next look it waits', async () => {
      const before = await linkMails();
      const id = await filedAndPutOff();
      await sql('alter table atelier.messages rename column client to app');
      await faulty.later(1);
      const failed = await faulty.afterAttempts(id, 2);
      expect(failed.failure?.code).toBe('export.host_changed');
      expect(failed.failure?.message).toContain('column t.client does not exist');
      expect(await faulty.stored(id)).toEqual([]);
      await faulty.desk.lookAtHost();
      await faulty.later(5);
      expect(await failedWith(id, 'datamap.drift')).toMatchObject({ attempts: 2 });
      await sql('alter table atelier.messages rename column app to client');
      await faulty.desk.lookAtHost();
      await faulty.later(1);
      await expectMended(id, before);
    });

    test('a grant is revoked: it fails and says on which table, and nothing smaller is handed out', async () => {
      const before = await linkMails();
      const id = await filedAndPutOff();
      await sql('revoke select on atelier.messages from habeas_host');
      await faulty.later(1);
      const failed = await faulty.afterAttempts(id, 2);
      expect(failed.failure?.message).toContain('permission denied for table messages');
      expect(await faulty.stored(id)).toEqual([]);
      await sql('grant select on atelier.messages to habeas_host');
      await faulty.later(5);
      await expectMended(id, before);
    });

    const failedWith = (id: string, code: string) =>
      eventually(async () => {
        const standing = await faulty.standing(id);
        return standing.failure?.code === code ? standing : undefined;
      });
    const openJobs = async () =>
      (
        await sql(
          `select 1 from habeas_jobs.job where name = 'access-fulfilment' and state in ('created', 'active', 'retry')`,
        )
      ).length;
  });

  test('an attachment is not in the host’s store: the package is whole without it and lists it as missing', async () => {
    const [gone] = await faulty.desk.db.behindTheScenes<{
      id: string;
      name: string;
      path: string;
      bucket: string;
    }>(
      `select a.id, a.name, a.path, a.bucket from atelier.attachments a join atelier.messages m on m.id = a.message_id
       where m.author_id = $1 order by a.id limit 1`,
      [demoPeople.viewer.userId],
    );
    const places: [string, string | null][] = [
      ['nowhere/gone.pdf', gone?.bucket ?? ''],
      ['../../etc/passwd', gone?.bucket ?? ''],
      [gone?.path ?? '', '../dsar-exports'],
      [gone?.path ?? '', 'dsar-exports'],
    ];
    for (const [path, bucket] of places) {
      await faulty.desk.db.behindTheScenes(
        'update atelier.attachments set path = $2, bucket = $3 where id = $1',
        [gone?.id, path, bucket],
      );
      await faulty.later(1); // so that its mail is the newest
      const before = await linkMails();
      await expectMended(await faulty.file('viewer'), before);
      const its = await download(faulty.desk, await faulty.desk.linkTo(demoPeople.viewer.mail, 'd'));
      expect({ path, bucket, missing: its.manifest.missingFiles }).toEqual({
        path,
        bucket,
        missing: [{ collection: 'attachments', key: [gone?.id], name: gone?.name }],
      });
    }
  });

  test('nothing of all this is left behind: no folder, no upload, no connection in a transaction', async () => {
    expect((await readdir(tmpdir())).filter((name) => name.startsWith('habeas-list-'))).toEqual([]);
    expect(await readdir(`${faulty.desk.config.home}/objects/.incoming`)).toEqual([]);
    await eventually(async () => (await stuckConnections()).length === 0);
  });

  const stuckConnections = () =>
    sql(
      `select pid from pg_stat_activity where datname = current_database() and usename = 'habeas_login' and state ~ 'in transaction'`,
    );
});

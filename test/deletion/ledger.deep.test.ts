import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { demoPeople } from '../../demo/people.js';
import { readDataMap } from '../../src/app/data-map.js';
import { openServer } from '../../src/app/database-server.js';
import { loadDemoHost } from '../../src/app/demo-host.js';
import { planErasures, replayErasures } from '../../src/app/erasure-ledger.js';
import { openStores } from '../../src/app/stores.js';
import { type Config, readConfig } from '../../src/config.js';
import { Database } from '../../src/database/database.js';
import { keyOf } from '../../src/keys/key-files.js';
import { Sealing } from '../../src/keys/sealing.js';
import { Signing } from '../../src/keys/signing.js';
import { type TestDatabase } from '../support/database.js';
import { Situation } from './eraser-situation.js';
import { LedgerSituation } from './ledger-situation.js';

const run = promisify(execFile);
const { userId, mail } = demoPeople.member;

describe('a data folder copied before an erasure and put back after it', () => {
  let home: string;
  let config: Config;
  let pseudonym: string;
  let backupTaken: string;
  const folder = () => join(home, 'postgres');

  beforeAll(async () => {
    // Not below a folder of root's alone: Postgres may run as another user.
    home = await mkdtemp(join(process.env.HABEAS_TEST_HOME ?? tmpdir(), 'ledger-deep-'));
    config = readConfig({ HABEAS_HOME: home, LOG_LEVEL: 'silent' });
    const map = readDataMap(config);
    const server = await openServer(config);
    await loadDemoHost(server.ownerUrl, map, openStores(config));
    await server.stop();
    backupTaken = new Date().toISOString();
    await run('cp', ['-a', folder(), join(home, 'backup')]);

    const again = await openServer(config);
    const db = await opened(again.url, again.ownerUrl);
    const sealing = new Sealing(keyOf(home, 'master'));
    const signing = Signing.of(config);
    const situation = await Situation.of(db, map, openStores(config));
    const ledger = new LedgerSituation(situation, { sealing, signing });
    const member = await situation.person('user', userId);
    const workspaces = await db.database.asHost((host) =>
      situation.host.workspaces.workspacesTouched(host, [member]),
    );
    const job = situation.job([member], { workspaces });
    pseudonym = job.pseudonyms[`user:${userId}`] ?? '';
    await situation.erase(job);
    await ledger.enter(job, new Date());
    await db.drop();
    await again.stop();
  }, 120_000);
  afterAll(() => rm(home, { recursive: true, force: true }));

  async function opened(url: string, ownerUrl: string): Promise<TestDatabase> {
    const database = await Database.connect(url);
    const owner = new pg.Pool({ connectionString: ownerUrl, max: 2 });
    return {
      url,
      ownerUrl,
      database,
      behindTheScenes: async <Row>(sql: string, values?: unknown[]) =>
        (await owner.query(sql, values)).rows as Row[],
      drop: async () => {
        await database.close();
        await owner.end();
      },
    };
  }

  async function memberNow() {
    const server = await openServer(config);
    const client = new pg.Client({ connectionString: server.ownerUrl });
    await client.connect();
    const { rows } = await client.query<{ email: string; messages: string }>(
      `select email, (select count(*) from atelier.messages where author_id = $1)::text as messages
       from atelier.users where id = $1`,
      [userId],
    );
    await client.end();
    await server.stop();
    return rows[0];
  }

  test('has the person in it again, until the ledger is replayed', async () => {
    expect(await memberNow()).toEqual({ email: `deleted-${pseudonym}@deleted.invalid`, messages: '0' });
    expect((await planErasures(config)).exitCode).toBe(0);

    await rm(folder(), { recursive: true });
    await run('cp', ['-a', join(home, 'backup'), folder()]);
    const back = await memberNow();
    expect(back?.email.toLowerCase()).toBe(mail);
    expect(Number(back?.messages)).toBeGreaterThan(0);

    const plan = await planErasures(config, backupTaken);
    expect([plan.exitCode, plan.text]).toEqual([
      1,
      expect.stringContaining('1 erasure looked at: 1 undone.'),
    ]);
    let text = '';
    const write = (more: string) => void (text += more);
    expect(await replayErasures(config, { since: backupTaken, write })).toBe(0);
    expect(text).toContain('1 erasure repeated, 0 left to look at.');

    expect(await memberNow()).toEqual({ email: `deleted-${pseudonym}@deleted.invalid`, messages: '0' });
    expect((await planErasures(config)).exitCode).toBe(0);
  }, 120_000);
});

import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { demoPeople } from '../../demo/people.js';
import { readDataMap } from '../../src/app/data-map.js';
import { readConfig } from '../../src/config.js';
import { LocalStores } from '../../src/storage/local-store.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { difference, putText, Situation } from './eraser-situation.js';

const acme = demoPeople.owner.workspaceId;
const map = readDataMap(readConfig({ HABEAS_HOME: '.habeas' }));

let db: TestDatabase;
let home: string;
let stores: LocalStores;
let situation: Situation;

beforeEach(async () => {
  db = await createDatabase('atelier_template');
  home = await mkdtemp(join(tmpdir(), 'erase-'));
  stores = new LocalStores({ root: home, publicUrl: 'http://localhost', key: Buffer.alloc(32) });
  situation = await Situation.of(db, map, stores);
});
afterEach(async () => {
  await db.drop();
  await rm(home, { recursive: true, force: true });
});

const count = async (sql: string, ...values: unknown[]): Promise<number> =>
  Number((await db.behindTheScenes<{ n: string }>(`select count(*) as n from ${sql}`, values))[0]?.n);

const memberJob = async () => {
  const member = await situation.person('user', demoPeople.member.userId);
  const workspaces = await db.database.asHost((host) => situation.host.workspaces.workspacesTouched(host, [member]));
  return situation.job([member], { workspaces });
};

describe('erasing a member', () => {
  test('runs workspaces first and the account last, and leaves nothing of the person', async () => {
    const job = await memberJob();
    const me = demoPeople.member.userId;
    const own = await db.behindTheScenes<{ bucket: string; path: string }>(
      'select bucket, path from atelier.attachments join atelier.messages m on m.id = message_id where author_id = $1', [me]);
    for (const { bucket, path } of own) await putText(stores, bucket, path);
    expect(own.length).toBeGreaterThan(0);
    const before = await situation.rows('atelier');
    const plan = await situation.plan(job);
    const done = await situation.erase(job);
    const after = await situation.rows('atelier');
    console.log(plan.steps, done.map(({ collection, rows, done, files, filesRemoved }) => ({ collection, rows, done, files, filesRemoved })), difference(before, after));
    expect(done.at(-1)?.collection).toBe('users');
  });
});

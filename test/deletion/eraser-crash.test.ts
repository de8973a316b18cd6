import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { demoPeople } from '../../demo/people.js';
import { readDataMap } from '../../src/app/data-map.js';
import { readConfig } from '../../src/config.js';
import { LocalStores } from '../../src/storage/local-store.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { difference, putText, Situation } from './eraser-situation.js';

const root = join(import.meta.dirname, '..', '..');
const me = demoPeople.member.userId;
const map = readDataMap(readConfig({ HABEAS_HOME: '.habeas' }));

let db: TestDatabase;
let home: string;
let situation: Situation;
let stores: LocalStores;
beforeEach(async () => {
  db = await createDatabase('atelier_template');
  home = await mkdtemp(join(tmpdir(), 'crash-'));
  stores = new LocalStores({ root: home, publicUrl: 'http://localhost', key: Buffer.alloc(32) });
  situation = await Situation.of(db, map, stores);
});
afterEach(async () => {
  await db.drop();
  await rm(home, { recursive: true, force: true });
});

/** @returns the signal that ended the process, null where it came to its end */
async function erase(order: object): Promise<NodeJS.Signals | null> {
  const child = spawn(
    process.execPath,
    ['--import', './scripts/typescript-loader.js', 'test/deletion/crash-eraser.ts', JSON.stringify(order)],
    {
      cwd: root,
      env: { PATH: process.env.PATH, HOME: process.env.HOME, TMPDIR: process.env.TMPDIR },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  if (signal === null && code !== 0) throw new Error(said);
  return signal;
}

test('a process killed again and again, before and after a COMMIT, leaves what one run would have left', async () => {
  const person = await situation.person('user', me);
  const workspaces = await db.database.asHost((host) =>
    situation.host.workspaces.workspacesTouched(host, [person]),
  );
  const job = situation.job([person], { workspaces });
  const mine = await db.behindTheScenes<{ bucket: string; path: string }>(
    'select bucket, path from atelier.attachments join atelier.messages m on m.id = message_id where author_id = $1',
    [me],
  );
  for (const { bucket, path } of mine) await putText(stores, bucket, path);
  await situation.begin(job);
  const before = await situation.rows('atelier');
  const signals = [];
  const order = { url: db.url, home, tenant: job.tenant, jobId: job.jobId };
  for (const [at, when] of [
    [5, 'before'],
    [5, 'after'],
    [7, 'before'],
    [9, 'after'],
    [1000, 'after'],
  ] as const)
    signals.push(await erase({ ...order, at, when }));
  expect(signals).toEqual(['SIGKILL', 'SIGKILL', 'SIGKILL', 'SIGKILL', null]);
  expect(difference(before, await situation.rows('atelier'))).toEqual({
    'atelier.attachments': { gone: 22, come: 0 },
    'atelier.integrations': { gone: 1, come: 0 },
    'atelier.memberships': { gone: 1, come: 0 },
    'atelier.messages': { gone: 958, come: 0 },
    'atelier.users': { gone: 1, come: 1 },
    'atelier.workroom_invitations': { gone: 1, come: 1 },
  });
  expect(await db.behindTheScenes('select email from atelier.users where id = $1', [me])).toEqual([
    { email: `deleted-${job.pseudonyms[`user:${me}`]}@deleted.invalid` },
  ]);
  for (const { bucket, path } of mine) expect(await stores.bucket(bucket).stat(path)).toBeNull();
  const steps = await situation.eraser.run(job);
  expect(steps.map(({ done }) => done)).toEqual([22, 958, 1, 0, 1, 1, 1, 1]);
}, 60_000);

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { LedgerRequests } from './ledger-requests.js';
import { backup, dropBackup, restore } from './ledger-situation.js';

const root = join(import.meta.dirname, '..', '..');

let its: LedgerRequests;
let saved: string;
beforeAll(async () => {
  its = await LedgerRequests.open();
});
afterAll(async () => {
  await dropBackup(its.desk.db, saved);
  await its.desk.close();
});

interface Run {
  /** What ended it; null: it came to its end by itself. */
  signal: NodeJS.Signals | null;
  code: number | null;
  steps: string[];
  said: string;
}

async function replay(killAt: number): Promise<Run> {
  const { db, config, clock } = its.desk;
  const order = {
    ...{ url: db.url, home: config.home, killAt },
    since: '2026-11-20T00:00:00Z',
    now: clock.now().toISOString(),
  };
  const args = ['--import', './scripts/typescript-loader.js', 'test/deletion/ledger-crash-replay.ts'];
  const child = spawn(process.execPath, [...args, JSON.stringify(order)], {
    cwd: root,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, TMPDIR: process.env.TMPDIR },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (out += text));
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  const lines = out.split('\n');
  const steps = lines.flatMap((line) => /^\d+ (.+)$/.exec(line)?.[1] ?? []);
  const said = lines.flatMap((line) => /^said (.+)$/.exec(line)?.[1] ?? []).join('\n');
  if (signal === null && code !== 0) throw new Error(out);
  return { signal, code, steps, said };
}

test('a replay that is killed (kill -9) at any object and step is simply run again: erased as before, told once', async () => {
  await its.earlierPackage();
  const [mine, theirs] = [await its.ask(), await its.ask('viewer')];
  saved = await backup(its.desk.db);
  await its.fulfil(mine);
  await its.fulfil(theirs);
  const first = [await its.memory(mine.id), await its.memory(theirs.id)];
  expect(first).toMatchObject([{ mailsTold: 2 }, { mailsTold: 2 }]);

  await restore(its.desk.db, saved);
  const whole = await replay(Number.MAX_SAFE_INTEGER);
  expect(whole.said).toContain('2 erasures repeated, 0 left to look at.');
  await its.desk.sweep();
  expect([await its.memory(mine.id), await its.memory(theirs.id)]).toEqual(first);
  expect((await replay(1_000_000)).said).toContain('0 erasures repeated, 0 left to look at.');

  // One run after the other dies a little later, without a restore between them; then each finds a fresh backup.
  const { length } = whole.steps;
  expect(length).toBeGreaterThan(100);
  await restore(its.desk.db, saved);
  for (const share of [0.1, 0.3]) expect((await replay(Math.round(length * share))).signal).toBe('SIGKILL');
  expect((await replay(1_000_000)).said).toContain('0 left to look at.');
  await its.desk.sweep();
  expect([await its.memory(mine.id), await its.memory(theirs.id)]).toEqual(first);

  const last = (name: string, which: number) =>
    whole.steps.flatMap((step, n) => (step === name ? [n + 1] : [])).at(which) as number;
  for (const killAt of [
    last('erasure-ledger: before COMMIT', -3), // all is done, and the database does not know
  ]) {
    await restore(its.desk.db, saved);
    expect((await replay(killAt)).signal).toBe('SIGKILL');
    await replay(1_000_000);
    await its.desk.sweep();
    expect([await its.memory(mine.id), await its.memory(theirs.id)]).toEqual(first);
  }

  // Nobody replays again: the requests' own workers finish what it has begun.
  await restore(its.desk.db, saved);
  expect((await replay(Math.round(length * 0.3))).signal).toBe('SIGKILL');
  its.desk.clock.advance(3_600_000);
  await its.fulfil(mine);
  await its.fulfil(theirs);
  expect([await its.memory(mine.id), await its.memory(theirs.id)]).toEqual(first);
}, 240_000);

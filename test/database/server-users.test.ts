import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ServerUsers } from '../../src/database/server-users.js';

let home: string;
beforeEach(async () => (home = await mkdtemp(join(tmpdir(), 'habeas-users-'))));
afterEach(() => rm(home, { recursive: true, force: true }));

/** The number of a process that has ended. */
const dead = () => Number(execFileSync('sh', ['-c', 'echo $$'], { encoding: 'utf8' }));

test('only the last to leave is told to stop the server', async () => {
  const [one, other] = [new ServerUsers(home), new ServerUsers(home)];
  await one.enter();
  await other.enter();
  expect(await one.leave()).toBe(false);
  expect(await other.leave()).toBe(true);
});

test('one that was killed counts no more, also when its number belongs to another process now', async () => {
  const users = new ServerUsers(home);
  await users.enter();
  await writeFile(join(home, 'postgres.users', `${dead()}-1-abc`), '');
  await writeFile(join(home, 'postgres.users', `${process.pid}-1-abc`), '');
  expect(await users.leave()).toBe(true);
});

test('starts and stops take turns', async () => {
  const order: string[] = [];
  const turn = (name: string) =>
    new ServerUsers(home).exclusively(async () => {
      order.push(`${name} begins`);
      await new Promise(setImmediate);
      order.push(`${name} ends`);
    });
  await Promise.all([turn('one'), turn('two'), turn('three')]);
  for (let i = 0; i < order.length; i += 2) expect(order[i + 1]).toBe(order[i]?.replace('begins', 'ends'));
  expect(existsSync(join(home, 'postgres.lock'))).toBe(false);
});

test('a turn that ended badly, or by kill -9, keeps nobody waiting', async () => {
  const users = new ServerUsers(home);
  await expect(users.exclusively(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await writeFile(join(home, 'postgres.lock'), `${dead()}-1`);
  expect(await users.exclusively(() => Promise.resolve('next'))).toBe('next');
});

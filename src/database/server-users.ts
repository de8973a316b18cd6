import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DomainError } from '../errors.js';

const PATIENCE_MS = 120_000;
const ABANDONED_MS = 10_000;

/**
 * Which processes of this machine use the server of a home, as one file each. Whoever leaves last stops it; one
 * that was killed counts no more.
 */
export class ServerUsers {
  private readonly folder: string;
  private readonly lock: string;
  private me?: string;

  constructor(home: string) {
    this.folder = join(home, 'postgres.users');
    this.lock = join(home, 'postgres.lock');
  }

  async enter(): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    this.me = `${await markOf(process.pid)}-${randomBytes(3).toString('hex')}`;
    await writeFile(join(this.folder, this.me), '', { mode: 0o600 });
  }

  /** @returns whether nobody else is left */
  async leave(): Promise<boolean> {
    if (this.me) await rm(join(this.folder, this.me), { force: true });
    let others = 0;
    for (const name of await readdir(this.folder).catch(() => [])) {
      if (await lives(name)) others += 1;
      else await rm(join(this.folder, name), { force: true });
    }
    return others === 0;
  }

  /** One process at a time starts or stops the server, so that none stops what another has just found running. */
  async exclusively<T>(work: () => Promise<T>): Promise<T> {
    const mark = await markOf(process.pid);
    const giveUpAt = Date.now() + PATIENCE_MS;
    while (!(await taken(this.lock, mark ?? ''))) {
      if (Date.now() > giveUpAt) {
        throw new DomainError(
          'database.embedded_failed',
          `Another process has been starting or stopping the embedded Postgres for minutes. If there is none, delete ${this.lock}.`,
        );
      }
      await sleep(50);
    }
    try {
      return await work();
    } finally {
      await rm(this.lock, { force: true });
    }
  }
}

async function taken(lock: string, mark: string): Promise<boolean> {
  try {
    await writeFile(lock, mark, { mode: 0o600, flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const holder = await readFile(lock, 'utf8').catch(() => '');
  // Empty: it is being written this very moment, unless it has been so for a while.
  const stale = holder === '' ? await isOld(lock) : !(await lives(holder));
  if (stale) await breakLock(lock, holder);
  return false;
}

/** Two may find the same lock stale; only one may remove it, and only if it still is that one. */
async function breakLock(lock: string, holder: string): Promise<void> {
  const breaking = `${lock}.breaking`;
  try {
    await mkdir(breaking);
  } catch {
    if (await isOld(breaking)) await rmdir(breaking).catch(() => undefined);
    return;
  }
  try {
    if ((await readFile(lock, 'utf8').catch(() => undefined)) === holder) await rm(lock, { force: true });
  } finally {
    await rmdir(breaking).catch(() => undefined);
  }
}

const isOld = (path: string): Promise<boolean> =>
  stat(path).then(
    ({ mtimeMs }) => Date.now() - mtimeMs > ABANDONED_MS,
    () => false,
  );

const lives = async (mark: string): Promise<boolean> => {
  const [pid, since] = mark.split('-');
  return pid !== undefined && (await markOf(Number(pid))) === `${pid}-${since ?? ''}`;
};

/** `pid-start time`, so that a later process of the same number is another one; undefined for no process. */
async function markOf(pid: number): Promise<string | undefined> {
  if (!Number.isInteger(pid) || pid <= 0 || !isAlive(pid)) return undefined;
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The name in brackets may itself hold spaces and brackets; the start time is field 22.
  const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (state === 'Z') return undefined;
  return `${pid}-${fields[18] ?? 0}`;
}

/** Whether there is a process of that number, be it another user's. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

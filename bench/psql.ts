import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { asScript, isCopy, type Statement } from './statements.js';

const run = promisify(execFile);

/** Whether psql is on this machine. */
export const hasPsql = (): Promise<boolean> =>
  run('psql', ['--version']).then(
    () => true,
    () => false,
  );

export interface Timed {
  seconds: number;
  /** Of each COPY, in order, as psql's own \timing says. */
  copySeconds: number[];
}

/** psql runs these statements, and what comes goes to /dev/null. The script stays in `file`. */
export async function timePsql(url: string, statements: readonly Statement[], file: string): Promise<Timed> {
  await writeFile(file, asScript(statements), { mode: 0o600 });
  const args = ['--no-psqlrc', '--quiet', '--set=ON_ERROR_STOP=1', '--output=/dev/null'];
  const begun = performance.now();
  const { stdout } = await run('psql', [...args, '--command=\\timing on', `--file=${file}`, url]);
  const seconds = (performance.now() - begun) / 1000;
  const times = [...stdout.matchAll(/^Time: ([\d.]+) ms/gm)].map(([, ms]) => Number(ms) / 1000);
  if (times.length !== statements.length)
    throw new Error(`psql told ${times.length} times for ${statements.length} statements`);
  return { seconds, copySeconds: times.filter((_, n) => isCopy(statements[n] as Statement)) };
}

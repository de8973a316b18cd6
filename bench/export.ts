import { fork } from 'node:child_process';
import { once } from 'node:events';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { type Job, type Measured } from './export-child.js';
import { median } from './measure.js';
import { hasPsql, type Timed, timePsql } from './psql.js';
import { isCopy, type Statement } from './statements.js';
import { openThrowaway, type Throwaway } from './throwaway.js';

export interface ExportFigures {
  /** Median over the runs of our seconds by psql's, each pair run one after the other. */
  ratio: number;
  rssAboveIdleMb: number;
  rssAboveIdleMb4x: number;
  /** In the package, of all collections. */
  rows: number;
  /** The last package; empty unless it was kept. */
  output: string;
}

export interface ExportBench {
  /** Leaves the server running, with the packages and the psql script in its home. */
  keep: boolean;
  /** Pairs of psql and a package. */
  runs?: number;
  /** Of the one person; the other has four times as many. */
  messages?: number;
  say: (line: string) => void;
}

/**
 * One person's account package, as the service builds it (zip, sha256, fsync and rename, the letter with the link),
 * against psql running the very same COPY statements to /dev/null; a person with four times as many for the memory;
 * and the obvious way, for scale.
 */
export async function benchExport(options: ExportBench): Promise<ExportFigures> {
  const { keep, messages = 1_000_000, say } = options;
  say(`filling ${(messages * 5).toLocaleString('en')} messages …`);
  const host = await openThrowaway({ owner: messages, admin: messages * 4 });
  try {
    return await measure(host, options);
  } finally {
    await host.close(keep);
    if (keep)
      say(
        `kept: psql "$(cat ${join(host.home, 'database.url')})"   (stop it: see ${host.home}/postgres/postmaster.pid)`,
      );
  }
}

async function measure(host: Throwaway, { keep, runs = 5, say }: ExportBench): Promise<ExportFigures> {
  const { home, url, ownerUrl } = host;
  const { statements = [] } = await inChild({ way: 'record', home, person: 'owner' });
  const psql = await hasPsql();
  if (!psql) say('no psql on this machine: the yardstick is pg-copy-streams, every byte thrown away');
  const yardstick = psql
    ? () => timePsql(url, statements, join(home, 'copies.sql'))
    : () => readSeconds(url, statements);
  await yardstick(); // both with warm caches
  const pairs: { theirs: Timed; ours: Measured }[] = [];
  for (let n = 0; n < runs; n += 1) {
    const load = loadavg()[0] ?? 0;
    const theirs = await yardstick();
    const ours = await inChild({ way: 'package', home, person: 'owner' });
    pairs.push({ theirs, ours });
    say(inWords(psql ? 'psql' : 'read', theirs, ours, statements, load));
  }
  const larger = await inChild({ way: 'package', home, person: 'admin' });
  say(`four times as many: ${figuresOf(larger)}   ${larger.rows} rows`);
  const obvious = await inChild({ way: 'obvious', home, url: ownerUrl, person: 'owner' });
  say(
    `the obvious way (all messages, JSON.stringify, no zip): ${obvious.failed ? `does not get there: ${obvious.failed.split('\n', 1)[0] ?? ''}` : figuresOf(obvious)}`,
  );
  return {
    ratio: Number(median(pairs.map(({ theirs, ours }) => ours.seconds / theirs.seconds)).toFixed(3)),
    rssAboveIdleMb: Math.max(...pairs.map(({ ours }) => ours.rssAboveIdleMb)),
    rssAboveIdleMb4x: larger.rssAboveIdleMb,
    rows: pairs[0]?.ours.rows ?? 0,
    output: keep ? (pairs.at(-1)?.ours.output ?? '') : '',
  };
}

function inWords(
  name: string,
  theirs: Timed,
  ours: Measured,
  statements: readonly Statement[],
  load: number,
): string {
  const largest = (ours.fileSeconds ?? []).toSorted(([, a], [, b]) => b - a)[0];
  const copies = statements.filter(isCopy);
  const same = copies.findIndex(({ text }) =>
    /from atelier\.messages as t cross join/i.test(text.replaceAll('"', '')),
  );
  return (
    `${name} ${theirs.seconds.toFixed(2)} s   package ${figuresOf(ours)}   ratio ${(ours.seconds / theirs.seconds).toFixed(3)}   ` +
    `(${largest?.[0] ?? ''} alone: ${name} ${theirs.copySeconds[same]?.toFixed(2) ?? '?'} s, package ${largest?.[1].toFixed(2) ?? '?'} s)   ` +
    `${Math.round(ours.bytes / 1e6)} MB zip   load ${load.toFixed(2)}`
  );
}

const figuresOf = ({ seconds, cpuSeconds, rssAboveIdleMb }: Measured): string =>
  `${seconds.toFixed(2)} s (${cpuSeconds.toFixed(2)} s of CPU)   memory +${rssAboveIdleMb} MB`;

async function readSeconds(url: string, statements: Statement[]): Promise<Timed> {
  const { seconds, fileSeconds = [] } = await inChild({ way: 'read', url, statements });
  return { seconds, copySeconds: fileSeconds.map(([, each]) => each) };
}

async function inChild(job: Job): Promise<Measured> {
  const child = fork(import.meta.filename.replace(/export\.(ts|js)$/, 'export-child.$1'));
  const closed = once(child, 'exit');
  child.send(job);
  const [measured] = (await Promise.race([once(child, 'message'), closed])) as [Measured | number | null];
  await closed;
  const nothing = { seconds: NaN, cpuSeconds: NaN, rssAboveIdleMb: NaN, rows: 0, bytes: 0 };
  const answer =
    typeof measured === 'number' || measured === null
      ? { ...nothing, failed: `the process died (${measured ?? 'killed'})` }
      : measured;
  if (answer.failed && job.way !== 'obvious') throw new Error(answer.failed);
  return answer;
}

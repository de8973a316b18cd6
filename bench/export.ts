import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { copyStatement, type Job } from './export-path.js';
import { type Measured } from './export-child.js';

const run = promisify(execFile);

export interface ExportFigures {
  /** Median over the runs of our seconds by psql's, each pair run one after the other. */
  ratio: number;
  rssAboveIdleMb: number;
  rssAboveIdleMb4x: number;
  rows: number;
  output: string;
}

export interface ExportBench {
  /** A server to fill; the tables go into a schema of their own. */
  databaseUrl: string;
  keep: boolean;
  runs?: number;
  say?: (line: string) => void;
}

/**
 * One person with 1,000,000 messages in one package (zip, sha256, fsync and rename included) against psql
 * running the very same COPY to /dev/null; then 4,000,000 for the memory; then the obvious way, for scale.
 */
export async function benchExport({
  databaseUrl,
  keep,
  runs = 5,
  say = console.log,
}: ExportBench): Promise<ExportFigures> {
  const folder = await mkdtemp(join(tmpdir(), 'habeas-bench-'));
  const job = (way: Job['way'], author: number): Job => ({ way, author, databaseUrl, folder });
  try {
    const hasPsql = await run('psql', ['--version']).then(
      () => true,
      () => false,
    );
    say('filling 5,000,000 messages …');
    await fill(databaseUrl);
    const yardstick = hasPsql
      ? () => psqlSeconds(databaseUrl)
      : async () => (await inChild(job('read', 1))).seconds;
    if (!hasPsql) say('no psql on this machine: the yardstick is pg-copy-streams, every byte thrown away');
    await yardstick(); // both with warm caches
    const pairs: { psql: number; ours: Measured }[] = [];
    for (let n = 0; n < runs; n += 1) {
      pairs.push({ psql: await yardstick(), ours: await inChild(job('package', 1)) });
      const { psql, ours } = pairs.at(-1) as (typeof pairs)[number];
      say(
        `${hasPsql ? 'psql' : 'read'} ${psql.toFixed(2)} s   package ${ours.seconds.toFixed(2)} s (${ours.cpuSeconds.toFixed(2)} s of CPU)   ratio ${(ours.seconds / psql).toFixed(2)}   memory +${ours.rssAboveIdleMb} MB   ${Math.round((ours.bytes ?? 0) / 1e6)} MB zip`,
      );
    }
    const larger = await inChild(job('package', 2));
    say(
      `four times as many: ${larger.seconds.toFixed(2)} s   memory +${larger.rssAboveIdleMb} MB   ${larger.rows} rows`,
    );
    const obvious = await inChild(job('obvious', 1));
    say(
      `the obvious way (all rows, JSON.stringify): ${obvious.seconds.toFixed(2)} s   memory +${obvious.rssAboveIdleMb} MB   ${obvious.failed ?? 'done'}`,
    );
    return {
      ratio: Number(median(pairs.map(({ psql, ours }) => ours.seconds / psql)).toFixed(3)),
      rssAboveIdleMb: Math.max(...pairs.map(({ ours }) => ours.rssAboveIdleMb)),
      rssAboveIdleMb4x: larger.rssAboveIdleMb,
      rows: pairs[0]?.ours.rows ?? 0,
      output: keep ? join(folder, 'bench', 'person-1.zip') : '',
    };
  } finally {
    if (!keep) await rm(folder, { recursive: true, force: true });
  }
}

async function fill(databaseUrl: string): Promise<void> {
  const { Client } = await import('pg');
  const { readFile } = await import('node:fs/promises');
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  const sql = await readFile(new URL('./export-messages.sql', import.meta.url), 'utf8');
  // One statement at a time: VACUUM refuses to share a transaction.
  for (const statement of sql.split(/;\s*$/m).filter((text) => text.trim())) await client.query(statement);
  await client.end();
}

async function psqlSeconds(databaseUrl: string): Promise<number> {
  const begun = performance.now();
  await run('psql', [
    '--no-psqlrc',
    '--quiet',
    '--output',
    '/dev/null',
    '--command',
    copyStatement(1),
    databaseUrl,
  ]);
  return (performance.now() - begun) / 1000;
}

async function inChild(job: Job): Promise<Measured> {
  const child = fork(import.meta.filename.replace(/export\.(ts|js)$/, 'export-child.$1'));
  const closed = once(child, 'exit');
  child.send(job);
  const [measured] = (await Promise.race([once(child, 'message'), closed])) as [Measured | number | null];
  await closed;
  if (typeof measured === 'number' || measured === null)
    return {
      seconds: NaN,
      cpuSeconds: NaN,
      rssAboveIdleMb: NaN,
      failed: `the process died (${measured ?? 'killed'})`,
    };
  if (measured.failed && job.way !== 'obvious') throw new Error(measured.failed);
  return measured;
}

const median = (values: number[]): number =>
  values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({
    options: {
      database: { type: 'string' },
      json: { type: 'boolean' },
      keep: { type: 'boolean' },
      runs: { type: 'string' },
    },
  });
  if (!values.database) throw new Error('name a server: --database postgresql://…');
  const figures = await benchExport({
    databaseUrl: values.database,
    keep: values.keep ?? false,
    ...(values.runs && { runs: Number(values.runs) }),
    say: (line) => console.error(line),
  });
  console.log(JSON.stringify(figures));
}

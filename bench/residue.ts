import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import pg from 'pg';
import { readDataMap } from '../src/app/data-map.js';
import { projectFile } from '../src/config.js';
import { Database } from '../src/database/database.js';
import { readCatalogue } from '../src/datamap/catalogue.js';
import { HostMap } from '../src/datamap/host-map.js';
import { type Sought } from '../src/deletion/residue/report.js';
import { ResidueSearch } from '../src/deletion/residue/search.js';
import { configOf, openThrowaway } from './throwaway.js';

const subjects = 100;
const rowsOfEach = 5;
const table = 'bench_residue.messages';

export interface ResidueFigures {
  /** Median over the runs of our seconds by those of one sequential scan with a LIKE, one run after the other. */
  ratio: number;
  /** The same against the scan as Postgres would run it by default, on both cores. */
  ratioToParallelScan: number;
  subjects: number;
  rows: number;
  searchSeconds: number;
  /** Of this process; Postgres's comes on top. */
  searchCpuSeconds: number;
  likeSeconds: number;
  rssAboveIdleMb: number;
}

export interface ResidueBench {
  keep: boolean;
  runs?: number;
  say: (line: string) => void;
}

/**
 * The whole search (every table of the database, verdicts included) for 100 people with a mail, a uuid and a phone
 * number each, beside `select count(*) … where body like '%mail%'` for one of them. What it finds is checked.
 */
export async function benchResidue({ keep, runs = 7, say }: ResidueBench): Promise<ResidueFigures> {
  const server = await openThrowaway({});
  const owner = new pg.Client({ connectionString: server.ownerUrl });
  const database = await Database.connect(server.url, 2);
  try {
    await owner.connect();
    say('filling 1,000,000 rows of text …');
    await fill(owner);
    const map = readDataMap(configOf(server.home));
    const search = new ResidueSearch(database, new HostMap(map, await database.asHost(readCatalogue)));
    await like(owner, 0); // both with warm caches
    await search.search(people());
    const idle = process.memoryUsage.rss();
    const pairs: (Measured & { like: number; parallel: number })[] = [];
    for (let n = 0; n < runs; n += 1) {
      const pair = { like: await like(owner, 0), parallel: await like(owner, 2), ...(await measure(search)) };
      pairs.push(pair);
      say(
        `LIKE ${pair.like.toFixed(2)} s (on two cores ${pair.parallel.toFixed(2)} s)   search ${pair.seconds.toFixed(2)} s ` +
          `(${pair.cpuSeconds.toFixed(2)} s of CPU)   ratio ${(pair.seconds / pair.like).toFixed(2)}`,
      );
    }
    return {
      ratio: median(pairs.map(({ seconds, like }) => seconds / like)),
      ratioToParallelScan: median(pairs.map(({ seconds, parallel }) => seconds / parallel)),
      subjects,
      rows: pairs[0]?.rows ?? 0,
      searchSeconds: median(pairs.map(({ seconds }) => seconds)),
      searchCpuSeconds: median(pairs.map(({ cpuSeconds }) => cpuSeconds)),
      likeSeconds: median(pairs.map(({ like }) => like)),
      rssAboveIdleMb: Math.round((Math.max(...pairs.map(({ peak }) => peak)) - idle) / 1e6),
    };
  } finally {
    await owner.end();
    await database.close();
    await server.close(keep);
    if (keep) say(`kept: ${server.ownerUrl}`);
  }
}

async function fill(owner: pg.Client): Promise<void> {
  const sql = await readFile(projectFile('bench/residue-messages.sql'), 'utf8');
  // One statement at a time: VACUUM refuses to share a transaction.
  for (const statement of sql.split(/;\s*$/m).filter((text) => text.trim())) await owner.query(statement);
}

const mailOf = (n: number): string => `person${n * 50}@mail${n % 20}.example`;

const people = (): Sought[] =>
  Array.from({ length: subjects }, (_, n) => {
    const hex = createHash('sha256').update(`residue ${n}`).digest('hex');
    const key = hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-4$3-8$4-$5');
    const phone = `+49301${String(n * 7919).padStart(6, '0')}`;
    return {
      id: String(n),
      subjects: [{ kind: 'user', key, identifiers: { id: key, mail: mailOf(n), phone } }],
    };
  });

interface Measured {
  seconds: number;
  cpuSeconds: number;
  rows: number;
  peak: number;
}

async function measure(search: ResidueSearch): Promise<Measured> {
  let peak = 0;
  const looking = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 20);
  const begun = performance.now();
  const cpu = process.cpuUsage();
  const reports = await search.search(people());
  const seconds = (performance.now() - begun) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  clearInterval(looking);
  for (const { id, residues } of reports)
    if (residues.length !== 1 || residues[0]?.rows !== rowsOfEach)
      throw new Error(`person ${id} was found in ${JSON.stringify(residues)}`);
  return { seconds, cpuSeconds: (user + system) / 1e6, rows: reports[0]?.rowsSearched ?? 0, peak };
}

/** Seconds of one scan for one of the mails, in as many workers beside the scan itself. */
async function like(owner: pg.Client, workers: number): Promise<number> {
  await owner.query(`set max_parallel_workers_per_gather = ${workers}`);
  const begun = performance.now();
  await owner.query(`select count(*) from ${table} where body like '%${mailOf(77)}%'`);
  return (performance.now() - begun) / 1000;
}

const median = (values: number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return Number((sorted[Math.floor(sorted.length / 2)] ?? NaN).toFixed(3));
};

import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Child } from './child.js';
import { LockWaits } from './lock-waits.js';
import { median } from './measure.js';
import { type PurgeJob, type Purged } from './purge-child.js';
import { sweepTimes } from './purge-due.js';
import { type Latencies } from './purge-probe.js';
import {
  at,
  copyDatabase,
  doomed,
  dropDatabase,
  mix,
  nameOfDoomed,
  neighbour,
  plainDelete,
  rowsLeft,
  withClient,
} from './purge-rows.js';
import { openThrowaway, type Throwaway } from './throwaway.js';

const PER_SECOND = 200;
/** Milliseconds that the probe runs alone before each purge: 4,000 operations, 40 of them above its p99. */
const ALONE = 20_000;
/** Touches no table: what the probe feels of it, it feels of anybody who keeps a core busy. */
const COMPUTE = 'select sum(sqrt(i)) from generate_series(1, 60000000) as i';

export interface PurgeFigures {
  /** Median over the runs of the purge's seconds, beside the probe, by those of one plain DELETE, with nobody beside. */
  ratio: number;
  /** Median over the runs of the probe's p99 during the purge by its p99 just before. */
  probeP99Ratio: number;
  /** The longest that anybody waited for a lock during a purge; 0 where nobody was seen waiting. */
  maxLockWaitMs: number;
  rssAboveIdleMb: number;
  /** Erased by one purge, of all collections. */
  rows: number;
  deleteSeconds: number;
  purgeSeconds: number;
  probeP99AloneMs: number;
  probeP99DuringMs: number;
  /** The probe's p99 beside a backend that does nothing but compute, by its p99 alone: the least that a purge can cost it. */
  probeP99BusyRatio: number;
  /** The longest operation of the probe during a purge. */
  probeMaxMs: number;
  /** What the sweep itself costs with so many workspaces due; each is put into the queue. */
  sweepMs100: number;
  sweepMs1000: number;
  sweepMs10000: number;
}

export interface PurgeBench {
  /** Leaves the server running, with the last purged database in it. */
  keep: boolean;
  /** Pairs of a DELETE and a purge. */
  runs?: number;
  /** Of the workspace; its neighbour in the same tables has a quarter as many. */
  messages?: number;
  say: (line: string) => void;
}

/**
 * One workspace purged in batches while its neighbour in the same tables goes on working, against one plain DELETE of
 * its messages in an identical copy of the database.
 */
export async function benchPurge({
  keep,
  runs = 3,
  messages = 1_000_000,
  say,
}: PurgeBench): Promise<PurgeFigures> {
  say(`filling ${(messages * 1.25).toLocaleString('en')} messages …`);
  const server = await openThrowaway({ owner: messages, neighbour: Math.ceil(messages / 4) });
  try {
    await mix(server.ownerUrl);
    const pairs: Pair[] = [];
    for (let n = 0; n < runs; n += 1) {
      const pair = await measure(server, keep && n === runs - 1);
      pairs.push(pair);
      say(inWords(pair));
    }
    const due = await sweeping(server);
    say(`sweep: ${[...due].map(([count, ms]) => `${count} due ${ms} ms`).join('   ')}`);
    const of = (figure: (pair: Pair) => number) => Number(median(pairs.map(figure)).toFixed(3));
    const most = (figure: (pair: Pair) => number) => Math.round(Math.max(...pairs.map(figure)));
    return {
      ratio: of(({ purge, plain }) => purge.seconds / plain),
      probeP99Ratio: of(({ alone, during }) => during.p99Ms / alone.p99Ms),
      maxLockWaitMs: most(({ lockWaitMs }) => lockWaitMs),
      rssAboveIdleMb: most(({ purge }) => purge.rssAboveIdleMb),
      rows: pairs[0]?.rows ?? 0,
      deleteSeconds: of(({ plain }) => plain),
      purgeSeconds: of(({ purge }) => purge.seconds),
      probeP99AloneMs: of(({ alone }) => alone.p99Ms),
      probeP99DuringMs: of(({ during }) => during.p99Ms),
      probeP99BusyRatio: of(({ alone, busy }) => busy.p99Ms / alone.p99Ms),
      probeMaxMs: most(({ during }) => during.maxMs),
      sweepMs100: due.get(100) ?? NaN,
      sweepMs1000: due.get(1000) ?? NaN,
      sweepMs10000: due.get(10_000) ?? NaN,
    };
  } finally {
    await server.close(keep);
    if (keep) say(`kept: ${server.ownerUrl}`);
  }
}

interface Pair {
  plain: number;
  /** Of the workspace in every table of the host, that are gone. */
  rows: number;
  purge: Purged;
  alone: Latencies;
  busy: Latencies;
  during: Latencies;
  lockWaitMs: number;
  load: number;
}

async function measure(server: Throwaway, keep: boolean): Promise<Pair> {
  const load = loadavg()[0] ?? 0;
  const plain = await plainDelete(await copyDatabase(server.ownerUrl, 'plain'));
  await dropDatabase(server.ownerUrl, 'plain');
  const owner = await copyDatabase(server.ownerUrl, 'purged');
  const before = await rowsLeft(owner);
  const probe = new Child('purge-probe');
  try {
    await probe.ask({ begin: { url: owner, workspace: neighbour, perSecond: PER_SECOND } });
    await sleep(2000);
    await probe.ask({ phase: 'alone' });
    await sleep(ALONE);
    await probe.ask({ phase: 'busy' });
    await compute(owner);
    await probe.ask({ phase: 'warm-up' });
    const waits = await LockWaits.watch(owner);
    const purging = purge(server, probe).finally(() => waits.stop());
    const [purged, lockWaitMs] = [await purging, await waits.stop()];
    const latencies = await probe.ask<Record<string, Latencies>>({ end: true });
    const after = await rowsLeft(owner);
    if (purged.status !== 'fulfilled') throw new Error(`the request is ${purged.status}`);
    if (after.ours > 0 || after.theirs !== before.theirs)
      throw new Error(
        `the purge left ${after.ours} of ${before.ours} messages, and ${after.theirs} of ${before.theirs} others'`,
      );
    return {
      plain: plain.seconds,
      rows: before.all - after.all,
      purge: purged,
      alone: of(latencies, 'alone'),
      busy: of(latencies, 'busy'),
      during: of(latencies, 'during'),
      lockWaitMs,
      load,
    };
  } finally {
    await probe.end();
    if (!keep) await dropDatabase(server.ownerUrl, 'purged');
  }
}

async function purge(server: Throwaway, probe: Child): Promise<Purged> {
  const child = new Child('purge-child');
  try {
    await child.ask({ open: jobIn(server, 'purged') });
    await probe.ask({ phase: 'during' });
    return await child.ask<Purged>({ purge: true });
  } finally {
    await probe.ask({ phase: 'warm-up' });
    await child.end();
  }
}

const compute = (url: string): Promise<unknown> =>
  withClient(url, async (client) => {
    await client.query('set max_parallel_workers_per_gather = 0');
    await client.query(COMPUTE);
  });

async function sweeping(server: Throwaway): Promise<Map<number, number>> {
  await copyDatabase(server.ownerUrl, 'swept');
  try {
    return await sweepTimes(jobIn(server, 'swept'), [100, 1000, 10_000]);
  } finally {
    await dropDatabase(server.ownerUrl, 'swept');
  }
}

const jobIn = ({ home, url, ownerUrl }: Throwaway, database: string): PurgeJob => ({
  home,
  url: at(url, database),
  ownerUrl: at(ownerUrl, database),
  workspace: doomed,
  confirm: nameOfDoomed,
});

function of(latencies: Record<string, Latencies>, phase: string): Latencies {
  const found = latencies[phase];
  if (!found || found.failed > 0) throw new Error(`the probe failed ${found?.failed ?? 'all'} times`);
  return found;
}

const inWords = ({ plain, purge, alone, busy, during, lockWaitMs, load }: Pair): string =>
  `DELETE ${plain.toFixed(2)} s   purge ${purge.seconds.toFixed(2)} s (${purge.cpuSeconds.toFixed(2)} s of CPU, memory ` +
  `+${purge.rssAboveIdleMb} MB)   ratio ${(purge.seconds / plain).toFixed(2)}   probe p99 ${alone.p99Ms.toFixed(1)} ms, ` +
  `beside a computation ${busy.p99Ms.toFixed(1)} ms, during ${during.p99Ms.toFixed(1)} ms (p50 ${alone.p50Ms.toFixed(1)}, ${during.p50Ms.toFixed(1)}; max ${during.maxMs.toFixed(0)})   ` +
  `ratio ${(during.p99Ms / alone.p99Ms).toFixed(2)}   lock wait ${lockWaitMs.toFixed(0)} ms   load ${load.toFixed(2)}`;

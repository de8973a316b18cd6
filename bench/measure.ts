/** What a process can say of itself while it works. */
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Effort {
  seconds: number;
  /** On all threads: what is left of the machine for Postgres shows here, however busy the machine is. */
  cpuSeconds: number;
  rssAboveIdleMb: number;
}

/**
 * Rests, then works; memory is the highest that this process had meanwhile, above what it had at rest.
 * @param rest milliseconds in which what starting left to do gets done
 */
export async function measuring(work: () => Promise<unknown>, rest = 1000): Promise<Effort> {
  await sleep(rest);
  const idle = process.memoryUsage.rss();
  let peak = idle;
  const look = (): unknown => (peak = Math.max(peak, process.memoryUsage.rss()));
  const highWater = fromHere();
  const looking = setInterval(look, 10);
  const begun = performance.now();
  const cpu = process.cpuUsage();
  await work();
  const seconds = (performance.now() - begun) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  look();
  clearInterval(looking);
  peak = Math.max(peak, highWater());
  return { seconds, cpuSeconds: (user + system) / 1e6, rssAboveIdleMb: Math.round((peak - idle) / 1e6) };
}

/** Linux keeps the highest RSS itself, without gaps between two looks; elsewhere the looks must do. */
function fromHere(): () => number {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
    return () => 1024 * Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0);
  } catch {
    return () => 0;
  }
}

/** The middle one of these. */
export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

/** The value that this share of them does not exceed. */
export const quantile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(values.length * share) - 1)] ?? NaN;

import { Client } from 'pg';
import { type Job, type Outcome, ways } from './export-path.js';

/** What a fresh process measured of itself. `failed` instead of the figures where the way does not get there. */
export interface Measured extends Partial<Outcome> {
  seconds: number;
  /** On all threads: what is left of the machine for Postgres shows here, however busy the machine is. */
  cpuSeconds: number;
  rssAboveIdleMb: number;
  failed?: string;
}

process.once('message', (job: Job) => {
  void measure(job).then((measured) => process.send?.(measured, () => process.exit(0)));
});

async function measure(job: Job): Promise<Measured> {
  const client = new Client({ connectionString: job.databaseUrl });
  await client.connect();
  const idle = process.memoryUsage.rss();
  let peak = idle;
  const look = (): unknown => (peak = Math.max(peak, process.memoryUsage.rss()));
  const looking = setInterval(look, 10);
  const begun = performance.now();
  const cpu = process.cpuUsage();
  const outcome = await ways[job.way](client, job).catch((error: unknown) => ({ failed: String(error) }));
  const seconds = (performance.now() - begun) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  look();
  clearInterval(looking);
  client.connection.stream.destroy();
  return {
    seconds,
    cpuSeconds: (user + system) / 1e6,
    rssAboveIdleMb: Math.round((peak - idle) / 1e6),
    ...outcome,
  };
}

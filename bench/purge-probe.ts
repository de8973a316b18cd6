/**
 * Somebody else's work in the same tables, as a process of its own: single-row reads, updates and inserts at a fixed
 * rate, whatever becomes of those before. Each is timed from the moment it was due, so that one which had to wait
 * for a connection counts with its waiting (no coordinated omission).
 */
import pg from 'pg';
import { quantile } from './measure.js';

export interface ProbeJob {
  url: string;
  /** Whose messages; host key. */
  workspace: string;
  perSecond: number;
}

export interface Latencies {
  operations: number;
  failed: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
}

export type ProbeOrder = { begin: ProbeJob } | { phase: string } | { end: true };

const CONNECTIONS = 16;
const known = `
  select id, workroom_id, workspace_id, author_id from atelier.messages
  where workspace_id = $1 and author_id is not null order by id desc limit 20000`;
const read = 'select * from atelier.messages where id = $1';
const update = 'update atelier.messages set edited_at = now() where id = $1';
const insert = `
  insert into atelier.messages (workroom_id, workspace_id, author_id, body_sealed, body_nonce, sent_at)
  values ($1, $2, $3, sha512($4), sha224($4), now())`;

interface Message {
  id: string;
  workroom_id: string;
  workspace_id: string;
  author_id: string;
}

class Probe {
  private readonly phases = new Map<string, number[]>();
  private readonly failures = new Map<string, number>();
  private readonly pool: pg.Pool;
  private readonly running = new Set<Promise<void>>();
  private phase = 'warm-up';
  private over = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly job: ProbeJob) {
    this.pool = new pg.Pool({
      connectionString: job.url,
      max: CONNECTIONS,
      min: CONNECTIONS,
      idleTimeoutMillis: 0,
    });
    this.pool.on('error', () => undefined);
  }

  async begin(): Promise<void> {
    const { rows } = await this.pool.query<Message>(known, [this.job.workspace]);
    if (rows.length === 0) throw new Error('the neighbour has no messages');
    const interval = 1000 / this.job.perSecond;
    const started = performance.now();
    let sent = 0;
    const tick = () => {
      if (this.over) return;
      for (const now = performance.now(); started + sent * interval <= now; sent += 1)
        this.send(sent, started + sent * interval, rows);
      this.timer = setTimeout(tick, Math.max(0, started + sent * interval - performance.now()));
    };
    tick();
  }

  enter(phase: string): void {
    this.phase = phase;
  }

  async end(): Promise<Record<string, Latencies>> {
    this.over = true;
    clearTimeout(this.timer);
    await Promise.all(this.running);
    await this.pool.end();
    return Object.fromEntries(
      [...this.phases].map(([phase, times]) => [
        phase,
        {
          operations: times.length,
          failed: this.failures.get(phase) ?? 0,
          p50Ms: quantile(times, 0.5),
          p99Ms: quantile(times, 0.99),
          maxMs: Math.max(...times.slice(-200_000)),
        },
      ]),
    );
  }

  private send(n: number, due: number, messages: Message[]): void {
    const { phase } = this;
    const message = messages[(n * 7919) % messages.length] as Message;
    const done = this.operate(n, message)
      .catch(() => void this.failures.set(phase, (this.failures.get(phase) ?? 0) + 1))
      .then(() => {
        const times = this.phases.get(phase) ?? [];
        times.push(performance.now() - due);
        this.phases.set(phase, times);
      });
    this.running.add(done);
    void done.finally(() => this.running.delete(done));
  }

  private operate(n: number, { id, workroom_id, workspace_id, author_id }: Message): Promise<unknown> {
    if (n % 2 === 0) return this.pool.query({ name: 'read', text: read, values: [id] });
    if (n % 4 === 1) return this.pool.query({ name: 'update', text: update, values: [id] });
    const values = [workroom_id, workspace_id, author_id, Buffer.from(`${n}`)];
    return this.pool.query({ name: 'insert', text: insert, values });
  }
}

let probe: Probe | undefined;

process.on('message', (order: ProbeOrder) => {
  void obey(order).then(
    (answer) => process.send?.(answer ?? { ok: true }),
    (error: unknown) => process.send?.({ failed: String(error) }, () => process.exit(1)),
  );
});
process.once('disconnect', () => process.exit(0));

async function obey(order: ProbeOrder): Promise<unknown> {
  if ('begin' in order) {
    probe = new Probe(order.begin);
    return probe.begin();
  }
  if ('phase' in order) return probe?.enter(order.phase);
  return probe?.end();
}

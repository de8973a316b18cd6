import { setTimeout as sleep } from 'node:timers/promises';
import { PgBoss } from 'pg-boss';
import { type Database } from '../database/database.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { DomainError } from '../errors.js';

/** All that a job carries: whose matter, and which. The truth is in our own rows. */
export interface JobRef {
  tenant: string;
  id: string;
}

/** Does one job's work. Expected failures are written to the job's own rows; what it throws is retried by the queue. */
export type JobHandler = (job: JobRef) => Promise<void>;

/** Learns of a try that failed, and of one that went through after failures; `error` is undefined then. */
type TryListener = (queue: string, job: JobRef, error: unknown) => Promise<void>;

interface QueueOptions {
  /** Workers of this process. */
  concurrency?: number;
  /**
   * A job of an id that is running already: `leave` it to that one (default), or `queue` it, once, for handlers that
   * may run beside themselves. Then what comes while a run ends is not left for the next sweep.
   */
  whileRunning?: 'leave' | 'queue';
}

interface QueueEvents {
  /** Something about the queue that an operator should know; never the end of it. */
  onError: (error: Error) => void;
}

const HEARTBEAT_SECONDS = 10;

/**
 * Durable work (pg-boss) in the plane's own database. Upper layers register a handler per queue; a job is written
 * in the caller's transaction, so it exists exactly if the change it follows from does. One job per id is queued
 * or running at a time; a worker that dies is noticed by its heartbeat and the job goes to another.
 */
export class Queue {
  private readonly boss: PgBoss;
  private readonly handlers = new Map<string, { handler: JobHandler } & Required<QueueOptions>>();
  private readonly workers = new Map<string, string[]>();
  private readonly listeners: TryListener[] = [];
  private started = false;

  constructor(
    database: Database,
    private readonly events: QueueEvents,
  ) {
    this.boss = new PgBoss({
      db: { executeSql: (text, values) => database.queueSql(text, values) },
      schema: 'habeas_jobs',
      migrate: false,
      createSchema: false,
      schedule: false,
      reindex: false,
      monitorVacuum: false,
      // After a kill -9 the next worker has the job within seconds (heartbeat 10 s) instead of minutes.
      superviseIntervalSeconds: 2,
      monitorIntervalSeconds: 2,
      maintenanceIntervalSeconds: 60,
    });
    this.boss.on('error', events.onError);
  }

  /** Who wants to know which jobs fail, and when they no longer do. */
  onTried(listener: TryListener): void {
    this.listeners.push(listener);
  }

  /** Says who does the work of a queue; call before `start`. */
  register(name: string, handler: JobHandler, options: QueueOptions = {}): void {
    const { concurrency = 1, whileRunning = 'leave' } = options;
    this.handlers.set(name, { handler, concurrency, whileRunning });
  }

  /** @param work false: only enqueue (a web process beside separate workers) */
  async start({ work = true } = {}): Promise<void> {
    await this.boss.start();
    this.started = true;
    for (const [name, { handler, concurrency, whileRunning }] of this.handlers) {
      await this.boss.createQueue(name, {
        policy: whileRunning === 'leave' ? 'exclusive' : 'short',
        heartbeatSeconds: HEARTBEAT_SECONDS,
        // A died worker is no reason to give up: giving up is decided by the matter's own rows.
        retryLimit: 1000,
        retryDelay: 5,
        retryBackoff: true,
        retryDelayMax: 600,
        expireInSeconds: 23 * 3600,
        deleteAfterSeconds: 3600,
      });
      if (work) await this.work(name, handler, concurrency);
    }
  }

  /** Writes a job in the caller's transaction; one of the same id that is queued, or running (`QueueOptions`), is left to do it. */
  async enqueue(tx: UnitOfWork, name: string, job: JobRef, startAfter?: Date): Promise<void> {
    const db = {
      executeSql: async (text: string, values?: unknown[]) => ({ rows: await tx.query(text, values ?? []) }),
    };
    await this.boss.send(name, job, {
      db,
      singletonKey: `${job.tenant}/${job.id}`,
      ...(startAfter && { startAfter }),
    });
    // Our own workers need not wait for their next look; others find it within half a second.
    tx.afterCommit(() => this.workers.get(name)?.forEach((worker) => this.boss.notifyWorker(worker)));
  }

  /** Lets running jobs finish, for 20 s at the most; what is cut short is taken up again by another worker. */
  async stop(): Promise<void> {
    if (this.started) {
      // pg-boss itself looks only every half second whether its workers have ended.
      const ended = [...this.handlers.keys()].map((name) => this.boss.offWork(name, { wait: true }));
      await Promise.race([Promise.all(ended), sleep(20_000, undefined, { ref: false })]);
      await this.boss.stop({ graceful: true, timeout: 1_000 });
    }
    this.started = false;
  }

  private async work(name: string, handler: JobHandler, concurrency: number): Promise<void> {
    const ids: string[] = [];
    for (let i = 0; i < concurrency; i++) {
      const id = await this.boss.work<JobRef>(
        name,
        { pollingIntervalSeconds: 0.5, batchSize: 1, includeMetadata: true },
        async ([job]) => {
          if (job) await this.carryOut(name, handler, job);
        },
      );
      ids.push(id);
    }
    this.workers.set(name, ids);
  }

  /** pg-boss keeps what a job threw, field by field: of a failed query those would be its parameters. */
  private async carryOut(
    name: string,
    handler: JobHandler,
    { data, retryCount }: { data: JobRef; retryCount: number },
  ): Promise<void> {
    try {
      await handler(data);
      if (retryCount > 0) await this.tell(name, data, undefined);
    } catch (error) {
      this.events.onError(error as Error);
      await this.tell(name, data, error);
      throw withoutValues(error);
    }
  }

  /** What a listener throws must not decide how a job ended. */
  private async tell(name: string, job: JobRef, failure: unknown): Promise<void> {
    for (const listener of this.listeners)
      await listener(name, job, failure).catch((error: unknown) => this.events.onError(error as Error));
  }
}

/** What may be kept of an error: its code, and our own words. */
function withoutValues(error: unknown): Error {
  if (error instanceof DomainError) return new Error(`${error.code}: ${error.message}`);
  const { code } = error as { code?: unknown };
  const kept = new Error(typeof code === 'string' && /^[A-Z0-9_]{2,40}$/.test(code) ? code : 'unexpected');
  // The stack of the original begins with its message.
  kept.stack = kept.message;
  return kept;
}

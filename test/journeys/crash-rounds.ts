import { expect } from '@jest/globals';
import { demoPeople } from '../../demo/people.js';
import { openStores } from '../../src/app/stores.js';
import { AccessFulfilment } from '../../src/dsar/access/fulfilment.js';
import { ACCESS_FULFILMENT, MAIL_DELIVERY } from '../../src/dsar/queues.js';
import { Queue } from '../../src/jobs/queue.js';
import { Outbox } from '../../src/mail/outbox.js';
import { CrashingWorker, type Grain } from '../support/crashing-worker.js';
import { type Caller, TestDesk } from '../support/desk.js';
import { eventually } from '../support/eventually.js';

const MINUTE = 60_000;

/** What one round came to: the step at which the worker died, or that it came through. */
export interface Round {
  requestId: string;
  diedAt: string | undefined;
}

/** Access requests of one person, one after the other, each worked on by a process that is killed. */
export class CrashRounds {
  private readonly workers: CrashingWorker[] = [];
  private mailsBefore = new Set<string>();

  private constructor(
    readonly desk: TestDesk,
    private readonly viewer: Caller,
    private readonly grain: Grain,
  ) {}

  static async open(grain: Grain): Promise<CrashRounds> {
    const desk = await TestDesk.open({ work: false });
    const rounds = new CrashRounds(desk, await desk.as('viewer'), grain);
    rounds.boot();
    return rounds;
  }

  /** Files a request and lets a worker fulfil it until its n-th step, where it dies. */
  async killAtStep(n: number): Promise<Round> {
    const worker = this.workers.at(-1) as CrashingWorker;
    this.boot(); // the next round's, so that it need not be waited for
    const filed = await this.viewer.post('/v1/me/requests', { kind: 'access' });
    expect(filed.status).toBe(201);
    const id = (filed.body as { id: string }).id;
    // The letter that confirms the filing goes first, so that a step's number always means the same step.
    for await (const mail of this.outbox.due()) await this.outbox.deliver(mail);
    await this.desk.db.behindTheScenes(`delete from habeas_jobs.job where name = $1`, [MAIL_DELIVERY]);
    this.mailsBefore = new Set((await this.desk.mails()).map(({ raw }) => raw));

    await worker.work(n);
    await eventually(async () => worker.killed || (await this.isDone(id)), 60_000);
    const diedAt = worker.killed ? worker.lastStep : undefined;
    await worker.stop();
    return { requestId: id, diedAt };
  }

  /** Lets an unharmed worker of this process do what is left to do. */
  async recover(id: string, limit = 60_000): Promise<void> {
    const queue = new Queue(this.desk.db.database, { onError: () => undefined });
    queue.register(ACCESS_FULFILMENT, (job) => this.desk.app.get(AccessFulfilment).run(job));
    queue.register(MAIL_DELIVERY, async (mail) => {
      await this.outbox.deliver(mail);
    });
    await queue.start();
    try {
      await eventually(() => this.isDone(id), limit);
    } finally {
      await queue.stop();
    }
  }

  /** The queue's rows go down with the worker: what is due is found from our own rows alone. */
  async loseTheQueue(): Promise<void> {
    await this.desk.db.behindTheScenes('delete from habeas_jobs.job');
    this.desk.clock.advance(6 * MINUTE); // a mail in a dead worker's hands is claimed for five
    await this.desk.sweep();
  }

  /** One object, one `package.ready`, one mail with a link that works, and nothing half-done beside them. */
  async expectExactlyOnce(id: string): Promise<void> {
    await this.desk.sweep();
    expect(await this.objectsOf(id)).toEqual(await this.packagesOf(id));
    expect(await this.objectsOf(id)).toHaveLength(1);
    const events = await this.desk.db.behindTheScenes<{ action: string; times: number }>(
      `select e.action, count(*)::int as times from habeas.events e join habeas.requests r using (tenant_id)
       where r.id = $1 and e.targets @> jsonb_build_array(jsonb_build_object('type', 'request', 'id', $1::text))
       group by e.action order by e.action`,
      [id],
    );
    expect(events).toEqual(
      ['identity.proven', 'package.ready', 'request.filed', 'request.fulfilled', 'request.started'].map(
        (action) => ({ action, times: 1 }),
      ),
    );
    const mails = (await this.desk.mails()).filter(({ raw }) => !this.mailsBefore.has(raw));
    expect(mails.map(({ to }) => to?.map(({ address }) => address))).toEqual([[demoPeople.viewer.mail]]);
    const token = /\/d\/([A-Za-z0-9_-]{64})/.exec(mails[0]?.text ?? '')?.[1];
    const sentOn = await this.desk.anybody().post(`/d/${token}`);
    expect(sentOn.status).toBe(303);
    const zip = Buffer.from(await (await fetch(sentOn.headers.get('location') ?? '')).arrayBuffer());
    expect(zip.subarray(0, 2).toString()).toBe('PK');
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.stop()));
    await this.desk.close();
  }

  private boot(): void {
    this.workers.push(CrashingWorker.boot(this.desk, this.grain));
  }

  private get outbox(): Outbox {
    return this.desk.app.get(Outbox);
  }

  private async isDone(id: string): Promise<boolean> {
    const [row] = await this.desk.db.behindTheScenes<{ done: boolean }>(
      `select status = 'fulfilled' and not exists (select from habeas.outbox where status = 'pending')
              and not exists (select from habeas_jobs.job where state = 'active') as done
       from habeas.requests where id = $1`,
      [id],
    );
    return row?.done ?? false;
  }

  private async objectsOf(id: string): Promise<string[]> {
    const paths: string[] = [];
    const bucket = openStores(this.desk.config).bucket(this.desk.config.storage.exportBucket);
    for await (const { path } of bucket.list(`account/${id}`)) paths.push(path);
    return paths;
  }

  private async packagesOf(id: string): Promise<string[]> {
    const rows = await this.desk.db.behindTheScenes<{ path: string }>(
      `select object_path as path from habeas.packages where job_id = $1 and status <> 'expired'`,
      [id],
    );
    return rows.map(({ path }) => path);
  }
}

import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { Database } from '../database/database.js';
import { systemTenancy } from '../database/tenancy.js';
import { type SqlRunner } from '../database/unit-of-work.js';
import { eachOnItsOwn, oneAfterTheOther } from '../jobs/each-on-its-own.js';
import { type JobRef, Queue } from '../jobs/queue.js';
import { WEBHOOK_DELIVERY } from './webhooks.js';

/** How long a delivery can be looked at, and sent again. */
const KEPT = 90 * 86_400_000;
const BATCH = 1000;

/** Puts what is due into the queue again, and forgets what is long over: jobs may get lost, the rows do not. */
@Injectable()
export class DeliveriesSweep {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly queue: Queue,
  ) {}

  async run(): Promise<void> {
    const now = this.clock.now();
    const old = new Date(now.getTime() - KEPT);
    await oneAfterTheOther(
      () =>
        eachOnItsOwn(
          (after) => this.refs(dueDeliveries, now, after),
          (ref) => this.enqueue(ref),
        ),
      () =>
        eachOnItsOwn(
          (after) => this.refs(endpointsWithOld, old, after),
          (ref) => this.forget(ref, old),
        ),
    );
  }

  /** When the oldest message that has not been taken was to be sent. */
  async oldestDue(tx: SqlRunner): Promise<Date | null> {
    const [row] = await tx.query<{ due: Date | null }>(oldestWaiting);
    return row?.due ?? null;
  }

  private refs(sql: string, before: Date, after: string): Promise<JobRef[]> {
    return this.database.asSweep((tx) => tx.query<JobRef>(sql, [before, after]));
  }

  private enqueue(ref: JobRef): Promise<void> {
    return this.database.within(systemTenancy(ref.tenant, 'webhooks-sweep'), (tx) =>
      this.queue.enqueue(tx, WEBHOOK_DELIVERY, ref),
    );
  }

  private async forget({ tenant, id }: JobRef, old: Date): Promise<void> {
    for (let gone = BATCH; gone === BATCH;)
      gone = await this.database.within(
        systemTenancy(tenant, 'webhooks-sweep'),
        async (tx) => (await tx.query(deleteOld, [id, old, BATCH])).length,
      );
  }
}

const dueDeliveries = /* one for each endpoint: its worker goes on to the next by itself */ `
  select d.tenant_id as "tenant", d.id
    from habeas.webhook_deliveries d join habeas.webhooks w on w.id = d.webhook_id
   where d.status = 'pending' and d.next_attempt_at <= $1 and d.id > $2
     and w.disabled_at is null
     and coalesce(w.busy_until, '-infinity') <= $1 and coalesce(w.resume_at, '-infinity') <= $1
     and not exists (select from habeas.webhook_deliveries e
                      where e.webhook_id = d.webhook_id and e.status = 'pending'
                        and (e.next_attempt_at, e.id) < (d.next_attempt_at, d.id))
   order by d.id limit 500`;

const endpointsWithOld = `
  select w.tenant_id as "tenant", w.id from habeas.webhooks w
   where w.id > $2 and exists (select from habeas.webhook_deliveries d
                                where d.webhook_id = w.id and d.status <> 'pending' and d.finished_at <= $1)
   order by w.id limit 500`;

const deleteOld = `
  delete from habeas.webhook_deliveries
   where id in (select id from habeas.webhook_deliveries
                 where webhook_id = $1 and status <> 'pending' and finished_at <= $2 limit $3)
  returning id`;

const oldestWaiting = `
  select min(due_since) as "due" from habeas.webhook_deliveries where status = 'pending'`;

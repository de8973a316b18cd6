import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { Database } from '../database/database.js';
import { type SqlRunner } from '../database/unit-of-work.js';
import { DomainError } from '../errors.js';
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
          (after) => this.refs(dueEndpoints, now, after),
          (ref) => this.enqueue(ref),
        ),
      () =>
        eachOnItsOwn(
          (after) => this.refs(endpointsWithOld, old, after),
          (ref) => this.forget(ref, old),
        ),
      () =>
        eachOnItsOwn(
          (after) => this.refs(failingEndpoints, now, after),
          (ref) => this.checkOurs(ref),
        ),
    );
  }

  /**
   * Since when an attempt that could be made has not been: what our own workers are behind with. How long an endpoint
   * takes, rests after a failure or is not reached is its owner's matter.
   */
  async oldestDue(tx: SqlRunner, now: Date): Promise<Date | null> {
    const [row] = await tx.query<{ due: Date | null }>(oldestWaiting, [now]);
    return row?.due ?? null;
  }

  private refs(sql: string, before: Date, after: string): Promise<JobRef[]> {
    return this.database.asSweep((tx) => tx.query<JobRef>(sql, [before, after]));
  }

  private enqueue(ref: JobRef): Promise<void> {
    return this.database.asJob(ref.tenant, 'webhooks-sweep', (tx) =>
      this.queue.enqueue(tx, WEBHOOK_DELIVERY, ref),
    );
  }

  /** Nobody but us can mend what could not even be sent: for the desk. @throws DomainError with the failure's code */
  private async checkOurs({ tenant, id }: JobRef): Promise<void> {
    const [ours] = await this.database.asJob(tenant, 'webhooks-sweep', (tx) =>
      tx.query<{ failure: 'sealing.unreadable' | 'webhook.not_sent' }>(failuresOfOurs, [id]),
    );
    if (ours) throw new DomainError(ours.failure, 'A message to a webhook could not be signed or sent.');
  }

  private async forget({ tenant, id }: JobRef, old: Date): Promise<void> {
    for (let gone = BATCH; gone === BATCH;)
      gone = await this.database.asJob(
        tenant,
        'webhooks-sweep',
        async (tx) => (await tx.query(deleteOld, [id, old, BATCH])).length,
      );
  }
}

const dueEndpoints = `
  select w.tenant_id as "tenant", w.id from habeas.webhooks w
   where w.id > $2 and w.disabled_at is null
     and coalesce(w.busy_until, '-infinity') <= $1 and coalesce(w.resume_at, '-infinity') <= $1
     and exists (select from habeas.webhook_deliveries d
                  where d.webhook_id = w.id and d.status = 'pending' and d.next_attempt_at <= $1)
   order by w.id limit 500`;

const endpointsWithOld = `
  select w.tenant_id as "tenant", w.id from habeas.webhooks w
   where w.id > $2 and exists (select from habeas.webhook_deliveries d
                                where d.webhook_id = w.id and d.status <> 'pending' and d.finished_at <= $1)
   order by w.id limit 500`;

const failingEndpoints = /* whatever is not theirs to mend is tried again as well */ `
  select w.tenant_id as "tenant", w.id from habeas.webhooks w
   where w.id > $2 and w.disabled_at is null
     and exists (select from habeas.webhook_deliveries d
                  where d.webhook_id = w.id and d.status = 'pending' and d.attempts > 0 and d.due_since <= $1)
   order by w.id limit 500`;

const failuresOfOurs = `
  select failure from habeas.webhook_deliveries
   where webhook_id = $1 and status = 'pending' and failure in ('sealing.unreadable', 'webhook.not_sent') limit 1`;

const deleteOld = `
  delete from habeas.webhook_deliveries
   where id in (select id from habeas.webhook_deliveries
                 where webhook_id = $1 and status <> 'pending' and finished_at <= $2 limit $3)
  returning id`;

const oldestWaiting = /* the head of each endpoint's own index; greatest() leaves nulls out */ `
  select min(greatest(head.next_attempt_at, w.busy_until, w.resume_at)) as "due"
    from habeas.webhooks w
   cross join lateral (select d.next_attempt_at from habeas.webhook_deliveries d
                        where d.webhook_id = w.id and d.status = 'pending'
                        order by d.next_attempt_at, d.id limit 1) as head
   where w.disabled_at is null and head.next_attempt_at <= $1
     and coalesce(w.busy_until, '-infinity') <= $1 and coalesce(w.resume_at, '-infinity') <= $1`;

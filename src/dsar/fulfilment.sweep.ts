import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { CONFIG, type Config } from '../config.js';
import { Database } from '../database/database.js';
import { type JobRef, Queue } from '../jobs/queue.js';
import { eachOnItsOwn } from '../jobs/each-on-its-own.js';
import { ACCESS_FULFILMENT, DELETION_FULFILMENT } from './queues.js';

// Decisions close on a date of the jurisdiction's zone; a day early here is harmless, because the job asks again.
const dueAccess = `
  select r.tenant_id as "tenant", r.id from habeas.requests r
  where r.kind = 'access' and r.identity_proven_at is not null
    and (r.status in ('received', 'scheduled') or (r.status = 'in_progress' and coalesce(r.next_attempt_at, $1) <= $1))
    and (r.due_on <= $2::date or not exists (
      select from habeas.request_parts p where p.request_id = r.id and p.policy = 'approve' and p.decision is null))
    and r.id > $3
  order by r.id limit 500`;

// What delays a deletion ends on a date of its zone; a day early here is harmless, because the job asks again.
const dueDeletions = `
  select r.tenant_id as "tenant", r.id from habeas.requests r
  where r.kind = 'deletion' and r.scope <> 'workspace' and r.identity_proven_at is not null
    and (r.status in ('received', 'scheduled') and (coalesce(r.run_after, $1) <= $1 or r.due_on <= $2::date)
         or r.status = 'in_progress' and coalesce(r.next_attempt_at, $1) <= $1)
    and r.id > $3
  order by r.id limit 500`;

/** Puts every request that is due into its queue again: jobs may get lost, the rows do not. */
@Injectable()
export class FulfilmentSweep {
  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Config,
    private readonly clock: Clock,
    private readonly queue: Queue,
  ) {}

  access(): Promise<void> {
    return this.enqueue(ACCESS_FULFILMENT, dueAccess);
  }

  /** Of persons; a workspace's has a door of its own. */
  deletions(): Promise<void> {
    return this.enqueue(DELETION_FULFILMENT, dueDeletions);
  }

  private async enqueue(queue: string, due: string): Promise<void> {
    const now = this.clock.now();
    const closing = new Date(now.getTime() + this.config.dueMargin.toMillis() + 86_400_000)
      .toISOString()
      .slice(0, 10);
    const page = (after: string) =>
      this.database.asSweep((tx) => tx.query<JobRef>(due, [now, closing, after]));
    await eachOnItsOwn(page, (ref) =>
      this.database.asJob(ref.tenant, 'fulfilment-sweep', (tx) => this.queue.enqueue(tx, queue, ref)),
    );
  }
}

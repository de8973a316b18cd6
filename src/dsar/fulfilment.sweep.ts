import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { CONFIG, type Config } from '../config.js';
import { systemTenancy } from '../database/tenancy.js';
import { Database } from '../database/database.js';
import { type JobRef, Queue } from '../jobs/queue.js';
import { eachOnItsOwn } from './each-on-its-own.js';
import { ACCESS_FULFILMENT } from './queues.js';

// Decisions close on a date of the jurisdiction's zone; a day early here is harmless, because the job asks again.
const due = `
  select r.tenant_id as "tenant", r.id from habeas.requests r
  where r.kind = 'access' and r.identity_proven_at is not null
    and (r.status in ('received', 'scheduled') or (r.status = 'in_progress' and coalesce(r.next_attempt_at, $1) <= $1))
    and (r.due_on <= $2::date or not exists (
      select from habeas.request_parts p where p.request_id = r.id and p.policy = 'approve' and p.decision is null))
    and r.id > $3
  order by r.id limit 500`;

/** Puts every access request that is due into the queue again: jobs may get lost, the rows do not. */
@Injectable()
export class FulfilmentSweep {
  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Config,
    private readonly clock: Clock,
    private readonly queue: Queue,
  ) {}

  async run(): Promise<void> {
    const now = this.clock.now();
    const closing = new Date(now.getTime() + this.config.dueMargin.toMillis() + 86_400_000)
      .toISOString()
      .slice(0, 10);
    const page = (after: string) =>
      this.database.asSweep((tx) => tx.query<JobRef>(due, [now, closing, after]));
    await eachOnItsOwn(page, (ref) =>
      this.database.within(systemTenancy(ref.tenant, 'fulfilment-sweep'), (tx) =>
        this.queue.enqueue(tx, ACCESS_FULFILMENT, ref),
      ),
    );
  }
}

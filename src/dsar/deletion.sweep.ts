import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { CONFIG, type Config } from '../config.js';
import { systemTenancy } from '../database/tenancy.js';
import { Database } from '../database/database.js';
import { type JobRef, Queue } from '../jobs/queue.js';
import { eachOnItsOwn } from './each-on-its-own.js';
import { DELETION_FULFILMENT } from './queues.js';

// What delays a deletion ends on a date of its zone; a day early here is harmless, because the job asks again.
const due = `
  select r.tenant_id as "tenant", r.id from habeas.requests r
  where r.kind = 'deletion' and r.scope <> 'workspace' and r.identity_proven_at is not null
    and (r.status in ('received', 'scheduled') and (coalesce(r.run_after, $1) <= $1 or r.due_on <= $2::date)
         or r.status = 'in_progress' and coalesce(r.next_attempt_at, $1) <= $1)
    and r.id > $3
  order by r.id limit 500`;

/** Puts every deletion of a person that is due into the queue again: jobs may get lost, the rows do not. */
@Injectable()
export class DeletionSweep {
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
      this.database.within(systemTenancy(ref.tenant, 'deletion-sweep'), (tx) =>
        this.queue.enqueue(tx, DELETION_FULFILMENT, ref),
      ),
    );
  }
}

import { Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { Database } from '../../database/database.js';
import { eachOnItsOwn } from '../../jobs/each-on-its-own.js';
import { type OldestDue } from '../../jobs/overdue.js';
import { type JobRef, Queue } from '../../jobs/queue.js';

import { WORKSPACE_PURGE } from '../queues.js';
import { Requests } from '../requests.js';
import { DeletionLetters } from './letters.js';

const DAY = 86_400_000;

// Index-only pages in the order of ids: what one workspace costs does not depend on how many are due.
const due = `
  select r.tenant_id as "tenant", r.id from habeas.requests r
  where r.kind = 'deletion' and r.scope = 'workspace' and r.closed_at is null
    and (r.status = 'scheduled' and r.run_after <= $1 or r.status = 'in_progress' and coalesce(r.next_attempt_at, $1) <= $1)
    and r.id > $2
  order by r.id limit 500`;

// A reminder that would come with the first mail, or after the grace, is none.
const untold = `
  select r.tenant_id as "tenant", r.id from habeas.workspace_deletions d join habeas.requests r on r.id = d.request_id
  where d.day_told_at is null and r.closed_at is null and r.status = 'scheduled' and r.run_after > $1
    and (r.run_after <= $1::timestamptz + interval '24 hours' and r.run_after > d.scheduled_at + interval '24 hours'
         or d.week_told_at is null and r.run_after <= $1::timestamptz + interval '168 hours'
            and r.run_after > d.scheduled_at + interval '168 hours')
    and r.id > $2
  order by r.id limit 500`;

// A week's reminder that was missed is not made up for by two mails on the last day.
const claim = `
  update habeas.workspace_deletions
  set week_told_at = coalesce(week_told_at, $2), day_told_at = case when $3 then $2 else day_told_at end
  where request_id = $1 and case when $3 then day_told_at is null else week_told_at is null end
  returning 1`;

const oldest = `
  select min(run_after) as "due" from habeas.requests
  where kind = 'deletion' and scope = 'workspace' and closed_at is null and run_after <= $1`;

/** When the grace of the oldest workspace ended that is not purged, whatever it waits for. */
export const oldestPurge: OldestDue = async (tx, now) =>
  (await tx.query<{ due: Date | null }>(oldest, [now]))[0]?.due ?? null;

/** What time brings to workspaces on their way out: reminders, and the purge. Any number of instances may run it. */
@Injectable()
export class WorkspaceDeletionSweep {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly queue: Queue,
    private readonly requests: Requests,
    private readonly letters: DeletionLetters,
  ) {}

  /** Puts every purge that is due into its queue again: jobs may get lost, the rows do not. */
  purges(): Promise<void> {
    return this.each(due, (ref) =>
      this.database.asJob(ref.tenant, 'purge-sweep', (tx) => this.queue.enqueue(tx, WORKSPACE_PURGE, ref)),
    );
  }

  /** Mails those who are owners now, 7 days and 1 day before the end of a grace that is longer than that. */
  reminders(): Promise<void> {
    return this.each(untold, (ref) => this.remind(ref));
  }

  private each(sql: string, work: (ref: JobRef) => Promise<void>): Promise<void> {
    const now = this.clock.now();
    return eachOnItsOwn((after) => this.database.asSweep((tx) => tx.query<JobRef>(sql, [now, after])), work);
  }

  /** Under the request's lock, so that nobody is reminded of what was cancelled; the claim lets one instance win. */
  private async remind({ tenant, id }: JobRef): Promise<void> {
    const now = this.clock.now();
    await this.database.asJob(tenant, 'deletion-reminders', async (tx) => {
      const request = await this.requests.lock(tx, id);
      if (request.status !== 'scheduled' || request.runAfter === null || request.runAfter <= now) return;
      const isLastDay = request.runAfter.getTime() - now.getTime() <= DAY;
      if ((await tx.query(claim, [id, now, isLastDay])).length === 0) return;
      const days = isLastDay ? 1 : 7;
      await this.letters.reminder(tx, request, days);
      await this.requests.tell(tx, request, 'workspace.deletion_reminded', { metadata: { days } });
    });
  }
}

import { Injectable } from '@nestjs/common';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { DomainError } from '../../errors.js';
import { type Request, requestColumns } from '../request.js';
import { type DeletionReason } from './deletion.schema.js';

/** The deletion of a whole workspace: its request, why, and since when. `runAfter` is when its grace ends. */
export type ScheduledDeletion = Request & { reason: DeletionReason; scheduledAt: Date };

// The open one, of which there is one at the most, else the last that was.
const newest = `
  select r.*, d.reason, d.scheduled_at as "scheduledAt"
  from (select ${requestColumns} from habeas.requests
        where tenant_id = $1 and kind = 'deletion' and scope = 'workspace'
        order by closed_at is not null, closed_at desc limit 1) r
  join habeas.workspace_deletions d on d.request_id = r.id`;

const begin = `
  insert into habeas.workspace_deletions (request_id, tenant_id, reason, scheduled_at) values ($1, $2, $3, $4)`;

/** Each one is a mail to every owner, and so is its cancellation. */
const MOST_A_DAY = 5;
const DAY = 86_400_000;

// Among the requests, whose index knows the tenant. What was cancelled counts as well.
const oneTooMany = `
  select d.scheduled_at as "at" from habeas.requests r join habeas.workspace_deletions d on d.request_id = r.id
  where r.tenant_id = $1 and r.kind = 'deletion' and r.scope = 'workspace' and d.scheduled_at > $2
  order by d.scheduled_at desc offset ${MOST_A_DAY - 1} limit 1`;

const irreversible = 'select 1 from habeas.erasures where job_id = $1 and irreversible_at is not null';

/** What is kept of workspaces’ deletions, in the tenant that a unit of work is in. */
@Injectable()
export class DeletionRecords {
  /** The deletion of the tenant of `tx`: the open one, else the last; undefined where there never was one. */
  newest(tx: UnitOfWork): Promise<ScheduledDeletion | undefined> {
    return tx.one<ScheduledDeletion>(newest, [tx.tenant]);
  }

  /**
   * So that nobody has all owners mailed without end by scheduling and cancelling in turns. Counted in rows, so that
   * all instances count the same. Cancelling is never too often.
   * @throws DomainError `deletion.too_often`
   */
  async assertNotTooOften(tx: UnitOfWork, now: Date): Promise<void> {
    const since = new Date(now.getTime() - DAY);
    const oldest = await tx.one<{ at: Date }>(oneTooMany, [tx.tenant, since]);
    if (!oldest) return;
    const again = new Date(oldest.at.getTime() + DAY);
    const retryAfter = Math.ceil((again.getTime() - now.getTime()) / 1000);
    throw new DomainError(
      'deletion.too_often',
      `The deletion of this workspace was scheduled ${MOST_A_DAY} times within 24 hours, and every owner was told each time. It can be scheduled again from ${again.toISOString()} on.`,
      { extra: { retryAfter } },
    );
  }

  /** Keeps why and until when; the request's run waits for `runAfter`. */
  async begin(tx: UnitOfWork, request: Request, reason: DeletionReason, at: Date, runAfter: Date) {
    await tx.query(begin, [request.id, tx.tenant, reason, at]);
    await tx.query('update habeas.requests set run_after = $2 where id = $1', [request.id, runAfter]);
    return { ...request, runAfter };
  }

  /** Whether something of it is gone for good. */
  async isIrreversible(tx: UnitOfWork, { id }: Pick<Request, 'id'>): Promise<boolean> {
    return (await tx.one(irreversible, [id])) !== undefined;
  }
}

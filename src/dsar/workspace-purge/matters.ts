import { Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { Database } from '../../database/database.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { Queue } from '../../jobs/queue.js';
import { Letters } from '../letters/letters.js';
import { enqueueFulfilment } from '../queues.js';
import { type Request } from '../request.js';
import { isOpen } from '../request-lifecycle.js';
import { Requests } from '../requests.js';

const openOne = `
  select id from habeas.requests where tenant_id = $1 and closed_at is null and id <> $2 order by id limit 1`;

const partOfAnother = `
  select request_id as id, request_tenant_id as tenant from habeas.request_parts
  where tenant_id = $1 and request_tenant_id <> $1 order by request_id limit 1`;

// In one statement each: few are ever open, and the closed ones are as many as were ever filed.
const wipeRequests = `
  update habeas.requests
  set mail_sealed = null, details_sealed = null, mail_digest = null, language = null, failure = null, contact_wiped_at = $2
  where id = any (array(select id from habeas.requests
    where tenant_id = $1 and closed_at is not null
      and (contact_wiped_at is null or num_nonnulls(mail_sealed, details_sealed, mail_digest, language, failure) > 0)
    limit 1000)) returning 1`;

/** What staff wrote to people; that they wrote, and when, stays. */
const freeTexts = [
  ['request_refusals', 'explanation_sealed'],
  ['request_extensions', 'reason_sealed'],
  ['request_pauses', 'reason_sealed'],
] as const;

/** Requests of a workspace that is being purged, and its parts of others: nothing is left there that they could be about. */
@Injectable()
export class WorkspaceMatters {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly requests: Requests,
    private readonly letters: Letters,
    private readonly queue: Queue,
  ) {}

  /** Closes what is open, ends the parts of account requests so that those can go on, and wipes what names anybody. */
  async settle({ tenant, id }: Pick<Request, 'tenant' | 'id'>): Promise<void> {
    while (await this.within(tenant, (tx) => this.close(tx, id)));
    while (await this.within(tenant, (tx) => this.endPart(tx)));
    while (await this.within(tenant, (tx) => this.wipe(tx)));
    for (const [table, words] of freeTexts)
      await this.within(tenant, (tx) =>
        tx.query(`update habeas.${table} set ${words} = null where tenant_id = $1 and ${words} is not null`, [
          tenant,
        ]),
      );
    // Of earlier erasures too: whom they were about, and the key of where.
    await this.within(tenant, (tx) => tx.query(wipeErasures, [tenant, id, this.clock.now()]));
  }

  /** The person learns that nothing is held about them here any more. */
  private async close(tx: UnitOfWork, purge: string): Promise<boolean> {
    const next = await tx.one<{ id: string }>(openOne, [tx.tenant, purge]);
    if (!next) return false;
    const request = await this.requests.lock(tx, next.id);
    if (!isOpen(request.status)) return true;
    const running =
      request.status === 'in_progress'
        ? request
        : await this.requests.move(tx, request, 'in_progress', { action: 'request.started' });
    const closed = await this.requests.move(tx, running, 'fulfilled', {
      action: 'request.fulfilled',
      outcomeOfRequest: 'no_data',
      metadata: { outcome: 'no_data', because: 'workspace_purged' },
    });
    await this.letters.noData(tx, closed);
    return true;
  }

  private async endPart(tx: UnitOfWork): Promise<boolean> {
    const part = await tx.one<{ id: string; tenant: string }>(partOfAnother, [tx.tenant]);
    if (!part) return false;
    await tx.query('delete from habeas.request_parts where tenant_id = $1 and request_id = $2', [
      tx.tenant,
      part.id,
    ]);
    await tx.inTenant(part.tenant, async () => {
      const request = await this.requests.find(tx, part.id);
      if (!isOpen(request.status)) return;
      await this.requests.tell(tx, request, 'part.ended', { metadata: { because: 'workspace_purged' } });
      await enqueueFulfilment(this.queue, tx, request);
    });
    return true;
  }

  private async wipe(tx: UnitOfWork): Promise<boolean> {
    return (await tx.query(wipeRequests, [tx.tenant, this.clock.now()])).length > 0;
  }

  private within<T>(tenant: string, work: (tx: UnitOfWork) => Promise<T>): Promise<T> {
    return this.database.asJob(tenant, 'workspace-purge', work);
  }
}

const wipeErasures = `
  update habeas.erasures set job_sealed = null, wiped_at = $3
  where tenant_id = $1 and job_id <> $2 and job_sealed is not null`;

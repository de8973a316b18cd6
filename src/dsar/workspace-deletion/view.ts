import { Inject, Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/events.js';
import { Clock } from '../../clock.js';
import { CONFIG, type Config } from '../../config.js';
import { type Tenancy } from '../../database/tenancy.js';
import { Database } from '../../database/database.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { type ApiToken, type Person } from '../../identity/principal.js';
import { grantsOf } from '../../identity/role-matrix.js';
import { isOpen } from '../request-lifecycle.js';
import { assertWorkspace } from './authority.js';
import { WorkspaceDeletionBlockers } from './blockers.js';
import { DeletionRecords, type ScheduledDeletion } from './record.js';
import { type WorkspaceDeletion } from './deletion.schema.js';

const purgedAt = 'select purged_at as "at" from habeas.workspaces where id = $1 and purged_at is not null';

// The newest that is being put together, or can still be downloaded.
const copy = `
  select r.id, p.expires_at as "expiresAt" from habeas.requests r
  left join habeas.packages p on p.job_id = r.id and p.status = 'ready' and p.expires_at > $2
  where r.tenant_id = $1 and r.kind = 'access' and r.scope = 'workspace' and (r.closed_at is null or p.id is not null)
  order by r.filed_at desc, r.id desc limit 1`;

/** How a workspace's deletion stands, for the banner of the host app and for those who may act on it. */
@Injectable()
export class DeletionStatus {
  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Config,
    private readonly clock: Clock,
    private readonly audit: AuditLog,
    private readonly records: DeletionRecords,
    private readonly blockers: WorkspaceDeletionBlockers,
  ) {}

  /** Status and dates; more where the matrix says a plain yes. Staff's look is an event. */
  read(tenancy: Tenancy, caller: Person | ApiToken): Promise<WorkspaceDeletion> {
    assertWorkspace(tenancy);
    const grants = grantsOf(caller.roles, 'deletion', 'read');
    const whole = [...grants.values()].includes('yes');
    return this.database.within(tenancy, async (tx) => {
      const found = await this.records.newest(tx);
      const staff = tenancy.actor.type === 'staff';
      if (staff && found)
        await this.audit.record(tx, 'request.viewed', { targets: [{ type: 'request', id: found.id }] });
      const dates = await this.dates(tx, found);
      if (!whole) return dates;
      const more = found && (isOpen(found.status) || found.status === 'fulfilled') ? this.matter(found) : {};
      if (dates.status === 'purged') return { ...dates, ...more };
      return {
        ...dates,
        ...more,
        ...(found && isOpen(found.status) && { blockers: await this.waiting(tx, found, staff) }),
        package: await this.copy(tx),
      };
    });
  }

  private async dates(tx: UnitOfWork, found: ScheduledDeletion | undefined): Promise<WorkspaceDeletion> {
    if (found?.status === 'fulfilled')
      return { status: 'purged', ...(found.closedAt && { purgedAt: found.closedAt.toISOString() }) };
    if (!found || !isOpen(found.status)) {
      // The directory remembers longer than the request does.
      const gone = await tx.one<{ at: Date }>(purgedAt, [tx.tenant]);
      return gone ? { status: 'purged', purgedAt: gone.at.toISOString() } : { status: 'none' };
    }
    const until = found.runAfter?.toISOString();
    const scheduled = found.status === 'scheduled';
    return {
      status: scheduled ? 'scheduled' : found.status === 'failed' ? 'failed' : 'in_progress',
      scheduledAt: found.scheduledAt.toISOString(),
      ...(until !== undefined && { scheduledFor: until }),
      cancellable: scheduled || !(await this.records.isIrreversible(tx, found)),
      ...(scheduled && until !== undefined && { cancellableUntil: until }),
    };
  }

  private matter({ id, tenant, reason, status }: ScheduledDeletion): Partial<WorkspaceDeletion> {
    const plan = `${this.config.publicUrl}/v1/workspaces/${tenant}/requests/${id}/plan`;
    return { requestId: id, reason, ...(isOpen(status) && { plan }) };
  }

  private async waiting(tx: UnitOfWork, found: ScheduledDeletion, staff: boolean) {
    const blockers = await this.blockers.of(tx, found);
    return blockers
      .filter(({ disclosable }) => disclosable || staff)
      .map(({ code, message }) => ({ code, message }));
  }

  private async copy(tx: UnitOfWork): Promise<WorkspaceDeletion['package']> {
    const found = await tx.one<{ id: string; expiresAt: Date | null }>(copy, [tx.tenant, this.clock.now()]);
    return {
      status: found ? (found.expiresAt ? 'ready' : 'open') : 'none',
      ...(found && { requestId: found.id }),
      ...(found?.expiresAt && { expiresAt: found.expiresAt.toISOString() }),
      href: `${this.config.publicUrl}/v1/workspaces/${tx.tenant}/requests`,
    };
  }
}

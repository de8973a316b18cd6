import { Injectable } from '@nestjs/common';
import { type Tenancy } from '../../database/tenancy.js';
import { Database } from '../../database/database.js';
import { DomainError, notFound } from '../../errors.js';
import { type ApiToken, type Person } from '../../identity/principal.js';
import { isOpen } from '../request-lifecycle.js';
import { Requests } from '../requests.js';
import { DeletionAnnouncements } from './announcements.js';
import { assertWorkspace, DeletionAuthority } from './authority.js';
import { type NewWorkspaceDeletion } from './deletion.schema.js';
import { DeletionOpening } from './opening.js';
import { DeletionRecords } from './record.js';

/** The one door to a workspace's deletion: it is scheduled, and cancelled. Each is one transaction. */
@Injectable()
export class WorkspaceDeletions {
  constructor(
    private readonly database: Database,
    private readonly requests: Requests,
    private readonly records: DeletionRecords,
    private readonly authority: DeletionAuthority,
    private readonly opening: DeletionOpening,
    private readonly announcements: DeletionAnnouncements,
  ) {}

  /**
   * Schedules it for the end of GRACE_PERIOD (days of 24 hours), and tells every owner.
   * @throws DomainError `deletion.already_purged`, and as DeletionAuthority.assertMaySchedule and DeletionOpening.open do
   */
  async schedule(tenancy: Tenancy, caller: Person | ApiToken, filing: NewWorkspaceDeletion): Promise<void> {
    assertWorkspace(tenancy);
    await this.database.within(tenancy, async (tx) => {
      await this.authority.assertMaySchedule(tx, caller, filing);
      if ((await this.records.newest(tx))?.status === 'fulfilled')
        throw new DomainError('deletion.already_purged', 'This workspace is deleted already.');
      if (filing.reason === 'subscription_ended') await this.authority.assertNotKept(tx);
      const request = await this.opening.open(tx, caller, filing);
      const scheduled = await this.requests.move(tx, request, 'scheduled', {
        action: 'workspace.deletion_scheduled',
        metadata: { reason: filing.reason, scheduledFor: request.runAfter.toISOString() },
      });
      await this.announcements.scheduled(tx, scheduled, filing.reason);
    });
  }

  /**
   * Takes it back, until something is gone for good. The request's lock decides between this and the purge: whoever
   * has it first is who the other finds.
   * @throws DomainError `deletion.not_found`, `request.irreversible`
   */
  async cancel(tenancy: Tenancy, caller: Person | ApiToken): Promise<void> {
    assertWorkspace(tenancy);
    await this.database.within(tenancy, async (tx) => {
      const found = await this.records.newest(tx);
      if (!found) throw notFound('deletion');
      this.authority.assertMayCancel(caller, found);
      const request = await this.requests.lock(tx, found.id);
      if (request.status === 'fulfilled') throw irreversible();
      if (!isOpen(request.status)) throw notFound('deletion');
      const cancelled = await this.requests.move(tx, request, 'withdrawn', {
        action: 'workspace.deletion_cancelled',
      });
      await this.announcements.cancelled(tx, cancelled);
    });
  }
}

const irreversible = () =>
  new DomainError(
    'request.irreversible',
    'The deletion has begun, and what is deleted cannot be brought back.',
  );

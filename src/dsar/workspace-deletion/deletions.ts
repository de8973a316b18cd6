import { Inject, Injectable } from '@nestjs/common';
import { DateTime } from 'luxon';
import { Clock } from '../../clock.js';
import { CONFIG, type Config } from '../../config.js';
import { type Tenancy } from '../../database/tenancy.js';
import { Database } from '../../database/database.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { DomainError, notFound } from '../../errors.js';
import { actorId } from '../../identity/actor-id.js';
import { type ApiToken, type Person } from '../../identity/principal.js';
import { Notes } from '../notes.js';
import { claimMatter } from '../open-matters.js';
import { type Channel, type Request } from '../request.js';
import { isOpen } from '../request-lifecycle.js';
import { Requests } from '../requests.js';
import { startingClock } from '../starting-clock.js';
import { SubscriptionRetention } from './subscription-retention.js';
import { Whereabouts } from '../whereabouts.js';
import { DeletionAnnouncements } from './announcements.js';
import { assertWorkspace, DeletionAuthority } from './authority.js';
import { DeletionRecords } from './record.js';
import { type NewWorkspaceDeletion } from './deletion.schema.js';

/** The one door to a workspace's deletion: it is scheduled, and cancelled. Each is one transaction. */
@Injectable()
export class WorkspaceDeletions {
  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Config,
    private readonly clock: Clock,
    private readonly requests: Requests,
    private readonly whereabouts: Whereabouts,
    private readonly notes: Notes,
    private readonly records: DeletionRecords,
    private readonly authority: DeletionAuthority,
    private readonly announcements: DeletionAnnouncements,
    private readonly retention: SubscriptionRetention,
  ) {}

  /**
   * Schedules it for the end of GRACE_PERIOD (days of 24 hours), and tells every owner.
   * @throws DomainError `deletion.already_scheduled`, `deletion.already_purged`, `deletion.kept_by_retention`, and as
   * DeletionAuthority.assertMaySchedule does
   */
  async schedule(tenancy: Tenancy, caller: Person | ApiToken, filing: NewWorkspaceDeletion): Promise<void> {
    assertWorkspace(tenancy);
    await this.database.within(tenancy, async (tx) => {
      await this.authority.assertMaySchedule(tx, caller, filing);
      if ((await this.records.newest(tx))?.status === 'fulfilled')
        throw new DomainError('deletion.already_purged', 'This workspace is deleted already.');
      if (filing.reason === 'subscription_ended') await this.retention.assertDeletes(tx);
      const at = this.clock.now();
      const opened = await this.open(tx, channelOf(caller), at);
      if (filing.explanation !== undefined) await this.notes.write(tx, opened.id, filing.explanation);
      const request = await this.records.begin(tx, opened, filing.reason, at, this.graceEnd(at));
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

  private async open(tx: UnitOfWork, channel: Channel, receivedAt: Date): Promise<Request> {
    const { places } = await this.whereabouts.of(tx, 'workspace', []);
    const what = { kind: 'deletion', scope: 'workspace' } as const;
    const { laws } = this.config;
    const clock = startingClock({ ...what, receivedAt, subjectJurisdictions: [], parts: places, laws });
    const request = await this.requests.open(tx, {
      tenant: tx.tenant,
      ...what,
      channel,
      jurisdiction: clock.jurisdiction,
      law: clock.law,
      zone: clock.zone,
      clock: { ...clock.rule, decidedBy: clock.decidedBy },
      receivedAt,
      dueOn: null,
      acknowledgeBy: null,
      identityMethod: 'authority',
      language: null,
      mailSealed: null,
      mailDigest: null,
      detailsSealed: null,
      filedBy: await actorId(tx),
      coolingOff: null,
      waivesAccessLock: false,
    });
    await this.requests.tell(tx, request, 'request.filed', {
      metadata: { ...what, channel },
    });
    await this.claim(tx, request);
    for (const place of places) await this.requests.openPart(tx, request, place);
    return request;
  }

  private async claim(tx: UnitOfWork, request: Request): Promise<void> {
    const other = await claimMatter(tx, request, []);
    if (other === undefined) return;
    throw new DomainError(
      'deletion.already_scheduled',
      'The deletion of this workspace is scheduled already. GET this address says for when, DELETE cancels it.',
      { extra: { requestId: other } },
    );
  }

  /** Counted in UTC, where a day has 24 hours. */
  private graceEnd(from: Date): Date {
    return DateTime.fromJSDate(from, { zone: 'utc' }).plus(this.config.gracePeriod).toJSDate();
  }
}

function channelOf(caller: Person | ApiToken): Channel {
  if (caller.type === 'token') return 'token';
  return caller.roles.includes('owner') ? 'workspace' : 'desk';
}

const irreversible = () =>
  new DomainError(
    'request.irreversible',
    'The deletion has begun, and what is deleted cannot be brought back.',
  );

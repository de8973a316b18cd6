import { Inject, Injectable } from '@nestjs/common';
import { DateTime } from 'luxon';
import { Clock } from '../../clock.js';
import { CONFIG, type Config } from '../../config.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { DomainError } from '../../errors.js';
import { actorId } from '../../identity/actor-id.js';
import { type ApiToken, type Person } from '../../identity/principal.js';
import { Notes } from '../desk/notes.js';
import { claimMatter } from '../filing/open-matters.js';
import { type Channel, type Request } from '../request.js';
import { Requests } from '../requests.js';
import { startingClock } from '../filing/starting-clock.js';
import { Whereabouts } from '../filing/whereabouts.js';
import { type NewWorkspaceDeletion } from './deletion.schema.js';
import { DeletionRecords } from './record.js';

/** How the request of a workspace's deletion is opened, with its grace: the only one there is, and not too often. */
@Injectable()
export class DeletionOpening {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly clock: Clock,
    private readonly requests: Requests,
    private readonly whereabouts: Whereabouts,
    private readonly notes: Notes,
    private readonly records: DeletionRecords,
  ) {}

  /**
   * Received, and with the end of its grace as `runAfter`.
   * @throws DomainError `deletion.already_scheduled`, `deletion.too_often`
   */
  async open(tx: UnitOfWork, caller: Person | ApiToken, filing: NewWorkspaceDeletion) {
    const at = this.clock.now();
    const opened = await this.received(tx, channelOf(caller), at);
    // The claim lets one in at a time, so that two at once are counted one after the other.
    await this.records.assertNotTooOften(tx, at);
    if (filing.explanation !== undefined) await this.notes.write(tx, opened.id, filing.explanation);
    return this.records.begin(tx, opened, filing.reason, at, this.graceEnd(at));
  }

  private async received(tx: UnitOfWork, channel: Channel, receivedAt: Date): Promise<Request> {
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
    await this.requests.openParts(tx, request, places);
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

import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { CONFIG, type Config } from '../../config.js';
import { systemTenancy } from '../../database/tenancy.js';
import { Database } from '../../database/database.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { HostMap } from '../../datamap/host-map.js';
import { unlessMisfit } from '../../datamap/misfit.js';
import { type JobRef } from '../../jobs/queue.js';
import { type DeletionBlocker, DeletionBlockers } from './blockers.js';
import { delaysEnded } from '../law/delays.js';
import { DeletionWork } from './work.js';
import { erasureFailureOf } from './erasure-failure.js';
import { LateParts } from '../filing/late-parts.js';
import { Parts, undecided } from '../parts.js';
import { type Request } from '../request.js';
import { isOpen } from '../request-lifecycle.js';
import { Requests } from '../requests.js';
import { Setbacks } from '../setbacks.js';

/** Fulfils the deletions of people: waits for what stands in the way, erases, closes the matter. Safe to repeat. */
@Injectable()
export class DeletionFulfilment {
  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Config,
    private readonly clock: Clock,
    private readonly host: HostMap,
    private readonly requests: Requests,
    private readonly parts: Parts,
    private readonly blockers: DeletionBlockers,
    private readonly lateParts: LateParts,
    private readonly work: DeletionWork,
    private readonly setbacks: Setbacks,
  ) {}

  /** Runs one request if it is due and nothing stands in its way; does nothing when it is not (any more). */
  async run(job: JobRef): Promise<void> {
    const tenancy = systemTenancy(job.tenant, 'deletion-fulfilment');
    const request = await this.database.within(tenancy, (tx) => this.begin(tx, job.id));
    if (!request) return;
    try {
      this.host.assertFits();
      await this.work.run(request);
    } catch (error) {
      await this.database.within(tenancy, async (tx) =>
        this.setbacks.note(tx, await this.requests.lock(tx, request.id), erasureFailureOf(error)),
      );
    }
  }

  /** Due is asked here, inside the transaction that acts: a lost timer or a late withdrawal does no harm. */
  private async begin(tx: UnitOfWork, id: string): Promise<Request | undefined> {
    const locked = await this.requests.lock(tx, id);
    if (locked.kind !== 'deletion' || locked.scope === 'workspace' || locked.identityProvenAt === null)
      return undefined;
    const request = isOpen(locked.status) && !locked.partsOpened ? await this.completed(tx, locked) : locked;
    if (!request) return undefined;
    if (request.status === 'in_progress') return this.setbacks.isOver(request) ? request : undefined;
    if (request.status !== 'received' && request.status !== 'scheduled') return undefined;
    return (await this.mayStart(tx, request)) ? this.start(tx, request) : undefined;
  }

  private completed(tx: UnitOfWork, request: Request): Promise<Request | undefined> {
    return tx.attempt(() => this.lateParts.open(tx, request), unlessMisfit<Request | undefined>(undefined));
  }

  private async mayStart(tx: UnitOfWork, request: Request): Promise<boolean> {
    const parts = await this.parts.of(tx, request);
    const subjects = await this.requests.subjects(tx, request.id);
    const found = await this.blockers.of(tx, request, parts, subjects);
    const ended = delaysEnded(request, this.clock.now(), this.config);
    const lasting = found.filter(({ delays }) => !delays);
    if (ended) await this.putOnDesk(tx, request, lasting);
    return found.length === 0 && (ended || !parts.some(undecided));
  }

  /** The law's date is near and it cannot run: staff refuse it, as prepared, or clear the way. Told once for each change. */
  private async putOnDesk(
    tx: UnitOfWork,
    request: Request,
    [first, ...more]: readonly DeletionBlocker[],
  ): Promise<void> {
    if (!first) return;
    const failure = {
      code: `deletion.${first.code}`,
      message: [...new Set([first, ...more].map(({ message }) => message))].join(' '),
    };
    if (request.failure?.code === failure.code && request.failure.message === failure.message) return;
    // Not which: the person reads the timeline, and may have no right to know of a hold.
    await this.requests.reschedule(tx, request, { action: 'request.blocked', outcome: 'failure', failure });
  }

  private async start(tx: UnitOfWork, request: Request): Promise<Request> {
    const waiting = (await this.parts.of(tx, request)).filter(undecided);
    for (const part of waiting)
      await tx.inTenant(part.tenant, () =>
        this.parts.decide(tx, request.id, 'left_out', 'system', this.clock.now()),
      );
    return this.requests.move(tx, request, 'in_progress', {
      action: 'request.started',
      metadata: { undecided: waiting.length },
    });
  }
}

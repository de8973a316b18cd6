import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { CONFIG, type Config } from '../config.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { unlessMisfit } from '../datamap/misfit.js';
import { LateParts } from './filing/late-parts.js';
import { delaysEnded } from './law/delays.js';
import { type Part, Parts, undecided } from './parts.js';
import { type Request } from './request.js';
import { isOpen } from './request-lifecycle.js';
import { Requests } from './requests.js';
import { Setbacks } from './setbacks.js';

/** When the work of somebody's request may begin, whatever its kind: it is proven and complete, and its parts are decided. */
@Injectable()
export class Starts {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly clock: Clock,
    private readonly requests: Requests,
    private readonly parts: Parts,
    private readonly lateParts: LateParts,
    private readonly setbacks: Setbacks,
  ) {}

  /**
   * Due is asked here, inside the transaction that acts: a lost timer or a late withdrawal does no harm.
   * @returns the request, still to be started (`received`, `scheduled`) or to be taken up again (`in_progress`);
   * undefined where nothing is to be done about it now
   */
  async due(tx: UnitOfWork, locked: Request): Promise<Request | undefined> {
    if (locked.identityProvenAt === null) return undefined;
    const request = isOpen(locked.status) && !locked.partsOpened ? await this.completed(tx, locked) : locked;
    if (request?.status === 'in_progress') return this.setbacks.isOver(request) ? request : undefined;
    return request?.status === 'received' || request?.status === 'scheduled' ? request : undefined;
  }

  /** The law's date is near: what only delays has to give way. */
  isPressing(request: Request): boolean {
    return delaysEnded(request, this.clock.now(), this.config);
  }

  /** Somebody still has a say in a part of it, and the time for that. */
  awaitsDecision(request: Request, parts: readonly Part[]): boolean {
    return parts.some(undecided) && !this.isPressing(request);
  }

  /** Parts that nobody decided about in time are left out. */
  async start(tx: UnitOfWork, request: Request, parts: readonly Part[]): Promise<Request> {
    const waiting = parts.filter(undecided);
    for (const { tenant } of waiting)
      await tx.inTenant(tenant, () =>
        this.parts.decide(tx, request.id, 'left_out', 'system', this.clock.now()),
      );
    return this.requests.move(tx, request, 'in_progress', {
      action: 'request.started',
      metadata: { undecided: waiting.length },
    });
  }

  private completed(tx: UnitOfWork, request: Request): Promise<Request | undefined> {
    return tx.attempt(() => this.lateParts.open(tx, request), unlessMisfit<Request | undefined>(undefined));
  }
}

import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { CONFIG, type Config } from '../../config.js';
import { systemTenancy } from '../../database/tenancy.js';
import { Database } from '../../database/database.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { HostMap } from '../../datamap/host-map.js';
import { unlessMisfit } from '../../datamap/misfit.js';
import { type BuiltPackage } from '../../export/package-builder.js';
import { type JobRef } from '../../jobs/queue.js';
import { AccessPackage, type Attempt } from './package.js';
import { failureOf } from './build-failure.js';
import { delaysEnded } from '../law/delays.js';
import { LateParts } from '../filing/late-parts.js';
import { Letters } from '../letters/letters.js';
import { Parts, undecided } from '../parts.js';
import { type Failure, type Request } from '../request.js';
import { isOpen } from '../request-lifecycle.js';
import { Requests } from '../requests.js';
import { Setbacks } from '../setbacks.js';

/** Fulfils access requests: builds the package, hands over the link, closes the matter. Safe to repeat from any point. */
@Injectable()
export class AccessFulfilment {
  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Config,
    private readonly clock: Clock,
    private readonly host: HostMap,
    private readonly requests: Requests,
    private readonly parts: Parts,
    private readonly accessPackage: AccessPackage,
    private readonly letters: Letters,
    private readonly lateParts: LateParts,
    private readonly setbacks: Setbacks,
  ) {}

  /** Runs one request if it is due; does nothing when it is not (any more). */
  async run(job: JobRef): Promise<void> {
    const tenancy = systemTenancy(job.tenant, 'access-fulfilment');
    const attempt = await this.database.within(tenancy, (tx) => this.begin(tx, job.id));
    if (!attempt) return;
    try {
      // Asked before anything of the host is read: what Postgres would say of it is a failure, this is a wait.
      this.host.assertFits();
      const built = await this.accessPackage.build(attempt);
      await this.database.within(tenancy, (tx) => this.finish(tx, attempt, built));
    } catch (error) {
      await this.database.within(tenancy, (tx) => this.fail(tx, attempt, failureOf(error)));
    }
  }

  /** Due is asked here, inside the transaction that acts: a lost timer or a late withdrawal does no harm. */
  private async begin(tx: UnitOfWork, id: string): Promise<Attempt | undefined> {
    const locked = await this.requests.lock(tx, id);
    const now = this.clock.now();
    const incomplete = isOpen(locked.status) && !locked.partsOpened;
    const request = incomplete ? await this.completed(tx, locked) : locked;
    if (!request) return undefined;
    const startable = request.status === 'received' || request.status === 'scheduled';
    const resumable = request.status === 'in_progress' && this.setbacks.isOver(request);
    if (request.kind !== 'access' || request.identityProvenAt === null || !(startable || resumable))
      return undefined;

    const waiting = (await this.parts.of(tx, request)).filter(undecided);
    if (waiting.length > 0 && !delaysEnded(request, now, this.config)) return undefined;
    for (const part of waiting) {
      await tx.inTenant(part.tenant, async () => {
        await this.parts.decide(tx, id, 'left_out', 'system', now);
      });
    }
    const running = startable
      ? await this.requests.move(tx, request, 'in_progress', {
          action: 'request.started',
          metadata: { undecided: waiting.length },
        })
      : request;
    return this.accessPackage.begin(tx, running);
  }

  private completed(tx: UnitOfWork, request: Request): Promise<Request | undefined> {
    return tx.attempt(() => this.lateParts.open(tx, request), unlessMisfit<Request | undefined>(undefined));
  }

  private async finish(tx: UnitOfWork, attempt: Attempt, built: BuiltPackage): Promise<void> {
    const request = await this.requests.lock(tx, attempt.request.id);
    // Withdrawn or refused while it was built: the package must not appear; the sweep removes the object.
    if (request.status !== 'in_progress') {
      await this.accessPackage.giveUp(tx, attempt);
      return;
    }
    const nothingFound =
      built.rows === 0 && request.scope !== 'workspace' && built.manifest.leftOut.length === 0;
    if (nothingFound) {
      if (!(await this.accessPackage.giveUp(tx, attempt))) return;
      await this.letters.noData(tx, await this.close(tx, request, 'no_data'));
      return;
    }
    if (!(await this.accessPackage.deliver(tx, { ...attempt, request }, built, 'package.ready'))) return;
    await this.close(tx, request, built.manifest.leftOut.length > 0 ? 'partial' : 'full');
  }

  private close(tx: UnitOfWork, request: Request, outcome: 'full' | 'partial' | 'no_data') {
    return this.requests.move(tx, request, 'fulfilled', {
      action: 'request.fulfilled',
      outcomeOfRequest: outcome,
      metadata: { outcome },
    });
  }

  private async fail(tx: UnitOfWork, attempt: Attempt, failure: Failure): Promise<void> {
    const request = await this.requests.lock(tx, attempt.request.id);
    if (await this.accessPackage.giveUp(tx, attempt)) await this.setbacks.note(tx, request, failure);
  }
}

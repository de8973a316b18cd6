import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { type BuiltPackage } from '../../export/package-builder.js';
import { type JobRef } from '../../jobs/queue.js';
import { Attempts } from '../attempts.js';
import { Letters } from '../letters/letters.js';
import { Parts } from '../parts.js';
import { ACCESS_FULFILMENT } from '../queues.js';
import { type Request } from '../request.js';
import { Requests } from '../requests.js';
import { Starts } from '../starts.js';
import { failureOf } from './build-failure.js';
import { AccessPackage, type PackageAttempt } from './package.js';

/** Fulfils access requests: builds the package, hands over the link, closes the matter. Safe to repeat from any point. */
@Injectable()
export class AccessFulfilment {
  constructor(
    private readonly database: Database,
    private readonly requests: Requests,
    private readonly parts: Parts,
    private readonly starts: Starts,
    private readonly attempts: Attempts,
    private readonly accessPackage: AccessPackage,
    private readonly letters: Letters,
  ) {}

  /** Runs one request if it is due; does nothing when it is not (any more). */
  run(job: JobRef): Promise<void> {
    return this.attempts.run(job, ACCESS_FULFILMENT, {
      begin: (tx) => this.begin(tx, job.id),
      work: async (attempt) => {
        const built = await this.accessPackage.build(attempt);
        await this.database.asJob(job.tenant, ACCESS_FULFILMENT, (tx) => this.finish(tx, attempt, built));
      },
      failureOf,
      giveUp: (tx, attempt) => this.accessPackage.giveUp(tx, attempt),
    });
  }

  private async begin(tx: UnitOfWork, id: string): Promise<PackageAttempt | undefined> {
    const locked = await this.requests.lock(tx, id);
    const request = locked.kind === 'access' ? await this.starts.due(tx, locked) : undefined;
    if (!request) return undefined;
    const parts = await this.parts.of(tx, request);
    if (this.starts.awaitsDecision(request, parts)) return undefined;
    const resumed = request.status === 'in_progress';
    return this.accessPackage.begin(tx, resumed ? request : await this.starts.start(tx, request, parts));
  }

  private async finish(tx: UnitOfWork, attempt: PackageAttempt, built: BuiltPackage): Promise<void> {
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
}

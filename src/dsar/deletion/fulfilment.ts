import { Injectable } from '@nestjs/common';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { type JobRef } from '../../jobs/queue.js';
import { Attempts } from '../attempts.js';
import { type Part, Parts } from '../parts.js';
import { DELETION_FULFILMENT } from '../queues.js';
import { type Request } from '../request.js';
import { Requests } from '../requests.js';
import { Starts } from '../starts.js';
import { type DeletionBlocker, DeletionBlockers } from './blockers.js';
import { erasureFailureOf } from './erasure-failure.js';
import { DeletionWork } from './work.js';

/** Fulfils the deletions of people: waits for what stands in the way, erases, closes the matter. Safe to repeat. */
@Injectable()
export class DeletionFulfilment {
  constructor(
    private readonly requests: Requests,
    private readonly parts: Parts,
    private readonly starts: Starts,
    private readonly attempts: Attempts,
    private readonly blockers: DeletionBlockers,
    private readonly work: DeletionWork,
  ) {}

  /** Runs one request if it is due and nothing stands in its way; does nothing when it is not (any more). */
  run(job: JobRef): Promise<void> {
    return this.attempts.run(job, DELETION_FULFILMENT, {
      begin: (tx) => this.begin(tx, job.id),
      work: (request) => this.work.run(request),
      failureOf: erasureFailureOf,
    });
  }

  private async begin(tx: UnitOfWork, id: string): Promise<Request | undefined> {
    const locked = await this.requests.lock(tx, id);
    if (locked.kind !== 'deletion' || locked.scope === 'workspace') return undefined;
    const request = await this.starts.due(tx, locked);
    if (!request) return undefined;
    if (request.status === 'in_progress') return request;
    const parts = await this.parts.of(tx, request);
    if (!(await this.isClear(tx, request, parts))) return undefined;
    return this.starts.start(tx, request, parts);
  }

  private async isClear(tx: UnitOfWork, request: Request, parts: Part[]): Promise<boolean> {
    const subjects = await this.requests.subjects(tx, request.id);
    const found = await this.blockers.of(tx, request, parts, subjects);
    const lasting = found.filter(({ delays }) => !delays);
    if (this.starts.isPressing(request)) await this.putOnDesk(tx, request, lasting);
    return found.length === 0 && !this.starts.awaitsDecision(request, parts);
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
}

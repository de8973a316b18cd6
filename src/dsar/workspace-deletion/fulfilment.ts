import { Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { type JobRef } from '../../jobs/queue.js';
import { Attempts } from '../attempts.js';
import { erasureFailureOf } from '../deletion/erasure-failure.js';
import { WORKSPACE_PURGE } from '../queues.js';
import { type Failure, type Request } from '../request.js';
import { Requests } from '../requests.js';
import { Setbacks } from '../setbacks.js';
import { WorkspaceDeletionBlockers } from './blockers.js';
import { WorkspacePurge } from '../workspace-purge/purge.js';

/** Decides when a workspace's purge begins, and what follows when it fails. Safe to repeat, by any number of workers. */
@Injectable()
export class WorkspaceDeletionFulfilment {
  constructor(
    private readonly clock: Clock,
    private readonly requests: Requests,
    private readonly attempts: Attempts,
    private readonly setbacks: Setbacks,
    private readonly blockers: WorkspaceDeletionBlockers,
    private readonly purge: WorkspacePurge,
  ) {}

  /** Purges one workspace if its grace is over and nothing waits; does nothing when it is not due (any more). */
  run(job: JobRef): Promise<void> {
    return this.attempts.run(job, WORKSPACE_PURGE, {
      begin: (tx) => this.begin(tx, job.id),
      work: (request) => this.purge.run(request),
      failureOf: erasureFailureOf,
    });
  }

  /**
   * Compare and set, under the lock that a cancellation takes as well: either that comes first, and this finds it, or
   * this does, and that finds a purge that has touched nothing yet.
   */
  private async begin(tx: UnitOfWork, id: string): Promise<Request | undefined> {
    const request = await this.requests.lock(tx, id);
    if (request.kind !== 'deletion' || request.scope !== 'workspace') return undefined;
    if (request.status === 'in_progress') return this.setbacks.isOver(request) ? request : undefined;
    if (request.status !== 'scheduled' || !this.isDue(request)) return undefined;
    const found = await this.blockers.of(tx, request);
    const lasting = found.find(({ delays }) => !delays);
    if (lasting) await this.putOnDesk(tx, request, lasting);
    if (found.length > 0) return undefined;
    return this.requests.move(tx, request, 'in_progress', { action: 'request.started' });
  }

  private isDue({ runAfter }: Request): boolean {
    return runAfter !== null && runAfter <= this.clock.now();
  }

  /** Due, and not to be done for now: staff see it. Told once, without why: not everybody may know of a hold. */
  private async putOnDesk(tx: UnitOfWork, request: Request, { code, message }: Failure): Promise<void> {
    const failure = { code: `deletion.${code}`, message };
    if (request.failure?.code === failure.code) return;
    await this.requests.reschedule(tx, request, { action: 'request.blocked', outcome: 'failure', failure });
  }
}

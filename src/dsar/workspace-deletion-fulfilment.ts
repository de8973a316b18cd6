import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { systemTenancy } from '../database/tenancy.js';
import { Database } from '../database/database.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { HostMap } from '../datamap/host-map.js';
import { type JobRef } from '../jobs/queue.js';
import { erasureFailureOf } from './erasure-failure.js';
import { type Failure, type Request } from './request.js';
import { Requests } from './requests.js';
import { delayAfter, MAX_ATTEMPTS } from './retry-policy.js';
import { WorkspaceDeletionBlockers } from './workspace-deletion-blockers.js';
import { WorkspacePurge } from './workspace-purge.js';

/** Nobody's fault here, and over when somebody acts: it waits without wearing the retries down. */
const waits = new Set(['datamap.drift', 'deletion.held']);
/** Trying again finds the same: a person has to look. */
const final = new Set(['residue.found', 'erasure.blocked_by_constraint']);

/** Decides when a workspace's purge begins, and what follows when it fails. Safe to repeat, by any number of workers. */
@Injectable()
export class WorkspaceDeletionFulfilment {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly host: HostMap,
    private readonly requests: Requests,
    private readonly blockers: WorkspaceDeletionBlockers,
    private readonly purge: WorkspacePurge,
  ) {}

  /** Purges one workspace if its grace is over and nothing waits; does nothing when it is not due (any more). */
  async run({ tenant, id }: JobRef): Promise<void> {
    const tenancy = systemTenancy(tenant, 'workspace-purge');
    const request = await this.database.within(tenancy, (tx) => this.begin(tx, id));
    if (!request) return;
    try {
      this.host.assertFits();
      await this.purge.run(request);
    } catch (error) {
      await this.database.within(tenancy, (tx) => this.fail(tx, id, erasureFailureOf(error)));
    }
  }

  /**
   * Compare and set, under the lock that a cancellation takes as well: either that comes first, and this finds it, or
   * this does, and that finds a purge that has touched nothing yet.
   */
  private async begin(tx: UnitOfWork, id: string): Promise<Request | undefined> {
    const request = await this.requests.lock(tx, id);
    if (request.kind !== 'deletion' || request.scope !== 'workspace') return undefined;
    if (request.status === 'in_progress') return this.isResumable(request) ? request : undefined;
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

  /** What waits for the map has said so: nothing is tried, and nothing told again, until that changes. */
  private isResumable({ nextAttemptAt, failure }: Request): boolean {
    if (nextAttemptAt !== null && nextAttemptAt > this.clock.now()) return false;
    return failure?.code !== 'datamap.drift' || this.host.problems.length === 0;
  }

  /** Due, and not to be done for now: staff see it. Told once, without why: not everybody may know of a hold. */
  private async putOnDesk(tx: UnitOfWork, request: Request, { code, message }: Failure): Promise<void> {
    const failure = { code: `deletion.${code}`, message };
    if (request.failure?.code === failure.code) return;
    await this.requests.reschedule(tx, request, { action: 'request.blocked', outcome: 'failure', failure });
  }

  /** Tells what happened and when it is tried again; out of retries it is `failed` and on the desk, never lost. */
  private async fail(tx: UnitOfWork, id: string, failure: Failure): Promise<void> {
    const request = await this.requests.lock(tx, id);
    // Cancelled in the meantime, or ended by another worker.
    if (request.status !== 'in_progress') return;
    const isWaiting = waits.has(failure.code);
    const attempts = request.attempts + (isWaiting ? 0 : 1);
    const told = { outcome: 'failure' as const, failure, attempts };
    if (final.has(failure.code) || attempts >= MAX_ATTEMPTS) {
      const metadata = { code: failure.code, attempts };
      await this.requests.move(tx, request, 'failed', { ...told, action: 'request.failed', metadata });
      return;
    }
    const isHeld = failure.code === 'deletion.held';
    await this.requests.reschedule(tx, request, {
      ...told,
      action: isHeld ? 'request.blocked' : 'request.attempt_failed',
      nextAttemptAt: new Date(this.clock.now().getTime() + delayAfter(isWaiting ? 3 : attempts)),
      metadata: isHeld ? {} : { code: failure.code, attempts },
    });
  }
}

import { Injectable } from '@nestjs/common';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { Erasures } from '../../deletion/erasures.js';
import { DomainError } from '../../errors.js';
import { type Request } from '../request.js';
import { Requests } from '../requests.js';
import { HELD, PurgeHolds } from './holds.js';
import { type Purge } from './purge-step.js';

/** Until when a purge can be taken back or held up: asked before each batch, in the batch's own transaction. */
@Injectable()
export class SecondThoughts {
  constructor(
    private readonly requests: Requests,
    private readonly erasures: Erasures,
    private readonly holds: PurgeHolds,
  ) {}

  /**
   * A cancellation takes the same lock, so that either it comes first or this batch does.
   * @throws DomainError `erasure.stopped`, `deletion.held`
   */
  async assertNone(tx: UnitOfWork, request: Request): Promise<void> {
    await this.assertRuns(tx, request);
    if ((await this.holds.of(tx, request)).length > 0) throw new DomainError('deletion.held', HELD);
  }

  /** In the transaction of the first batch: nothing can be taken back any more. */
  async tellEnded(tx: UnitOfWork, request: Request): Promise<void> {
    await this.requests.tell(tx, request, 'request.irreversible');
  }

  /** For what has no batch of its own: from here on nothing can be taken back. */
  async end(tx: UnitOfWork, { request, job }: Purge): Promise<void> {
    await this.assertRuns(tx, request);
    // Once more of everybody: whoever had nothing here may have come since.
    if ((await this.holds.of(tx)).length > 0) throw new DomainError('deletion.held', HELD);
    if (await this.erasures.noteIrreversible(tx, job.id)) await this.tellEnded(tx, request);
  }

  private async assertRuns(tx: UnitOfWork, { id }: Request): Promise<void> {
    const { status } = await this.requests.lock(tx, id);
    if (status !== 'in_progress') throw new DomainError('erasure.stopped', `The request is ${status}.`);
  }
}

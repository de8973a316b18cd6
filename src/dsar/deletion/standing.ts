import { Injectable } from '@nestjs/common';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { type ErasureJob } from '../../deletion/erasure.js';
import { DomainError } from '../../errors.js';
import { Parts } from '../parts.js';
import { type Request } from '../request.js';
import { Requests } from '../requests.js';
import { DeletionBlockers } from './blockers.js';

/** Whether a deletion that runs still stands, asked before each batch. */
@Injectable()
export class Standing {
  constructor(
    private readonly requests: Requests,
    private readonly parts: Parts,
    private readonly blockers: DeletionBlockers,
  ) {}

  /**
   * A withdrawal takes the same lock, so that either it comes first or this batch does.
   * @throws DomainError `erasure.stopped`, `deletion.held`
   */
  async assert(tx: UnitOfWork, job: ErasureJob): Promise<void> {
    const request = await this.requests.lock(tx, job.jobId);
    if (request.status !== 'in_progress')
      throw new DomainError('erasure.stopped', `The request is ${request.status}.`);
    const parts = await this.parts.of(tx, request);
    const [held] = await this.blockers.held(tx, parts, job.subjects, job.kept ?? []);
    if (held) throw new DomainError('deletion.held', held.message);
  }

  /** The first batch has committed: from here on nothing brings it back. */
  tellIrreversible(tx: UnitOfWork, request: Request): Promise<void> {
    return this.requests.tell(tx, request, 'request.irreversible');
  }
}

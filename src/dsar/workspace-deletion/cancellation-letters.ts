import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { DomainError } from '../../errors.js';
import { type JobRef, Queue } from '../../jobs/queue.js';
import { CANCELLATION_LETTERS } from '../queues.js';
import { isOpen } from '../request-lifecycle.js';
import { type Request } from '../request.js';
import { Requests } from '../requests.js';
import { DeletionLetters } from './letters.js';
import { DeletionRecords } from './record.js';

/** The owners are told that their workspace stays, at once or later: what cannot be read just now keeps nobody from cancelling. */
@Injectable()
export class CancellationLetters {
  constructor(
    private readonly database: Database,
    private readonly queue: Queue,
    private readonly requests: Requests,
    private readonly records: DeletionRecords,
    private readonly letters: DeletionLetters,
  ) {}

  /** In the transaction of the cancellation. Where the host's tables do not fit the map, the queue tries until they do. */
  async send(tx: UnitOfWork, request: Request): Promise<void> {
    const sent = await tx.attempt(async () => {
      await this.letters.cancelled(tx, request);
      return true;
    }, unlessDrift);
    if (!sent) await this.queue.enqueue(tx, CANCELLATION_LETTERS, { tenant: request.tenant, id: request.id });
  }

  /**
   * Safe to repeat. Says nothing where the deletion was scheduled anew meanwhile: owners would read that their workspace
   * stays after they have read that it goes.
   * @throws DomainError `datamap.drift`, to be tried again
   */
  run({ tenant, id }: JobRef): Promise<void> {
    return this.database.asJob(tenant, 'cancellation-letters', async (tx) => {
      const newest = await this.records.newest(tx);
      if (newest && newest.id !== id && isOpen(newest.status)) return;
      await this.letters.cancelled(tx, await this.requests.find(tx, id));
    });
  }
}

function unlessDrift(error: unknown): false {
  if (error instanceof DomainError && error.code === 'datamap.drift') return false;
  throw error;
}

import { Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { LogEnd } from './log-end.js';
import { type Purge, type PurgeStep } from './purge-step.js';
import { PurgeRecipients } from './recipients.js';
import { SecondThoughts } from './second-thoughts.js';

/**
 * From here on no event of this matter names anybody, and nothing can be taken back. A workspace of which the host has
 * nothing left comes here without a batch that has asked.
 */
@Injectable()
export class PointOfNoReturn implements PurgeStep {
  constructor(
    private readonly clock: Clock,
    private readonly thoughts: SecondThoughts,
    private readonly recipients: PurgeRecipients,
    private readonly logEnd: LogEnd,
  ) {}

  /** @throws DomainError `erasure.stopped`, `deletion.held` */
  run(purge: Purge): Promise<void> {
    return purge.within(async (tx) => {
      await this.thoughts.end(tx, purge);
      await this.recipients.open(tx, purge.job);
      await this.logEnd.note(tx);
      await tx.query('update habeas.erasures set forgotten_at = coalesce(forgotten_at, $2) where id = $1', [
        purge.job.id,
        this.clock.now(),
      ]);
    });
  }
}

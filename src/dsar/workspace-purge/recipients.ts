import { Injectable } from '@nestjs/common';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { toldName } from '../../datamap/held-rows.js';
import { type ErasureJob } from '../../deletion/erasure.js';
import { Erasures } from '../../deletion/erasures.js';
import { type Request } from '../request.js';
import { Recipients } from '../recipients/recipients.js';

/** Who had been handed data of the workspace, and is told that it is erased (Art. 19); what they owe outlives the purge. */
@Injectable()
export class PurgeRecipients {
  constructor(
    private readonly recipients: Recipients,
    private readonly erasures: Erasures,
  ) {}

  /** Once the host's rows have gone; repeating it opens nothing twice. */
  async open(tx: UnitOfWork, { id, jobId, ...erased }: ErasureJob): Promise<void> {
    const outcomes = await this.erasures.outcomes(tx, id);
    const steps = outcomes.map((step) => ({ ...step, collection: toldName(step.collection) }));
    await this.recipients.open(tx, { ...erased, erasureId: id, requestId: jobId, steps }, 'end');
  }

  /** By title, for the certificate. */
  titles(tx: UnitOfWork, { id }: Request): Promise<string[]> {
    return this.recipients.titles(tx, id);
  }

  /** One that failed while the purge ran: closing the request has taken its failure off the desk. */
  showOnDesk(tx: UnitOfWork, { id, tenant }: Request): Promise<void> {
    return this.recipients.showOnDesk(tx, { requestId: id, requestTenant: tenant });
  }
}

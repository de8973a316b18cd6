import { Injectable } from '@nestjs/common';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { Certificates } from '../../deletion/certificate/certificates.js';
import { Requests } from '../requests.js';
import { LastWords } from './last-words.js';
import { type Purge, type PurgeStep } from './purge-step.js';
import { PurgeRecipients } from './recipients.js';
import { Remains } from './remains.js';

/** The end of a purge, in one transaction: the request's last event, and the mails with the certificate. */
@Injectable()
export class PurgeEnd implements PurgeStep {
  constructor(
    private readonly requests: Requests,
    private readonly certificates: Certificates,
    private readonly recipients: PurgeRecipients,
    private readonly words: LastWords,
    private readonly remains: Remains,
  ) {}

  /** Fulfils the request, if it is still in progress. */
  run(purge: Purge): Promise<void> {
    return purge.within((tx) => this.reach(tx, purge));
  }

  private async reach(tx: UnitOfWork, purge: Purge): Promise<void> {
    const { job } = purge;
    const request = await this.requests.lock(tx, job.jobId);
    if (request.status !== 'in_progress') return;
    await this.requests.move(tx, request, 'fulfilled', {
      action: 'request.fulfilled',
      outcomeOfRequest: 'full',
      targets: [{ type: 'erasure', id: job.id }],
      metadata: { outcome: 'full' },
    });
    const certificate = await this.certificates.ofJob(tx, job.jobId);
    await this.words.send(tx, purge, certificate);
    await this.remains.settle(tx, purge);
    await this.recipients.showOnDesk(tx, request);
  }
}

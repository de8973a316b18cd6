import { Injectable } from '@nestjs/common';
import { HostMap } from '../../datamap/host-map.js';
import { Certificates } from '../../deletion/certificates.js';
import { ErasureLedger } from '../../deletion/ledger.js';
import { ledgerEntry, LedgerDigests } from '../../deletion/ledger-entry.js';
import { type Purge, type PurgeStep } from './purge-step.js';

/** The erasure ledger outside the database learns of the purge, before anybody is told of it. */
@Injectable()
export class Remembering implements PurgeStep {
  constructor(
    private readonly host: HostMap,
    private readonly certificates: Certificates,
    private readonly ledger: ErasureLedger,
    private readonly digests: LedgerDigests,
  ) {}

  /** @throws DomainError `ledger.conflict`, `storage.*` */
  async run(purge: Purge): Promise<void> {
    const { job } = purge;
    const completedAt = await purge.within((tx) => this.certificates.erasedAt(tx, job.id));
    await this.ledger.write(ledgerEntry(job, { completedAt, hostMap: this.host, digests: this.digests }));
  }
}

import { Injectable } from '@nestjs/common';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { HostMap } from '../../datamap/host-map.js';
import { type SignedCertificate } from '../../deletion/certificate/certificate.schema.js';
import { Certificates } from '../../deletion/certificate/certificates.js';
import { ErasureLedger } from '../../deletion/ledger/ledger.js';
import { ledgerEntry, LedgerDigests } from '../../deletion/ledger/entry.js';
import { type Purge, type PurgeStep } from './purge-step.js';
import { PurgedLog } from './purged-log.js';
import { PurgeRecipients } from './recipients.js';

/** The erasure ledger outside the database learns of the purge, before anybody is told of it. */
@Injectable()
export class Remembering implements PurgeStep {
  constructor(
    private readonly host: HostMap,
    private readonly certificates: Certificates,
    private readonly ledger: ErasureLedger,
    private readonly digests: LedgerDigests,
    private readonly recipients: PurgeRecipients,
    private readonly log: PurgedLog,
  ) {}

  /** With the certificate as it stands from here on. @throws DomainError `ledger.conflict`, `storage.*` */
  async run(purge: Purge): Promise<void> {
    const { job } = purge;
    const { completedAt, certificate } = await purge.within(async (tx) => ({
      completedAt: await this.certificates.erasedAt(tx, job.id),
      certificate: await this.draft(tx, purge),
    }));
    const facts = { completedAt, hostMap: this.host, digests: this.digests, certificate };
    const entry = await this.ledger.write(ledgerEntry(job, facts));
    await purge.within((tx) => this.certificates.keep(tx, job.id, entry.certificate ?? certificate));
  }

  private async draft(tx: UnitOfWork, { job, request }: Purge): Promise<SignedCertificate> {
    const recipients = await this.recipients.titles(tx, request);
    const checkpoint = await this.log.checkpoint(tx);
    const told = { law: request.law, mentions: 0, recipients, ...(checkpoint && { checkpoint }) };
    return this.certificates.draft(tx, job, told);
  }
}

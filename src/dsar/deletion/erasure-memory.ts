import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database.js';
import { HostMap } from '../../datamap/host-map.js';
import { type SignedCertificate } from '../../deletion/certificate/certificate.schema.js';
import { Certificates, type CertificateTold } from '../../deletion/certificate/certificates.js';
import { type ErasureJob } from '../../deletion/erasure.js';
import { ErasureLedger } from '../../deletion/ledger/ledger.js';
import { ledgerEntry, LedgerDigests, type LedgerEntry } from '../../deletion/ledger/entry.js';
import { Suppressions } from '../../deletion/suppressions/suppressions.js';
import { type Request } from '../request.js';

const endedThen =
  'select 1 from habeas.erasures where id = $1 and job_id = $2 and erased_at = $3 and job_sealed is not null';

/** What of an erasure is known outside the database, whatever becomes of that: entered before anybody is told of it. */
@Injectable()
export class ErasureMemory {
  constructor(
    private readonly database: Database,
    private readonly host: HostMap,
    private readonly certificates: Certificates,
    private readonly suppressions: Suppressions,
    private readonly ledger: ErasureLedger,
    private readonly digests: LedgerDigests,
  ) {}

  /**
   * The erasure that this request has led to already, and that the database has forgotten: a backup brought the request
   * back as open. An attempt that was entered and then interrupted is none: it is still to be ended, and told.
   * @throws DomainError `ledger.unreadable`, `storage.*`: without the ledger's word nothing may begin
   */
  async recall({ id, tenant }: Request): Promise<LedgerEntry | undefined> {
    const entry = await this.ledger.ofRequest(id);
    if (!entry) return undefined;
    const interrupted = await this.database.asJob(tenant, 'deletion-fulfilment', (tx) =>
      tx.one(endedThen, [entry.erasureId, id, new Date(entry.completedAt)]),
    );
    return interrupted ? undefined : entry;
  }

  /**
   * Safe to repeat.
   * @param told for the certificate; `leftOut`: tenants whose part is not erased
   * @returns the certificate that stands: that of an attempt that was interrupted, if there was one; none where
   * nothing was erased
   * @throws DomainError `ledger.conflict`, `storage.*`
   */
  async remember(
    job: ErasureJob,
    { leftOut, ...told }: CertificateTold & { leftOut: readonly string[] },
  ): Promise<SignedCertificate | undefined> {
    const { completedAt, certificate } = await this.database.asJob(
      job.tenant,
      'deletion-fulfilment',
      async (tx) => ({
        completedAt: await this.certificates.erasedAt(tx, job.id),
        certificate: await this.certificates.draft(tx, job, told),
      }),
    );
    const entry = await this.ledger.write(
      ledgerEntry(job, {
        completedAt,
        hostMap: this.host,
        digests: this.digests,
        leftOut,
        suppressions: this.suppressions.digestsOf(job.tenant, job.subjects),
        ...(certificate.collections.length > 0 && { certificate }),
      }),
    );
    return entry.certificate;
  }
}

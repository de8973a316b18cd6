import { type Config } from '../config.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { notFound } from '../errors.js';
import { type Signing } from '../keys/signing.js';
import { issueCertificate } from './certificate.js';
import { type SignedCertificate } from './certificate.schema.js';
import { type Erasures } from './erasures.js';
import { type ErasureJob } from './erasure.js';

/** The certificates of erasures, kept with them. Every call is in the tenant of `tx`. */
export class Certificates {
  constructor(
    private readonly config: Pick<Config, 'backupHorizon' | 'publicUrl'>,
    private readonly signing: Signing,
    private readonly erasures: Erasures,
  ) {}

  /** When the last row of the host was done. @throws DomainError `erasure.not_found` while it is not */
  async erasedAt(tx: UnitOfWork, erasureId: string): Promise<Date> {
    return (await this.ended(tx, erasureId)).erasedAt;
  }

  /**
   * Issues and keeps the certificate of an erasure that left no residue; a second time gives the same one.
   * @param mentions hits inside other people's rows
   */
  async issue(
    tx: UnitOfWork,
    { id, jobId, scope }: Pick<ErasureJob, 'id' | 'jobId' | 'scope'>,
    { law, mentions }: { law: string | null; mentions: number },
  ): Promise<SignedCertificate> {
    const { erasedAt, mapHash } = await this.ended(tx, id);
    const certificate = issueCertificate(this.signing, {
      job: { id, jobId, scope },
      outcomes: await this.erasures.outcomes(tx, id),
      dataMap: mapHash,
      law,
      completedAt: erasedAt,
      mentions,
      backupHorizon: this.config.backupHorizon,
      issuer: this.config.publicUrl,
    });
    await this.keep(tx, id, certificate);
    return certificate;
  }

  /** Once the last tombstone is swept: the final one, which takes the first one's place. */
  async finish(tx: UnitOfWork, id: string, sweptAt: Date): Promise<SignedCertificate | undefined> {
    const row = await tx.one<{ certificate: SignedCertificate | null }>(
      'select certificate from habeas.erasures where id = $1',
      [id],
    );
    const first = row?.certificate;
    if (!first || first.final) return undefined;
    const { erasedAt, mapHash } = await this.ended(tx, id);
    const certificate = issueCertificate(this.signing, {
      job: { id, jobId: first.requestId, scope: first.scope },
      outcomes: await this.erasures.outcomes(tx, id),
      dataMap: mapHash,
      law: first.law,
      completedAt: erasedAt,
      mentions: first.mentions,
      backupHorizon: this.config.backupHorizon,
      issuer: this.config.publicUrl,
      sweptAt,
    });
    await this.keep(tx, id, certificate);
    return certificate;
  }

  /** @throws DomainError `certificate.not_found`, also while there is none yet */
  async ofJob(tx: UnitOfWork, jobId: string): Promise<SignedCertificate> {
    const row = await tx.one<{ certificate: SignedCertificate | null }>(
      'select certificate from habeas.erasures where tenant_id = $1 and job_id = $2',
      [tx.tenant, jobId],
    );
    if (!row?.certificate) throw notFound('certificate');
    return row.certificate;
  }

  private async keep(tx: UnitOfWork, id: string, certificate: SignedCertificate): Promise<void> {
    await tx.query('update habeas.erasures set certificate = $2 where id = $1', [
      id,
      JSON.stringify(certificate),
    ]);
  }

  private async ended(tx: UnitOfWork, id: string): Promise<{ erasedAt: Date; mapHash: string }> {
    const row = await tx.one<{ erasedAt: Date | null; mapHash: string }>(
      'select erased_at as "erasedAt", map_hash as "mapHash" from habeas.erasures where id = $1',
      [id],
    );
    if (!row?.erasedAt) throw notFound('erasure');
    return { erasedAt: row.erasedAt, mapHash: row.mapHash };
  }
}

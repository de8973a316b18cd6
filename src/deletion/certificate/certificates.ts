import { type SignedCheckpoint } from '../../audit/checkpoint.js';
import { type Config } from '../../config.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { notFound } from '../../errors.js';
import { type Signing } from '../../keys/signing.js';
import { type ObjectStores } from '../../storage/object-store.js';
import { finalCertificate, issueCertificate } from './certificate.js';
import { type SignedCertificate } from './certificate.schema.js';
import { type Erasures } from '../erasures.js';
import { type ErasureJob } from '../erasure.js';

/** What a certificate tells besides what was erased. */
export interface CertificateTold {
  law: string | null;
  /** Hits inside other people's rows. */
  mentions: number;
  /** Titles of those who are told of it. */
  recipients?: readonly string[];
  /** Of a workspace. */
  checkpoint?: SignedCheckpoint;
}

/** The certificates of erasures, kept with them. Every call is in the tenant of `tx`. */
export class Certificates {
  constructor(
    private readonly config: Pick<Config, 'backupHorizon' | 'publicUrl'>,
    private readonly signing: Signing,
    private readonly erasures: Erasures,
    private readonly stores: Pick<ObjectStores, 'versions'>,
  ) {}

  /** When the last row of the host was done. @throws DomainError `erasure.not_found` while it is not */
  async erasedAt(tx: UnitOfWork, erasureId: string): Promise<Date> {
    return (await this.ended(tx, erasureId)).erasedAt;
  }

  /** The certificate of an erasure that left no residue, as it would be issued now; a second time the same bytes. */
  async draft(
    tx: UnitOfWork,
    { id, jobId, scope }: Pick<ErasureJob, 'id' | 'jobId' | 'scope'>,
    told: CertificateTold,
  ): Promise<SignedCertificate> {
    const { erasedAt, mapHash } = await this.ended(tx, id);
    const outcomes = await this.erasures.outcomes(tx, id);
    const mayHaveVersions =
      this.stores.versions !== 'none' && outcomes.some(({ filesRemoved }) => filesRemoved > 0);
    return issueCertificate(this.signing, {
      ...told,
      job: { id, jobId, scope },
      outcomes,
      dataMap: mapHash,
      completedAt: erasedAt,
      backupHorizon: this.config.backupHorizon,
      mayHaveVersions,
      issuer: this.config.publicUrl,
    });
  }

  /** Issues and keeps it. */
  async issue(
    tx: UnitOfWork,
    job: Pick<ErasureJob, 'id' | 'jobId' | 'scope'>,
    told: CertificateTold,
  ): Promise<SignedCertificate> {
    const certificate = await this.draft(tx, job, told);
    await this.keep(tx, job.id, certificate);
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
    const certificate = finalCertificate(this.signing, first, sweptAt);
    await this.keep(tx, id, certificate);
    return certificate;
  }

  /** Keeps the certificate that was issued for an erasure of which the database knows nothing any more. */
  async keep(tx: UnitOfWork, id: string, certificate: SignedCertificate): Promise<void> {
    await tx.query('update habeas.erasures set certificate = $2 where id = $1', [
      id,
      JSON.stringify(certificate),
    ]);
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

  private async ended(tx: UnitOfWork, id: string): Promise<{ erasedAt: Date; mapHash: string }> {
    const row = await tx.one<{ erasedAt: Date | null; mapHash: string }>(
      'select erased_at as "erasedAt", map_hash as "mapHash" from habeas.erasures where id = $1',
      [id],
    );
    if (!row?.erasedAt) throw notFound('erasure');
    return { erasedAt: row.erasedAt, mapHash: row.mapHash };
  }
}

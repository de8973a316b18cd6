import { type Clock } from '../clock.js';
import { type Config } from '../config.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { DomainError, notFound } from '../errors.js';
import { issueToken, type PresentedToken } from '../keys/tokens.js';
import { type Manifest } from './manifest.js';

export interface Package {
  id: string;
  jobId: string;
  path: string;
  status: 'building' | 'ready' | 'expired';
  bytes: number | null;
  manifest: Manifest | null;
  readyAt: Date | null;
  expiresAt: Date | null;
}

export interface Link {
  id: string;
  packageId: string;
  createdAt: Date;
  expiresAt: Date;
  revokedAt: Date | null;
  downloads: number;
}

/** A new link: the token leaves here once, in a mail or an answer, and is kept as a hash. */
export interface IssuedLink {
  id: string;
  token: string;
  expiresAt: Date;
}

const packageColumns = `
  id, job_id as "jobId", object_path as "path", status, bytes::float8 as "bytes", manifest, ready_at as "readyAt",
  expires_at as "expiresAt"`;
const linkColumns = `
  id, package_id as "packageId", created_at as "createdAt", expires_at as "expiresAt", revoked_at as "revokedAt", downloads`;

/** How many links one package gets, the withdrawn ones included. */
export const MAX_LINKS = 20;

/** The packages of jobs and the links to them, as rows; what lies in the bucket follows the rows. */
export class Packages {
  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
  ) {}

  /**
   * Starts an attempt. An earlier one that never finished (its worker died) is given up here: whatever it still
   * stores is removed by the sweep, and its worker, should it live, can no longer finish it.
   * @param folder `account` or the workspace's uuid
   */
  async begin(tx: UnitOfWork, jobId: string, folder: string): Promise<Package> {
    await tx.query(
      `update habeas.packages set status = 'expired', ready_at = coalesce(ready_at, $2), expires_at = least(expires_at, $2)
       where job_id = $1 and status <> 'expired'`,
      [jobId, this.clock.now()],
    );
    return (await tx.one<Package>(
      `insert into habeas.packages (id, tenant_id, job_id, object_path, created_at)
       select id, $1, $2, $3 || '/' || $2::uuid || '/' || id || '.zip', $4 from gen_random_uuid() as id
       returning ${packageColumns}`,
      [tx.tenant, jobId, folder, this.clock.now()],
    )) as Package;
  }

  /** Makes the package ready for LINK_TTL; false when this attempt was given up meanwhile. */
  async finish(tx: UnitOfWork, id: string, stored: { bytes: number }, manifest: Manifest): Promise<boolean> {
    const now = this.clock.now();
    const expiresAt = new Date(now.getTime() + this.config.linkTtl.toMillis());
    const rows = await tx.query(
      `update habeas.packages set status = 'ready', bytes = $2, manifest = $3, ready_at = $4, expires_at = $5
       where id = $1 and status = 'building' returning 1`,
      [id, stored.bytes, JSON.stringify(manifest), now, expiresAt],
    );
    return rows.length > 0;
  }

  /** Gives an attempt up; false when another one took over before, which is then left alone. */
  async giveUp(tx: UnitOfWork, id: string): Promise<boolean> {
    const now = this.clock.now();
    const rows = await tx.query(
      `update habeas.packages set status = 'expired', ready_at = $2, expires_at = $2 where id = $1 and status = 'building' returning 1`,
      [id, now],
    );
    return rows.length > 0;
  }

  /** Ends a package: links stop at once, the object is removed by the sweep, the manifest stays. */
  async expire(tx: UnitOfWork, jobId: string): Promise<void> {
    const now = this.clock.now();
    const ended = await tx.query<{ id: string }>(
      `update habeas.packages set status = 'expired', ready_at = coalesce(ready_at, $2), expires_at = least(expires_at, $2)
       where job_id = $1 and status <> 'expired' returning id`,
      [jobId, now],
    );
    const ids = ended.map(({ id }) => id);
    await tx.query(
      'update habeas.package_links set revoked_at = $2 where package_id = any ($1) and revoked_at is null',
      [ids, now],
    );
  }

  /** Takes out of the manifests what names a person: whose data it was, and the files that were missing. */
  async forget(tx: UnitOfWork, jobId: string): Promise<void> {
    await tx.query(
      `update habeas.packages set manifest = manifest || '{"subjects": [], "missingFiles": []}'
       where job_id = $1 and manifest is not null`,
      [jobId],
    );
  }

  /** The newest package of a job that got as far as a manifest, or undefined. */
  async ofJob(tx: UnitOfWork, jobId: string): Promise<Package | undefined> {
    return tx.one<Package>(
      `select ${packageColumns} from habeas.packages where job_id = $1 and manifest is not null order by created_at desc limit 1`,
      [jobId],
    );
  }

  links(tx: UnitOfWork, packageId: string): Promise<Link[]> {
    return tx.query<Link>(
      `select ${linkColumns} from habeas.package_links where package_id = $1 order by created_at`,
      [packageId],
    );
  }

  /** A new link to a ready package, good as long as the package. @throws DomainError `link.too_many`, `package.not_found` */
  async issueLink(tx: UnitOfWork, packageId: string): Promise<IssuedLink> {
    // Each goes out by mail: whoever asks without end would flood the address. Withdrawn ones count, too.
    // Two at once wait for each other, so that neither goes past the limit.
    await tx.query('select 1 from habeas.packages where id = $1 for update', [packageId]);
    const issued = await tx.one<{ n: number }>(
      'select count(*)::int as n from habeas.package_links where package_id = $1',
      [packageId],
    );
    if ((issued?.n ?? 0) >= MAX_LINKS)
      throw new DomainError(
        'link.too_many',
        `At most ${MAX_LINKS} links are made to one package; the newest mail has one.`,
      );
    const { token, hash } = issueToken(tx.tenant);
    const link = await tx.one<{ id: string; expiresAt: Date }>(
      `insert into habeas.package_links (tenant_id, package_id, token_hash, created_at, expires_at)
       select tenant_id, id, $2, $3, expires_at from habeas.packages where id = $1 and status = 'ready'
       returning id, expires_at as "expiresAt"`,
      [packageId, hash, this.clock.now()],
    );
    if (!link) throw notFound('package');
    return { ...link, token };
  }

  /** @returns false when it was revoked before. @throws DomainError `link.not_found` */
  async revokeLink(tx: UnitOfWork, jobId: string, linkId: string): Promise<boolean> {
    const link = await tx.one<{ revokedAt: Date | null }>(
      `select l.revoked_at as "revokedAt" from habeas.package_links l join habeas.packages p on p.id = l.package_id
       where l.id = $1 and p.job_id = $2 for update of l`,
      [linkId, jobId],
    );
    if (!link) throw notFound('link');
    if (link.revokedAt) return false;
    await tx.query('update habeas.package_links set revoked_at = $2 where id = $1', [
      linkId,
      this.clock.now(),
    ]);
    return true;
  }

  /** The link behind a token and its package, whatever their state, or undefined. */
  async byToken(
    tx: UnitOfWork,
    { hash }: PresentedToken,
  ): Promise<{ link: Link; package: Package } | undefined> {
    const link = await tx.one<Link>(`select ${linkColumns} from habeas.package_links where token_hash = $1`, [
      hash,
    ]);
    const found =
      link &&
      (await tx.one<Package>(`select ${packageColumns} from habeas.packages where id = $1`, [
        link.packageId,
      ]));
    return link && found && { link, package: found };
  }

  async countDownload(tx: UnitOfWork, linkId: string): Promise<void> {
    await tx.query(
      'update habeas.package_links set downloads = downloads + 1, last_downloaded_at = $2 where id = $1',
      [linkId, this.clock.now()],
    );
  }
}

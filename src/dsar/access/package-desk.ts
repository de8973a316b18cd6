import { Injectable } from '@nestjs/common';
import { type Tenancy } from '../../database/tenancy.js';
import { Clock } from '../../clock.js';
import { Database } from '../../database/database.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { driftOr } from '../../datamap/misfit.js';
import { DomainError, notFound } from '../../errors.js';
import { type Package, Packages } from '../../export/packages.js';
import { type ApiToken, type Person } from '../../identity/principal.js';
import { grantsOf } from '../../identity/role-matrix.js';
import { Queue } from '../../jobs/queue.js';
import { Letters } from '../letters/letters.js';
import { PackageRecipient } from './package-recipient.js';
import { PACKAGE_REBUILD } from '../queues.js';
import { type Request } from '../request.js';
import { Requests } from '../requests.js';

/** Who asks: the person, whoever may have a workspace's own package, or support, who only sends links on. */
export type PackageReader = 'subject' | 'workspace' | 'support';

/** As whom the role matrix lets the caller at a package of this tenant. */
export function readerOf(caller: Person | ApiToken, resource: string, verb: string): PackageReader {
  const grants = grantsOf(caller.roles, resource, verb);
  return grants.has('owner') || grants.has('admin') ? 'workspace' : 'support';
}

/** Packages as people ask for them: what is in it, a new link, a withdrawn link, a rebuilt package. */
@Injectable()
export class PackageDesk {
  constructor(
    private readonly database: Database,
    private readonly requests: Requests,
    private readonly packages: Packages,
    private readonly letters: Letters,
    private readonly queue: Queue,
    private readonly clock: Clock,
    private readonly recipient: PackageRecipient,
  ) {}

  async read(tenancy: Tenancy, requestId: string, reader: PackageReader) {
    return this.database.within(tenancy, async (tx) => {
      const its = await this.packageOf(tx, await this.allowed(tx, requestId, reader));
      const links = await this.packages.links(tx, its.id);
      return {
        id: its.id,
        status: its.status,
        bytes: its.bytes,
        readyAt: its.readyAt?.toISOString() ?? null,
        expiresAt: its.expiresAt?.toISOString() ?? null,
        links: links.map(({ id, createdAt, expiresAt, revokedAt, downloads }) => ({
          id,
          createdAt: createdAt.toISOString(),
          expiresAt: expiresAt.toISOString(),
          revokedAt: revokedAt?.toISOString() ?? null,
          downloads,
        })),
        manifest: its.manifest,
      };
    });
  }

  /**
   * A new link, by mail, to where the first one went, or to an owner where that is nobody who may have it any more;
   * after the package's end it is built anew first.
   */
  async sendLink(tenancy: Tenancy, requestId: string, reader: PackageReader) {
    return this.database.within(tenancy, async (tx) => {
      const known = await this.allowed(tx, requestId, reader);
      const its = await this.packageOf(tx, known);
      const request = await this.recipient.now(tx, known).catch(driftOr);
      // Who may not have it any more keeps no way to it either.
      if (request.mailSealed !== known.mailSealed) await this.revokeAll(tx, known, its);
      // A new letter is on its way: one that bounced is no longer anybody's work.
      await tx.query('update habeas.requests set failure = null where id = $1', [requestId]);
      if (!request.mailSealed) {
        throw new DomainError(
          'package.address_gone',
          'The address of this request is no longer kept: file a new request.',
        );
      }
      // Past its end it is gone for people, even before the sweep has been there.
      const over = its.status !== 'ready' || (its.expiresAt !== null && its.expiresAt <= this.clock.now());
      if (over) {
        await this.queue.enqueue(tx, PACKAGE_REBUILD, { tenant: tx.tenant, id: requestId });
        await this.requests.tell(tx, request, 'package.rebuild_requested');
        return { status: 'rebuilding' as const };
      }
      const link = await this.packages.issueLink(tx, its.id);
      await this.requests.tell(tx, request, 'link.issued', { targets: [{ type: 'link', id: link.id }] });
      const contents = (its.manifest?.data ?? [])
        .filter(({ rows }) => rows > 0)
        .map(({ title, rows }) => ({ label: title, count: rows }));
      const leftOut = (its.manifest?.leftOut ?? []).map(({ name, workspaceId }) => name ?? workspaceId);
      await this.letters.packageReady(tx, request, link, contents, leftOut);
      return { id: link.id, status: 'sent' as const, expiresAt: link.expiresAt.toISOString() };
    });
  }

  async revokeLink(
    tenancy: Tenancy,
    requestId: string,
    linkId: string,
    reader: PackageReader,
  ): Promise<void> {
    await this.database.within(tenancy, async (tx) => {
      const request = await this.allowed(tx, requestId, reader);
      if (await this.packages.revokeLink(tx, requestId, linkId)) {
        await this.requests.tell(tx, request, 'link.revoked', { targets: [{ type: 'link', id: linkId }] });
      }
    });
  }

  private async revokeAll(tx: UnitOfWork, request: Request, its: Package): Promise<void> {
    for (const { id } of await this.packages.links(tx, its.id)) {
      if (await this.packages.revokeLink(tx, request.id, id))
        await this.requests.tell(tx, request, 'link.revoked', { targets: [{ type: 'link', id }] });
    }
  }

  /**
   * A person's package is nobody's but theirs: an owner who asks for it learns that they may not.
   */
  private async allowed(tx: UnitOfWork, requestId: string, reader: PackageReader): Promise<Request> {
    const request = await this.requests.find(tx, requestId);
    if (reader === 'workspace' && request.scope !== 'workspace') {
      throw new DomainError('auth.forbidden', 'The package of a person is for that person alone.');
    }
    return request;
  }

  private async packageOf(tx: UnitOfWork, request: Request): Promise<Package> {
    const found = await this.packages.ofJob(tx, request.id);
    if (!found) throw notFound('package');
    return found;
  }
}

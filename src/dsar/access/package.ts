import { Injectable } from '@nestjs/common';
import { HOST_TENANT, systemTenancy } from '../../database/tenancy.js';
import { Database } from '../../database/database.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { type LeftOutPart, type WorkspaceTouched } from '../../export/manifest.js';
import { type BuiltPackage, PackageBuilder } from '../../export/package-builder.js';
import { type Package, Packages } from '../../export/packages.js';
import { Controllers } from '../letters/controllers.js';
import { LegalNotice } from './legal-information.js';
import { Letters } from '../letters/letters.js';
import { PackageRecipient } from './package-recipient.js';
import { type Part, Parts, takesPart } from '../parts.js';
import { RegionOfTenant } from '../filing/region-of-tenant.js';
import { type Request } from '../request.js';
import { Requests } from '../requests.js';

/** One attempt at the package of a request: its own package row, without which it cannot be delivered. */
export interface PackageAttempt {
  request: Request;
  package: Package;
  parts: Part[];
}

/** The package of an access request: started, built, handed over, or given up. */
@Injectable()
export class AccessPackage {
  constructor(
    private readonly database: Database,
    private readonly requests: Requests,
    private readonly parts: Parts,
    private readonly packages: Packages,
    private readonly builder: PackageBuilder,
    private readonly controllers: Controllers,
    private readonly legalNotice: LegalNotice,
    private readonly regions: RegionOfTenant,
    private readonly letters: Letters,
    private readonly recipient: PackageRecipient,
  ) {}

  /** A new attempt; an earlier one whose worker died can no longer be delivered. */
  async begin(tx: UnitOfWork, request: Request): Promise<PackageAttempt> {
    return {
      request,
      package: await this.packages.begin(tx, request.id, folderOf(request)),
      parts: await this.parts.of(tx, request),
    };
  }

  /** Builds and stores it, in transactions of its own. @throws what PackageBuilder throws */
  async build({ request, parts, package: its }: PackageAttempt): Promise<BuiltPackage> {
    const taking = parts.filter(takesPart);
    const tenancy = systemTenancy(request.tenant, 'access-fulfilment');
    const known = await this.database.within(tenancy, async (tx) => ({
      subjects: await this.requests.subjects(tx, request.id),
      region: request.scope === 'account' ? null : await this.regions.of(tx),
      ...(request.scope === 'account' && { touched: await this.touched(tx, parts) }),
      leftOut: await this.leftOut(tx, parts),
      legalInformation: await this.legalNotice.of(tx, request, taking),
    }));
    return this.builder.build(
      {
        ...known,
        id: request.id,
        packageId: its.id,
        tenant: request.tenant,
        scope: request.scope,
        workspaces: taking.flatMap(({ hostKey }) => hostKey ?? []),
        ...(request.scope !== 'account' && { workspaceId: request.tenant }),
      },
      its.path,
    );
  }

  /** Ready, with its link on the way. False when another attempt took over: then all of it is that one's to do. */
  async deliver(
    tx: UnitOfWork,
    { request, package: its }: PackageAttempt,
    built: BuiltPackage,
    action: 'package.ready' | 'package.rebuilt',
  ): Promise<boolean> {
    // The long list of attachments stays in the package; the row keeps what describes it.
    const { data, files, leftOut } = built.manifest;
    if (!(await this.packages.finish(tx, its.id, built, { ...built.manifest, files: [] }))) return false;
    const link = await this.packages.issueLink(tx, its.id);
    await this.requests.tell(tx, request, action, {
      targets: [{ type: 'package', id: its.id }],
      metadata: { rows: built.rows, files: files.length, bytes: built.bytes },
    });
    await this.letters.packageReady(
      tx,
      await this.recipient.now(tx, request),
      link,
      data.filter(({ rows }) => rows > 0).map(({ title, rows }) => ({ label: title, count: rows })),
      leftOut.map(({ name, workspaceId }) => name ?? workspaceId),
    );
    return true;
  }

  /** What it stored, if anything, is removed by the sweep. False when another attempt took over. */
  giveUp(tx: UnitOfWork, attempt: PackageAttempt): Promise<boolean> {
    return this.packages.giveUp(tx, attempt.package.id);
  }

  private async touched(tx: UnitOfWork, parts: readonly Part[]): Promise<WorkspaceTouched[]> {
    const workspaces: WorkspaceTouched[] = [];
    for (const { tenant } of parts.filter((part) => part.tenant !== HOST_TENANT)) {
      const [name, region] = await tx.inTenant(
        tenant,
        async () => [await this.controllers.workspaceName(tx), await this.regions.of(tx)] as const,
      );
      workspaces.push({ id: tenant, ...(name && { name }), region });
    }
    return workspaces;
  }

  private async leftOut(tx: UnitOfWork, parts: readonly Part[]): Promise<LeftOutPart[]> {
    const out: LeftOutPart[] = [];
    for (const part of parts.filter((candidate) => !takesPart(candidate))) {
      const name = await tx.inTenant(part.tenant, () => this.controllers.workspaceName(tx));
      out.push({
        workspaceId: part.tenant,
        ...(name && { name }),
        reason: part.decision === 'refused' ? 'refused' : 'not_decided_in_time',
      });
    }
    return out;
  }
}

/** Account packages lie under `account/`, all others under their workspace. */
const folderOf = ({ tenant }: Request): string => (tenant === HOST_TENANT ? 'account' : tenant);

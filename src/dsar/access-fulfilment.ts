import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { CONFIG, type Config } from '../config.js';
import { HOST_TENANT, systemTenancy } from '../database/tenancy.js';
import { Database } from '../database/database.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { DomainError } from '../errors.js';
import { type BuiltPackage, PackageBuilder } from '../export/package-builder.js';
import { type LeftOutPart } from '../export/manifest.js';
import { type Package, Packages } from '../export/packages.js';
import { type JobRef } from '../jobs/queue.js';
import { Controllers } from './controllers.js';
import { legalInformation } from './legal-information.js';
import { decisionsCloseOn } from './law/legal-clock.js';
import { dateIn } from './law/calendar.js';
import { Letters } from './letters.js';
import { type Part, Parts, takesPart, undecided } from './parts.js';
import { type Failure, type Request } from './request.js';
import { Requests } from './requests.js';
import { delayAfter, MAX_ATTEMPTS } from './retry-policy.js';
import { RegionOfTenant } from './region-of-tenant.js';

/** One run: what it works on, and the attempt's own package row, without which it cannot finish. */
interface Run {
  request: Request;
  package: Package;
  parts: Part[];
}

/** Fulfils access requests: builds the package, hands over the link, closes the matter. Safe to repeat from any point. */
@Injectable()
export class AccessFulfilment {
  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Config,
    private readonly clock: Clock,
    private readonly requests: Requests,
    private readonly parts: Parts,
    private readonly packages: Packages,
    private readonly builder: PackageBuilder,
    private readonly controllers: Controllers,
    private readonly regions: RegionOfTenant,
    private readonly letters: Letters,
  ) {}

  /** Runs one request if it is due; does nothing when it is not (any more). */
  async run(job: JobRef): Promise<void> {
    const tenancy = systemTenancy(job.tenant, 'access-fulfilment');
    const run = await this.database.within(tenancy, (tx) => this.begin(tx, job.id));
    if (!run) return;
    try {
      const built = await this.build(run);
      await this.database.within(tenancy, (tx) => this.finish(tx, run, built));
    } catch (error) {
      await this.database.within(tenancy, (tx) => this.fail(tx, run, failureOf(error)));
    }
  }

  /** Builds the package of a fulfilled request anew, after its first one ended. */
  async rebuild(job: JobRef): Promise<void> {
    const tenancy = systemTenancy(job.tenant, 'package-rebuild');
    const run = await this.database.within(tenancy, async (tx) => {
      const request = await this.requests.lock(tx, job.id);
      if (request.status !== 'fulfilled' || request.kind !== 'access') return undefined;
      return {
        request,
        package: await this.packages.begin(tx, request.id, folderOf(request)),
        parts: await this.parts.of(tx, request),
      };
    });
    if (!run) return;
    const built = await this.build(run);
    await this.database.within(tenancy, async (tx) => {
      await this.requests.lock(tx, job.id);
      await this.deliver(tx, run, built, 'package.rebuilt');
    });
  }

  /** Due is asked here, inside the transaction that acts: a lost timer or a late withdrawal does no harm. */
  private async begin(tx: UnitOfWork, id: string): Promise<Run | undefined> {
    const request = await this.requests.lock(tx, id);
    const now = this.clock.now();
    const startable = request.status === 'received' || request.status === 'scheduled';
    const resumable =
      request.status === 'in_progress' && (request.nextAttemptAt === null || request.nextAttemptAt <= now);
    if (request.kind !== 'access' || request.identityProvenAt === null || !(startable || resumable))
      return undefined;

    const waiting = (await this.parts.of(tx, request)).filter(undecided);
    if (waiting.length > 0 && !this.decisionsClosed(request, now)) return undefined;
    for (const part of waiting) {
      await tx.inTenant(part.tenant, async () => {
        await this.parts.decide(tx, id, 'left_out', 'system', now);
      });
    }
    const running = startable
      ? await this.requests.move(tx, request, 'in_progress', {
          action: 'request.started',
          metadata: { undecided: waiting.length },
        })
      : request;
    return {
      request: running,
      package: await this.packages.begin(tx, id, folderOf(request)),
      parts: await this.parts.of(tx, running),
    };
  }

  private decisionsClosed(request: Request, now: Date): boolean {
    return (
      request.dueOn !== null &&
      dateIn(request.zone, now) >= decisionsCloseOn(request.dueOn, this.config.dueMargin)
    );
  }

  private async build(run: Run): Promise<BuiltPackage> {
    const { request, parts } = run;
    const tenancy = systemTenancy(request.tenant, 'access-fulfilment');
    const { subjects, region, leftOut, information } = await this.database.within(tenancy, async (tx) => ({
      subjects: await this.requests.subjects(tx, request.id),
      region: request.scope === 'account' ? null : await this.regions.of(tx),
      leftOut: await this.leftOut(tx, parts),
      information: await legalInformation(tx, this.controllers, request, parts.filter(takesPart)),
    }));
    return this.builder.build(
      {
        id: request.id,
        packageId: run.package.id,
        tenant: request.tenant,
        scope: request.scope,
        subjects,
        workspaces: parts.filter(takesPart).flatMap(({ hostKey }) => hostKey ?? []),
        leftOut,
        ...(request.scope !== 'account' && { workspaceId: request.tenant }),
        region,
        legalInformation: information,
      },
      run.package.path,
    );
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

  private async finish(tx: UnitOfWork, run: Run, built: BuiltPackage): Promise<void> {
    const request = await this.requests.lock(tx, run.request.id);
    // Withdrawn or refused while it was built: the package must not appear; the sweep removes the object.
    if (request.status !== 'in_progress') {
      await this.packages.giveUp(tx, run.package.id);
      return;
    }
    const nothingFound =
      built.rows === 0 && request.scope !== 'workspace' && built.manifest.leftOut.length === 0;
    if (nothingFound) {
      if (!(await this.packages.giveUp(tx, run.package.id))) return;
      await this.letters.noData(tx, await this.close(tx, request, 'no_data'));
      return;
    }
    if (!(await this.deliver(tx, { ...run, request }, built, 'package.ready'))) return;
    await this.close(tx, request, built.manifest.leftOut.length > 0 ? 'partial' : 'full');
  }

  private close(tx: UnitOfWork, request: Request, outcome: 'full' | 'partial' | 'no_data') {
    return this.requests.move(tx, request, 'fulfilled', {
      action: 'request.fulfilled',
      outcomeOfRequest: outcome,
      metadata: { outcome },
    });
  }

  /** False when another attempt took over meanwhile: then everything here is that one's to do. */
  private async deliver(
    tx: UnitOfWork,
    run: Run,
    built: BuiltPackage,
    action: 'package.ready' | 'package.rebuilt',
  ): Promise<boolean> {
    const { request, package: its } = run;
    // The long list of attachments stays in the package; the row keeps what describes it.
    const { data, files, leftOut } = built.manifest;
    if (!(await this.packages.finish(tx, its.id, built, { ...built.manifest, files: [] }))) return false;
    const link = await this.packages.issueLink(tx, its.id);
    await this.requests.tell(tx, request, action, {
      targets: [{ type: 'package', id: its.id }],
      metadata: { rows: built.rows, files: files.length, bytes: built.bytes },
    });
    const contents = data
      .filter(({ rows }) => rows > 0)
      .map(({ title, rows }) => ({ label: title, count: rows }));
    await this.letters.packageReady(
      tx,
      request,
      link,
      contents,
      leftOut.map(({ name, workspaceId }) => name ?? workspaceId),
    );
    return true;
  }

  /** Tells what happened and when it is tried again; out of retries it is `failed` and on the desk, never lost. */
  private async fail(tx: UnitOfWork, run: Run, failure: Failure): Promise<void> {
    const request = await this.requests.lock(tx, run.request.id);
    if (!(await this.packages.giveUp(tx, run.package.id)) || request.status !== 'in_progress') return;
    // Drift is nobody's fault here and ends when the map is mended: it waits without wearing the retries down.
    const attempts = request.attempts + (failure.code === 'datamap.drift' ? 0 : 1);
    const metadata = { code: failure.code, attempts };
    if (attempts >= MAX_ATTEMPTS) {
      await this.requests.move(tx, request, 'failed', {
        action: 'request.failed',
        outcome: 'failure',
        failure,
        attempts,
        metadata,
      });
      return;
    }
    const nextAttemptAt = new Date(this.clock.now().getTime() + delayAfter(attempts));
    await this.requests.reschedule(tx, request, {
      action: 'request.attempt_failed',
      outcome: 'failure',
      failure,
      attempts,
      nextAttemptAt,
      metadata,
    });
  }
}

/** Account packages lie under `account/`, all others under their workspace. */
const folderOf = ({ tenant }: Request): string => (tenant === HOST_TENANT ? 'account' : tenant);

/** Our own words only: messages of the database and of libraries may quote values. */
function failureOf(error: unknown): Failure {
  if (error instanceof DomainError) return { code: error.code, message: error.message };
  const { code } = error as { code?: unknown };
  const known = typeof code === 'string' && /^[A-Z0-9_]{2,40}$/.test(code) ? ` (${code})` : '';
  if (code === 'ENOSPC') return { code: 'storage.full', message: 'The disk is full.' };
  return { code: 'export.failed', message: `The package could not be built${known}.` };
}

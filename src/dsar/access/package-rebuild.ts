import { Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { Database } from '../../database/database.js';
import { systemTenancy } from '../../database/tenancy.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { DomainError } from '../../errors.js';
import { Packages } from '../../export/packages.js';
import { type JobRef } from '../../jobs/queue.js';
import { AccessPackage, type PackageAttempt } from './package.js';
import { failureOf } from './build-failure.js';
import { type Failure, type Request } from '../request.js';
import { Requests } from '../requests.js';

/** Builds the package of a fulfilled request anew, after its first one ended. Safe to repeat from any point. */
@Injectable()
export class PackageRebuild {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly requests: Requests,
    private readonly packages: Packages,
    private readonly accessPackage: AccessPackage,
  ) {}

  /** @throws DomainError what the build met, so that the queue tries again; an event tells of it */
  async run(job: JobRef): Promise<void> {
    const tenancy = systemTenancy(job.tenant, 'package-rebuild');
    const attempt = await this.database.within(tenancy, (tx) => this.begin(tx, job.id));
    if (!attempt) return;
    try {
      const built = await this.accessPackage.build(attempt);
      await this.database.within(tenancy, async (tx) => {
        const request = await this.requests.lock(tx, job.id);
        if (hasAddress(request))
          await this.accessPackage.deliver(tx, { ...attempt, request }, built, 'package.rebuilt');
        else await this.accessPackage.giveUp(tx, attempt);
      });
    } catch (error) {
      const failure = failureOf(error);
      await this.database.within(tenancy, (tx) => this.fail(tx, attempt, failure));
      throw new DomainError(failure.code, failure.message);
    }
  }

  /** A package that is ready is what an earlier run of this job made, whose worker died before the queue knew. */
  private async begin(tx: UnitOfWork, id: string): Promise<PackageAttempt | undefined> {
    const request = await this.requests.lock(tx, id);
    if (request.status !== 'fulfilled' || request.kind !== 'access' || !hasAddress(request)) return undefined;
    const last = await this.packages.ofJob(tx, id);
    const ready = last?.status === 'ready' && last.expiresAt !== null && last.expiresAt > this.clock.now();
    return ready ? undefined : this.accessPackage.begin(tx, request);
  }

  private async fail(tx: UnitOfWork, attempt: PackageAttempt, { code }: Failure): Promise<void> {
    const request = await this.requests.lock(tx, attempt.request.id);
    if (!(await this.accessPackage.giveUp(tx, attempt))) return;
    await this.requests.tell(tx, request, 'package.rebuild_failed', {
      outcome: 'failure',
      targets: [{ type: 'package', id: attempt.package.id }],
      metadata: { code },
    });
  }
}

/** Without an address there is nobody to send a link to, and whom it was about is forgotten as well. */
const hasAddress = ({ mailSealed, contactWipedAt }: Request): boolean =>
  mailSealed !== null && contactWipedAt === null;

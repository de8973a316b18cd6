import { Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { systemTenancy } from '../../database/tenancy.js';
import { Database } from '../../database/database.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { HostMap } from '../../datamap/host-map.js';
import { Certificates } from '../../deletion/certificates.js';
import { type ErasureJob } from '../../deletion/erasure.js';
import { Erasures } from '../../deletion/erasures.js';
import { ErasureLedger } from '../../deletion/ledger.js';
import { ledgerEntry, LedgerDigests } from '../../deletion/ledger-entry.js';
import { WorkspaceEraser } from '../../deletion/workspace-eraser.js';
import { WorkspaceOwnData } from '../../deletion/workspace-own-data.js';
import { DomainError } from '../../errors.js';
import { type Request } from '../request.js';
import { Recipients } from '../recipients.js';
import { Requests } from '../requests.js';
import { HELD, holdsOfWorkspace } from './holds.js';
import { PurgeEnd } from './end.js';
import { WorkspaceMatters } from './matters.js';
import { PeopleLeft } from './people.js';
import { PurgeStart } from './start.js';
import { PurgedTombstones } from './tombstones.js';

/**
 * What becomes of a workspace once its grace is over, in its order: the host's rows and files, Habeas's own, the people
 * who are left without one, the ledger, and with certificate and checkpoint the end. Every step finds what was done
 * before, so it may be repeated from any point, by any number of workers.
 */
@Injectable()
export class WorkspacePurge {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly host: HostMap,
    private readonly requests: Requests,
    private readonly start: PurgeStart,
    private readonly eraser: WorkspaceEraser,
    private readonly erasures: Erasures,
    private readonly own: WorkspaceOwnData,
    private readonly matters: WorkspaceMatters,
    private readonly tombstones: PurgedTombstones,
    private readonly people: PeopleLeft,
    private readonly certificates: Certificates,
    private readonly ledger: ErasureLedger,
    private readonly digests: LedgerDigests,
    private readonly end: PurgeEnd,
    private readonly recipients: Recipients,
  ) {}

  /**
   * Does everything to the end.
   * @param request of scope workspace, in progress
   * @throws DomainError what stops it: `deletion.held`, `erasure.*`, `datamap.drift`, `storage.*`, `ledger.*`
   */
  async run(request: Request): Promise<void> {
    const job = await this.within(request, async (tx) => {
      await this.shouldGoOn(tx, request);
      return this.start.begin(tx, request);
    });
    await this.eraser.run(job, {
      shouldGoOn: (tx) => this.shouldGoOn(tx, request),
      onIrreversible: (tx) => this.requests.tell(tx, request, 'request.irreversible'),
    });
    await this.forget(request, job);
    await this.eraser.assertGone(job);
    await this.people.settle(request.tenant);
    await this.remember(request, job);
    await this.within(request, (tx) => this.end.reach(tx, job));
  }

  /** A cancellation takes the same lock, so that either it comes first or this batch does. */
  private async shouldGoOn(tx: UnitOfWork, { id }: Request): Promise<void> {
    const { status } = await this.requests.lock(tx, id);
    if (status !== 'in_progress') throw new DomainError('erasure.stopped', `The request is ${status}.`);
    if ((await holdsOfWorkspace(tx)).length > 0) throw new DomainError('deletion.held', HELD);
  }

  /** Habeas's own. From here on no event of this matter names anybody, and nothing can be taken back. */
  private async forget(request: Request, job: ErasureJob): Promise<void> {
    const { tenant } = request;
    await this.within(request, async (tx) => {
      // A workspace of which the host has nothing left comes here without a batch that has asked.
      await this.shouldGoOn(tx, request);
      if (await this.erasures.noteIrreversible(tx, job.id))
        await this.requests.tell(tx, request, 'request.irreversible');
      await this.tellRecipients(tx, job);
      await this.noteLogEnd(tx);
      await tx.query('update habeas.erasures set forgotten_at = coalesce(forgotten_at, $2) where id = $1', [
        job.id,
        this.clock.now(),
      ]);
    });
    await this.own.cancelMails(tenant);
    await this.matters.settle(request);
    await this.own.removePackages(tenant);
    await this.own.empty(tenant);
    await this.tombstones.close(tenant);
    await this.own.forgetLog(tenant);
  }

  /** Who had been handed data of the workspace is told so; what is left to do there outlives the purge. */
  private async tellRecipients(tx: UnitOfWork, { id, jobId, ...erased }: ErasureJob): Promise<void> {
    const steps = await this.erasures.outcomes(tx, id);
    await this.recipients.open(tx, { ...erased, erasureId: id, requestId: jobId, steps }, 'end');
  }

  /** Once: the workspace's own setting goes with the rest. */
  private async noteLogEnd(tx: UnitOfWork): Promise<void> {
    const at = await this.end.logEndsAt(tx, this.clock.now());
    await tx.query(
      'update habeas.workspace_purges set log_ends_at = coalesce(log_ends_at, $2) where tenant_id = $1',
      [tx.tenant, at],
    );
  }

  private async remember(request: Request, job: ErasureJob): Promise<void> {
    const completedAt = await this.within(request, (tx) => this.certificates.erasedAt(tx, job.id));
    await this.ledger.write(ledgerEntry(job, { completedAt, hostMap: this.host, digests: this.digests }));
  }

  private within<T>({ tenant }: Request, work: (tx: UnitOfWork) => Promise<T>): Promise<T> {
    return this.database.within(systemTenancy(tenant, 'workspace-purge'), work);
  }
}

import { Injectable } from '@nestjs/common';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { type ErasureJob } from '../../deletion/erasure.js';
import { type RepeatedMatter } from '../../deletion/ledger-eraser.js';
import { type LedgerEntry } from '../../deletion/ledger-entry.js';
import { WorkspaceOwnData } from '../../deletion/workspace-own-data.js';
import { DomainError } from '../../errors.js';
import { ErasureRepetition } from '../erasure-repetition.js';
import { HELD, PurgeHolds } from './holds.js';
import { WorkspaceMatters } from './matters.js';

const forgetMembers = 'delete from habeas.workspace_purge_people where tenant_id = $1';

/** A purge that is repeated after a restore: all that Habeas keeps of the workspace, and the request behind it. */
@Injectable()
export class PurgeRepetition implements RepeatedMatter {
  constructor(
    private readonly request: ErasureRepetition,
    private readonly own: WorkspaceOwnData,
    private readonly matters: WorkspaceMatters,
    private readonly holds: PurgeHolds,
  ) {}

  async assertNotHeld(tx: UnitOfWork): Promise<void> {
    if ((await this.holds.of(tx)).length > 0) throw new DomainError('deletion.held', HELD);
  }

  takeUp(tx: UnitOfWork, entry: LedgerEntry): Promise<void> {
    return this.request.takeUp(tx, entry);
  }

  async forget({ tenant }: ErasureJob, { jobId }: LedgerEntry): Promise<void> {
    await this.own.cancelMails(tenant);
    await this.matters.settle({ tenant, id: jobId });
    await this.own.removePackages(tenant);
    await this.own.empty(tenant);
    await this.own.forgetLog(tenant);
  }

  /** What becomes of the members was settled the first time: their own erasures are in the ledger as well. */
  async close(tx: UnitOfWork, job: ErasureJob, entry: LedgerEntry): Promise<void> {
    await tx.query(forgetMembers, [job.tenant]);
    await this.own.end(tx, entry.jobId, new Date(entry.completedAt));
    await this.request.close(tx, job, entry);
  }
}

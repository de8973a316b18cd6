import { Injectable } from '@nestjs/common';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { type ErasureJob } from '../../deletion/erasure.js';
import { type RepeatedMatter } from '../../deletion/ledger/eraser.js';
import { type LedgerEntry } from '../../deletion/ledger/entry.js';
import { WorkspaceOwnData } from '../../deletion/workspace-own-data.js';
import { DomainError } from '../../errors.js';
import { ErasureRepetition } from '../deletion/erasure-repetition.js';
import { HELD, PurgeHolds } from './holds.js';
import { LogEnd } from './log-end.js';
import { WorkspaceMatters } from './matters.js';

// The backup may be from before the purge began.
const ensure = `
  insert into habeas.workspace_purges (tenant_id, request_id, begun_at) values ($1, $2, $3) on conflict do nothing`;
const forgetMembers = 'delete from habeas.workspace_purge_people where tenant_id = $1';

/** A purge that is repeated after a restore: all that Habeas keeps of the workspace, and the request behind it. */
@Injectable()
export class PurgeRepetition implements RepeatedMatter {
  constructor(
    private readonly request: ErasureRepetition,
    private readonly own: WorkspaceOwnData,
    private readonly matters: WorkspaceMatters,
    private readonly holds: PurgeHolds,
    private readonly logEnd: LogEnd,
  ) {}

  async assertNotHeld(tx: UnitOfWork): Promise<void> {
    if ((await this.holds.of(tx)).length > 0) throw new DomainError('deletion.held', HELD);
  }

  /** With the end of the log, while the workspace's own setting still says when that is. */
  async takeUp(tx: UnitOfWork, entry: LedgerEntry): Promise<void> {
    const purgedAt = new Date(entry.completedAt);
    await this.request.takeUp(tx, entry);
    await tx.query(ensure, [tx.tenant, entry.jobId, purgedAt]);
    await this.logEnd.note(tx, purgedAt);
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
    const purgedAt = new Date(entry.completedAt);
    await this.own.end(tx, entry.jobId, purgedAt, await this.logEnd.from(tx, purgedAt));
    await this.request.close(tx, job, entry);
  }
}

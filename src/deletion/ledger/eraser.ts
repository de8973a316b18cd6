import { v5 } from 'uuid';
import { type AuditLog } from '../../audit/events.js';
import { type Database } from '../../database/database.js';
import { systemTenancy } from '../../database/tenancy.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { type Certificates } from '../certificate/certificates.js';
import { type Eraser } from '../eraser.js';
import { type Erasures } from '../erasures.js';
import { type ErasureJob } from '../erasure.js';
import { type LedgerEntry } from './entry.js';
import { type EraserPort } from './replay.js';
import { type EraserOptions } from '../step/context.js';
import { type Suppressions } from '../suppressions/suppressions.js';

/** What only upper layers know of an erasure: its request, and what Habeas keeps about its people. */
export interface RepeatedMatter {
  /**
   * Asked inside every batch's transaction where the caller asks nothing of its own.
   * @throws DomainError `deletion.held` where a hold keeps what came back: one that was placed since, or that the backup has
   */
  assertNotHeld(tx: UnitOfWork, job: ErasureJob): Promise<void>;
  /** Before anything goes, in the first transaction: the matter, if it came back too, is taken out of every other hand. */
  takeUp(tx: UnitOfWork, entry: LedgerEntry): Promise<void>;
  /**
   * Once the host's rows are gone: what Habeas keeps goes too, and nothing may be found any more. Safe to repeat.
   * @throws DomainError `residue.found`
   */
  forget(job: ErasureJob, entry: LedgerEntry): Promise<void>;
  /** In the last transaction: the matter is over, and nobody is told a second time. */
  close(tx: UnitOfWork, job: ErasureJob, entry: LedgerEntry): Promise<void>;
}

export interface LedgerEraserParts {
  database: Database;
  erasures: Erasures;
  eraser: Pick<Eraser, 'begin' | 'run'>;
  certificates: Pick<Certificates, 'keep'>;
  suppressions: Suppressions;
  audit: AuditLog;
  matter: RepeatedMatter;
}

const notOver = 'select from habeas.erasures where id = $1 and job_sealed is not null for update';

/**
 * Erases once more what a restore brought back, and puts back what it took: that the erasure was done, its certificate,
 * who must not be imported. Under the erasure's own id where the database does not know that it is over.
 */
export class LedgerEraser implements EraserPort {
  constructor(private readonly parts: LedgerEraserParts) {}

  async repeat(job: ErasureJob, entry: LedgerEntry, options: EraserOptions = {}): Promise<void> {
    const { database, eraser, matter } = this.parts;
    const tenancy = systemTenancy(job.tenant, 'erasure-ledger');
    const { shouldGoOn = (tx: UnitOfWork) => matter.assertNotHeld(tx, job) } = options;
    const again = await database.within(tenancy, async (tx) => {
      await shouldGoOn(tx);
      await matter.takeUp(tx, entry);
      return eraser.begin(tx, await this.ownIds(tx, job));
    });
    if (again.scope === 'workspace' || again.subjects.length > 0) {
      await eraser.run(again, { ...options, shouldGoOn });
      await matter.forget(again, entry);
    }
    await database.within(tenancy, (tx) => this.end(tx, again, entry));
  }

  private async end(tx: UnitOfWork, again: ErasureJob, entry: LedgerEntry): Promise<void> {
    const { erasures, certificates, suppressions, audit, matter } = this.parts;
    // Somebody else who did the same, a worker beside a replay, was the first.
    if (!(await tx.one(notOver, [again.id]))) return;
    const erased = { erasureId: entry.erasureId, erasedAt: new Date(entry.completedAt) };
    // As it was certified: the counts of this repetition are of what a backup had, not of what was erased.
    await tx.query('update habeas.erasures set erased_at = $2 where id = $1', [again.id, erased.erasedAt]);
    if (entry.certificate && again.jobId === entry.jobId)
      await certificates.keep(tx, again.id, entry.certificate);
    if (entry.suppressions) await suppressions.restore(tx, entry.suppressions, erased);
    else if (again.scope !== 'workspace') await suppressions.add(tx, again.subjects, erased);
    await matter.close(tx, again, entry);
    await audit.record(tx, 'erasure.repeated', {
      targets: [{ type: 'erasure', id: entry.erasureId }],
      metadata: { erasedAt: entry.completedAt },
    });
    await erasures.wipe(tx, again.id);
  }

  /**
   * The first one's ids, unless the database knows that it is over: rows came back without Habeas's own, which are
   * as they should be. One that was begun and killed is taken up again.
   */
  private async ownIds(tx: UnitOfWork, job: ErasureJob): Promise<ErasureJob> {
    const over = 'select from habeas.erasures where tenant_id = $1 and job_id = $2 and job_sealed is null';
    if (!(await tx.one(over, [tx.tenant, job.jobId]))) return this.withoutRival(tx, job);
    for (let attempt = 1; ; attempt++) {
      const id = v5(String(attempt), job.id);
      if (!(await tx.one(over, [tx.tenant, id]))) return { ...job, id, jobId: id };
    }
  }

  /** The request may have drawn other ids since the restore. Before anything has gone by them, the first ones count. */
  private async withoutRival(tx: UnitOfWork, job: ErasureJob): Promise<ErasureJob> {
    await tx.query(
      'delete from habeas.erasures where tenant_id = $1 and job_id = $2 and id <> $3 and irreversible_at is null',
      [tx.tenant, job.jobId, job.id],
    );
    return job;
  }
}

/** Repeats the purges of workspaces. */
export class PurgeRepeater extends LedgerEraser {}

/** Repeats each erasure by the one that does its kind. */
export const eachByItsOwn = (people: EraserPort, workspaces: EraserPort): EraserPort => ({
  repeat: (job, entry, options) =>
    (job.scope === 'workspace' ? workspaces : people).repeat(job, entry, options),
});

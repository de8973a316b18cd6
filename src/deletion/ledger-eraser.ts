import { v5 } from 'uuid';
import { type AuditLog } from '../audit/events.js';
import { type Database } from '../database/database.js';
import { systemTenancy } from '../database/tenancy.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { type HostMap } from '../datamap/host-map.js';
import { type Eraser } from './eraser.js';
import { type ErasurePlans } from './erasure-plan.js';
import { type Erasures } from './erasures.js';
import { type ErasureJob } from './erasure.js';
import { type LedgerEntry } from './ledger-entry.js';
import { type EraserPort } from './ledger-replay.js';
import { type Suppressions } from './suppressions.js';

export interface LedgerEraserParts {
  database: Database;
  hostMap: HostMap;
  plans: ErasurePlans;
  erasures: Erasures;
  eraser: Eraser;
  suppressions: Suppressions;
  audit: AuditLog;
}

/** Erases the host's rows and files once more, and remembers the erasure as it was remembered before. */
export class LedgerEraser implements EraserPort {
  constructor(private readonly parts: LedgerEraserParts) {}

  async repeat(job: ErasureJob, entry: LedgerEntry): Promise<void> {
    const { database, plans, erasures, eraser, suppressions, audit, hostMap } = this.parts;
    const tenancy = systemTenancy(job.tenant, 'erasure-ledger');
    const again = await database.within(tenancy, async (tx) => {
      const own = await this.ownIds(tx, job);
      return erasures.begin(tx, own, await plans.plan(tx, own), hostMap.map.hash);
    });
    await eraser.run(again);
    await database.within(tenancy, async (tx) => {
      const erased = { erasureId: entry.erasureId, erasedAt: new Date(entry.completedAt) };
      if (job.scope !== 'workspace') await suppressions.add(tx, again.subjects, erased);
      await audit.record(tx, 'erasure.repeated', {
        targets: [{ type: 'erasure', id: entry.erasureId }],
        metadata: { erasedAt: entry.completedAt },
      });
      await erasures.wipe(tx, again.id);
    });
  }

  /**
   * Ids of this repetition: the first one's steps may be there, finished, when only the host's tables were restored.
   * One that was begun and killed is taken up again.
   */
  private async ownIds(tx: UnitOfWork, job: ErasureJob): Promise<ErasureJob> {
    for (let attempt = 1; ; attempt++) {
      const id = v5(String(attempt), job.id);
      const done = await tx.one('select from habeas.erasures where job_id = $1 and job_sealed is null', [id]);
      if (!done) return { ...job, id, jobId: id };
    }
  }
}

import { type UnitOfWork } from '../database/unit-of-work.js';
import { type HostMap } from '../datamap/host-map.js';
import { Eraser, type EraserParts } from './eraser.js';
import { ErasurePlans } from './erasure-plan.js';
import { type ErasureJob, type StepOutcome } from './erasure.js';
import { LeftRows } from './left-rows.js';
import { type EraserOptions } from './step-context.js';
import { WorkspaceMap } from './workspace-map.js';

/** Erases the host's rows and files of a whole workspace, over the map as a purge walks it. Safe to repeat. */
export class WorkspaceEraser {
  private readonly eraser: Eraser;
  private readonly left: LeftRows;

  constructor(parts: Omit<EraserParts, 'plans' | 'host'> & { host: HostMap }) {
    const host = new WorkspaceMap(parts.host);
    this.eraser = new Eraser({ ...parts, host, plans: new ErasurePlans(host) });
    this.left = new LeftRows(parts.database, parts.host);
  }

  /** As Eraser.begin. @throws DomainError `datamap.drift` */
  begin(tx: UnitOfWork, job: ErasureJob): Promise<ErasureJob> {
    return this.eraser.begin(tx, job);
  }

  /** As Eraser.run, and throws what it throws. */
  run(job: ErasureJob, options: EraserOptions): Promise<StepOutcome[]> {
    return this.eraser.run(job, options);
  }

  /**
   * Counts every collection again, in a transaction of its own. Steps of which rows were written since are open again
   * then, so that the next attempt takes them.
   * @throws DomainError `erasure.rows_came_back`, to be tried again
   */
  assertGone(job: ErasureJob): Promise<void> {
    return this.left.noneCameBack(job);
  }
}

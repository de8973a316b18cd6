import { type UnitOfWork } from '../database/unit-of-work.js';
import { type HostMap } from '../datamap/host-map.js';
import { DomainError } from '../errors.js';
import { Eraser, type EraserParts } from './eraser.js';
import { ErasurePlans } from './erasure-plan.js';
import { type ErasureJob, type StepOutcome } from './erasure.js';
import { type EraserOptions } from './step-context.js';
import { WorkspaceMap } from './workspace-map.js';

/** Erases the host's rows and files of a whole workspace, over the map as a purge walks it. Safe to repeat. */
export class WorkspaceEraser {
  private readonly eraser: Eraser;
  private readonly plans: ErasurePlans;

  constructor(parts: Omit<EraserParts, 'plans' | 'host'> & { host: HostMap }) {
    const host = new WorkspaceMap(parts.host);
    this.plans = new ErasurePlans(host);
    this.eraser = new Eraser({ ...parts, host, plans: this.plans });
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
   * Counts every collection again, in a transaction of its own.
   * @throws DomainError `residue.found` where rows of the workspace are there: left, or put back since
   */
  async assertGone(tx: UnitOfWork, job: ErasureJob): Promise<void> {
    const { steps } = await this.plans.plan(tx, job);
    const left = steps.filter(({ rule, rows }) => rule !== 'keep' && rows > 0);
    if (left.length === 0) return;
    const places = left.map(({ collection, rows }) => `${collection} (${rows})`).join(', ');
    throw new DomainError(
      'residue.found',
      `Rows of the workspace are left, or were written since: ${places}.`,
    );
  }
}

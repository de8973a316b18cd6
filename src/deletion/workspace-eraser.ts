import { type Database } from '../database/database.js';
import { systemTenancy } from '../database/tenancy.js';
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
  private readonly database: Database;

  constructor(parts: Omit<EraserParts, 'plans' | 'host'> & { host: HostMap }) {
    const host = new WorkspaceMap(parts.host);
    this.plans = new ErasurePlans(host);
    this.database = parts.database;
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
   * Counts every collection again, in a transaction of its own. Steps of which rows were written since are open again
   * then, so that the next attempt takes them.
   * @throws DomainError `erasure.rows_came_back`, to be tried again
   */
  async assertGone(job: ErasureJob): Promise<void> {
    const tenancy = systemTenancy(job.tenant, 'eraser');
    const options = { statementTimeout: 0 };
    const { steps } = await this.database.within(tenancy, (tx) => this.plans.plan(tx, job), options);
    const left = steps.filter(({ rule, rows }) => rule !== 'keep' && rows > 0);
    if (left.length === 0) return;
    await this.database.within(tenancy, (tx) =>
      tx.query(reopen, [job.id, left.map(({ collection }) => collection)]),
    );
    const places = left.map(({ collection, rows }) => `${collection} (${rows})`).join(', ');
    throw new DomainError(
      'erasure.rows_came_back',
      `Rows of the workspace were written again where they had been erased: ${places}. A trigger, or somebody at work?`,
    );
  }
}

const reopen = `
  update habeas.erasure_steps set finished_at = null where erasure_id = $1 and collection = any ($2::text[])`;

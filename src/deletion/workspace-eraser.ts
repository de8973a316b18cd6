import { type Database } from '../database/database.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { type HostMap } from '../datamap/host-map.js';
import { DomainError } from '../errors.js';
import { Eraser, type EraserParts } from './eraser.js';
import { ErasurePlans } from './erasure-plan.js';
import { type ErasureJob, type StepOutcome } from './erasure.js';
import { LeftRows, READ_ONLY } from './left-rows.js';
import { type EraserOptions } from './step/context.js';
import { WorkspaceMap } from './workspace-map.js';

/** Erases the host's rows and files of a whole workspace, over the map as a purge walks it. Safe to repeat. */
export class WorkspaceEraser {
  private readonly eraser: Eraser;
  private readonly left: LeftRows;
  private readonly database: Database;

  constructor(parts: Omit<EraserParts, 'plans' | 'host'> & { host: HostMap }) {
    const host = new WorkspaceMap(parts.host);
    this.eraser = new Eraser({ ...parts, host, plans: new ErasurePlans(host) });
    this.database = parts.database;
    this.left = new LeftRows(parts.database, parts.host);
  }

  /** As Eraser.begin. @throws DomainError `datamap.drift` */
  begin(tx: UnitOfWork, job: ErasureJob): Promise<ErasureJob> {
    return this.eraser.begin(tx, job);
  }

  /**
   * As Eraser.run, and throws what it throws. Rows that somebody writes where all had gone already stop, by their
   * foreign keys, what comes after: that is no fault of the map.
   * @throws DomainError `erasure.rows_came_back`, to be tried again
   */
  run(job: ErasureJob, options: EraserOptions): Promise<StepOutcome[]> {
    return this.eraser.run(job, options).catch(async (error: unknown) => {
      if (error instanceof DomainError && error.code === 'erasure.blocked_by_constraint')
        await this.left.noneCameBack(job, await this.finished(job));
      if (error instanceof DomainError && error.code === 'erasure.rows_came_back')
        throw new DomainError(error.code, `${error.message} ${READ_ONLY}`);
      throw error;
    });
  }

  /**
   * Counts every collection again, in a transaction of its own. Steps of which rows were written since are open again
   * then, so that the next attempt takes them.
   * @throws DomainError `erasure.rows_came_back`, to be tried again
   */
  assertGone(job: ErasureJob): Promise<void> {
    return this.left.noneCameBack(job);
  }

  private async finished({ id, tenant }: ErasureJob): Promise<string[]> {
    const rows = await this.database.asJob(tenant, 'eraser', (tx) =>
      tx.query<{ collection: string }>(finishedOnes, [id]),
    );
    return rows.map(({ collection }) => collection);
  }
}

const finishedOnes = `
  select collection from habeas.erasure_steps where erasure_id = $1
  group by collection having bool_and(finished_at is not null)`;

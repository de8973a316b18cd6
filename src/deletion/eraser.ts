import { type Database } from '../database/database.js';
import { systemTenancy, type Tenancy } from '../database/tenancy.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { erasureOrder, type ErasureOrder } from '../datamap/erasure-order.js';
import { type HostMap } from '../datamap/host-map.js';
import { type ErasureFiles } from './files/erasure-files.js';
import { assertNothingInTheWay } from './hindrance/dry-run.js';
import { placesOf } from './erasure-places.js';
import { collectionOf, type ErasurePlans, isSharedIn } from './erasure-plan.js';
import { type Erasures, type Step } from './erasures.js';
import { type ErasureJob, type StepOutcome } from './erasure.js';
import { type EraserOptions, StepContext, type StepWork } from './step/context.js';
import { StepRun } from './step/run.js';

export interface EraserParts {
  database: Database;
  host: HostMap;
  plans: ErasurePlans;
  erasures: Erasures;
  files: ErasureFiles;
  /** How long after its clearing a tombstone's row goes, and from when. */
  tombstoneDue: () => Date;
}

/**
 * Erases the host's rows and files of one job, step by step, each in short transactions. Whatever stops it, calling
 * it again goes on where it was: what is done is not found any more. Two at once do no harm. What would stop it is looked
 * for first, all at once, so that a refusal finds nothing done yet.
 */
export class Eraser {
  constructor(private readonly parts: EraserParts) {}

  /**
   * Plans the job as things are now and keeps both, before anything is erased; in a transaction of the job's tenant.
   * A job that has begun before keeps its plan and its pseudonyms, whatever is handed over.
   * @returns the job as it will run. @throws DomainError `datamap.drift`
   */
  async begin(tx: UnitOfWork, job: ErasureJob): Promise<ErasureJob> {
    const { plans, erasures, host } = this.parts;
    return erasures.begin(tx, job, await plans.plan(tx, job, true), host.map.hash);
  }

  /**
   * Runs a job that `begin` has kept.
   * @returns what became of each step; tombstones' rows are still to be swept
   * @throws DomainError `erasure.blocked_by_constraint`, `erasure.rows_came_back`, `datamap.drift`; to be tried again:
   * `erasure.rows_locked`, `erasure.files_left`; and whatever `shouldGoOn` throws
   */
  async run(job: ErasureJob, options: EraserOptions = {}): Promise<StepOutcome[]> {
    const { database, host, erasures, files } = this.parts;
    host.assertFits();
    const tenancy = systemTenancy(job.tenant, 'eraser');
    const { map, catalogue } = host.current();
    const order = erasureOrder(catalogue, Object.values(map.collections));
    const steps = await database.within(tenancy, (tx) => erasures.steps(tx, job.id));
    const context = this.contextOf(job, tenancy, options);
    const run = new StepRun(context);
    const begun = await database.within(tenancy, (tx) => erasures.isIrreversible(tx, job.id));
    await assertNothingInTheWay(context, { order, steps, begun });
    if (!begun) {
      await this.gather(order, steps, run);
      await this.countShared(job, tenancy, steps);
    }
    // What is kept is counted while it can still be found by way of what goes.
    const kept = steps.filter(({ rule }) => rule === 'keep').map((step) => [step]);
    const others = grouped(
      steps.filter(({ rule }) => rule !== 'keep'),
      order,
    );
    for (const group of [...kept, ...others]) {
      const open = group.filter(({ finishedAt }) => finishedAt === null);
      if (open.length === 0) continue;
      await run.run(open.map((step) => this.workOf(step, order)));
    }
    await files.remove(tenancy, job.id);
    return database.within(tenancy, async (tx) => {
      await erasures.noteErased(tx, job.id);
      return erasures.outcomes(tx, job.id);
    });
  }

  /** What stays for others, while it can still be found by way of what goes. */
  private async countShared(job: ErasureJob, tenancy: Tenancy, steps: Step[]): Promise<void> {
    const { database, host, plans, erasures } = this.parts;
    for (const { collection: name, workspace, ordinal } of steps.filter(({ rule }) => rule === 'delete')) {
      const collection = collectionOf(host, name);
      const place = placesOf(job, collection).find((one) => one.workspace === workspace);
      if (place && isSharedIn(job, collection))
        await database.within(tenancy, async (tx) => {
          const { stays = 0 } = await tx.asHost(() => plans.count(tx, job, collection, place));
          await erasures.noteStays(tx, job.id, ordinal, stays);
        });
    }
  }

  private contextOf(job: ErasureJob, tenancy: Tenancy, options: EraserOptions): StepContext {
    const { database, host, erasures, files, tombstoneDue } = this.parts;
    return new StepContext({ database, host, erasures, files, tombstoneDue, job, tenancy, options });
  }

  private workOf(step: Step, { gathered }: ErasureOrder): StepWork {
    const collection = collectionOf(this.parts.host, step.collection);
    const noted = gathered.has(step.collection) || collection.erasure.rule === 'tombstone';
    return { step, collection, noted };
  }

  /** Notes rows that cannot be found later, before anything goes; once something has gone it is done. */
  private async gather(order: ErasureOrder, steps: Step[], run: StepRun): Promise<void> {
    for (const step of steps) {
      const work = this.workOf(step, order);
      if (work.noted && step.rule !== 'keep' && step.finishedAt === null) await run.gather(work);
    }
  }
}

/** Steps by the stage of their collections: those of a circle together, one workspace after the other. */
function grouped(steps: Step[], { stages }: ErasureOrder): Step[][] {
  const circles = stages.filter(({ collections }) => collections.length > 1);
  const groups = new Map<string, Step[]>();
  for (const step of steps) {
    const circle = circles.findIndex(({ collections }) =>
      collections.some(({ name }) => name === step.collection),
    );
    const id =
      circle < 0 || step.rule !== 'delete'
        ? `step ${step.ordinal}`
        : `circle ${circle} in ${step.workspace ?? ''}`;
    groups.set(id, [...(groups.get(id) ?? []), step]);
  }
  return [...groups.values()];
}

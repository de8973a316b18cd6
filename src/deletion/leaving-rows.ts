import { type UnitOfWork } from '../database/unit-of-work.js';
import { type HostMap } from '../datamap/host-map.js';
import { placesOf } from './erasure-places.js';
import { collectionOf, type ErasurePlans } from './erasure-plan.js';
import { type Erasures } from './erasures.js';
import { type ErasureJob, type Kept, keptBy } from './erasure.js';

/** Lets an erasure that is planned, or half done, leave what from now on has to stay. */
export class LeavingRows {
  constructor(
    private readonly host: HostMap,
    private readonly plans: ErasurePlans,
    private readonly erasures: Erasures,
  ) {}

  /**
   * Under the lock that every batch takes. A run that goes on with the job as it was before has to be stopped by its
   * `shouldGoOn`, which knows what that job keeps. @returns the job as it goes on
   */
  async leave(tx: UnitOfWork, job: ErasureJob, kept: readonly Kept[]): Promise<ErasureJob> {
    const changed = { ...job, kept: [...(job.kept ?? []), ...kept] };
    for (const step of await this.erasures.steps(tx, job.id)) {
      const why = keptBy({ kept: [...kept] }, step.collection, step.workspace);
      if (!why || step.finishedAt !== null || step.rule === 'keep') continue;
      const collection = collectionOf(this.host, step.collection);
      const place = placesOf(job, collection).find(({ workspace }) => workspace === step.workspace);
      const left = place
        ? await tx.asHost(() => this.plans.count(tx, job, collection, place))
        : { rows: 0, files: 0 };
      await this.erasures.leave(tx, job.id, step, why, left);
    }
    await this.erasures.change(tx, changed);
    return changed;
  }
}

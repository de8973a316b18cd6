import { type Database } from '../../database/database.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { type ErasureJob } from '../../deletion/erasure.js';
import { type Request } from '../request.js';

/** One stretch of a purge's way. It finds what was done before: repeated from any point, by any number of workers, it is safe. */
export interface PurgeStep {
  run(purge: Purge): Promise<void>;
}

/** A purge on its way: whose matter it is, what is erased, and the transactions of its tenant. */
export class Purge {
  constructor(
    private readonly database: Database,
    readonly request: Request,
    readonly job: ErasureJob,
  ) {}

  get tenant(): string {
    return this.request.tenant;
  }

  within<T>(work: (tx: UnitOfWork) => Promise<T>): Promise<T> {
    return withinPurge(this.database, this.tenant, work);
  }
}

/** One transaction of a purge, in the workspace that goes. */
export const withinPurge = <T>(
  database: Database,
  tenant: string,
  work: (tx: UnitOfWork) => Promise<T>,
): Promise<T> => database.asJob(tenant, 'workspace-purge', work);

import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { HOST_TENANT, systemTenancy } from '../database/tenancy.js';
import { Database } from '../database/database.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { workspaceId } from '../datamap/workspace-id.js';
import { type ErasureJob } from '../deletion/erasure.js';
import { OwnData } from '../deletion/own-data.js';
import { ApiTokens } from '../identity/api-tokens.js';

/** What Habeas itself keeps about the people of an erasure, in the tenants of the parts that were erased. */
@Injectable()
export class ErasingPerson {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly tokens: ApiTokens,
    private readonly own: OwnData,
  ) {}

  /** Safe to repeat. From here on no event of this matter names its people. */
  async forget(job: ErasureJob): Promise<void> {
    await this.within(job.tenant, (tx) =>
      tx.query('update habeas.erasures set forgotten_at = coalesce(forgotten_at, $2) where id = $1', [
        job.id,
        this.clock.now(),
      ]),
    );
    const tenants = [...job.workspaces.map(workspaceId), ...(job.scope === 'account' ? [HOST_TENANT] : [])];
    // Who made a token is known by the pseudonym, which goes next.
    for (const tenant of tenants) await this.within(tenant, (tx) => this.tokens.revokeOf(tx, job.subjects));
    await this.own.forget(tenants, job.subjects, job.jobId);
    await this.within(job.tenant, (tx) =>
      tx.query('delete from habeas.request_notes where request_id = $1', [job.jobId]),
    );
  }

  private within<T>(tenant: string, work: (tx: UnitOfWork) => Promise<T>): Promise<T> {
    return this.database.within(systemTenancy(tenant, 'deletion-fulfilment'), work);
  }
}

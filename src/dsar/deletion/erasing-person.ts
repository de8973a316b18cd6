import { Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { HOST_TENANT } from '../../database/tenancy.js';
import { Database } from '../../database/database.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { workspaceId } from '../../datamap/workspace-id.js';
import { type ErasureJob } from '../../deletion/erasure.js';
import { OwnData } from '../../deletion/own-data.js';
import { ApiTokens } from '../../identity/api-tokens.js';
import { Auditors } from '../../identity/auditors.js';
import { OpenCopies } from '../access/open-copies.js';

const whereKnown =
  'select tenant_id as tenant from habeas.pseudonyms union select tenant_id from habeas.requests';

/** The tenants of the parts that an erasure takes. */
export const tenantsOf = ({ workspaces, scope }: ErasureJob): string[] => [
  ...workspaces.map(workspaceId),
  ...(scope === 'account' ? [HOST_TENANT] : []),
];

/** What Habeas itself keeps about the people of an erasure, in the tenants of the parts that were erased. */
@Injectable()
export class ErasingPerson {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly tokens: ApiTokens,
    private readonly auditors: Auditors,
    private readonly copies: OpenCopies,
    private readonly own: OwnData,
  ) {}

  /**
   * Safe to repeat. From here on no event of this matter names its people.
   * @param leftOut tenants whose part is not erased
   */
  async forget(job: ErasureJob, leftOut: readonly string[]): Promise<void> {
    await this.within(job.tenant, (tx) =>
      tx.query('update habeas.erasures set forgotten_at = coalesce(forgotten_at, $2) where id = $1', [
        job.id,
        this.clock.now(),
      ]),
    );
    const tenants = await this.tenants(job, leftOut);
    // Who made a token is known by the pseudonym, which goes next; and each of these may tell a part's log of it.
    for (const tenant of tenants)
      await this.within(tenant, async (tx) => {
        await this.tokens.revokeOf(tx, job.subjects);
        await this.auditors.revokeOf(tx, job.subjects);
        await this.copies.end(tx, job.subjects);
      });
    await this.own.forget(tenants, job.subjects, job.jobId);
    await this.within(job.tenant, (tx) =>
      tx.query('delete from habeas.request_notes where request_id = $1', [job.jobId]),
    );
  }

  /** An account's end reaches every log and every earlier request, also where nothing of the host's was left. */
  private async tenants(job: ErasureJob, leftOut: readonly string[]): Promise<string[]> {
    if (job.scope !== 'account') return tenantsOf(job);
    const known = await this.within(job.tenant, (tx) =>
      tx.asSelf(job.subjects, (own) => own.query<{ tenant: string }>(whereKnown)),
    );
    const all = new Set([...tenantsOf(job), ...known.map(({ tenant }) => tenant)]);
    return [...all].filter((tenant) => !leftOut.includes(tenant));
  }

  private within<T>(tenant: string, work: (tx: UnitOfWork) => Promise<T>): Promise<T> {
    return this.database.asJob(tenant, 'deletion-fulfilment', work);
  }
}

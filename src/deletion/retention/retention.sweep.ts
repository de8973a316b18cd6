import { Logger } from '@nestjs/common';
import { type Clock } from '../../clock.js';
import { type Database } from '../../database/database.js';
import { HOST_TENANT } from '../../database/tenancy.js';
import { type HostMap } from '../../datamap/host-map.js';
import { sweepables } from '../../datamap/sweepable.js';
import { type Queue } from '../../jobs/queue.js';
import { tellable } from './failures.js';
import { before } from './time.js';
import { WorkspaceDiscovery } from './workspace-discovery.js';

/** The queue of tenants to be swept; one job for each at a time. */
export const RETENTION = 'retention';

const PAGE = 500;
const HOUR = 3_600_000;
const FIRST = '00000000-0000-0000-0000-000000000000';

// One query for all, by keys alone: a workspace that has set nothing costs a look into two indexes. What was looked at
// says itself when it is to be looked at again.
const findDue = `
  select t.id as tenant from (
    select id from habeas.workspaces where purged_at is null union all select $5::uuid
  ) as t
  left join habeas.retentions r on r.tenant_id = t.id
  where t.id > $2 and case when r.next_run_at is not null then r.next_run_at <= $1 else
    $3 or exists (select from habeas.retention_rules s where s.tenant_id = t.id)
       or exists (select from habeas.events e where e.tenant_id = t.id and e.id < $4) end
  order by t.id limit ${PAGE}`;

// Of several instances one gets it. A change that waits counts from its own time on, not from the next full hour.
const claim = `
  insert into habeas.retentions (tenant_id, next_run_at) values ($1, least($3::timestamptz, (
    select min(effective_at) from habeas.retention_rules where tenant_id = $1 and effective_at > $2::timestamptz)))
  on conflict (tenant_id) do update set next_run_at = excluded.next_run_at
  where retentions.next_run_at is null or retentions.next_run_at <= $2
  returning 1`;

/** Finds whose retention is due and leaves the work to the queue: a sweep of a million rows must not hold up the others. */
export class RetentionSweep {
  private readonly logger = new Logger('RetentionSweep');
  private readonly discovery: WorkspaceDiscovery;
  private discoverAt = 0;

  constructor(
    private readonly database: Database,
    private readonly host: HostMap,
    private readonly queue: Queue,
    private readonly clock: Clock,
    private readonly logKeep: string,
  ) {
    this.discovery = new WorkspaceDiscovery(database, host);
  }

  async run(): Promise<void> {
    const now = this.clock.now();
    const byDefault = sweepables(this.host.map).some(({ keep }) => keep !== null);
    if (byDefault) await this.discover(now);
    const old = firstIdOf(before(now, this.logKeep));
    for (let after = FIRST; ;) {
      const due = await this.database.asSweep((tx) =>
        tx.query<{ tenant: string }>(findDue, [now, after, byDefault, old, HOST_TENANT]),
      );
      for (const { tenant } of due) await this.claim(tenant, now);
      const last = due.at(-1);
      if (!last || due.length < PAGE) return;
      after = last.tenant;
    }
  }

  /** Once an hour; of several instances each, since looking twice finds nothing new. */
  private async discover(now: Date): Promise<void> {
    if (now.getTime() < this.discoverAt) return;
    this.discoverAt = now.getTime() + HOUR;
    try {
      await this.discovery.run();
    } catch (error) {
      // The map does not fit for the moment: those that are known are swept all the same.
      const { code, message } = tellable(error);
      this.logger.warn({ code, reason: message }, 'not all workspaces were found; it is tried again');
    }
  }

  private claim(tenant: string, now: Date): Promise<void> {
    return this.database.asJob(tenant, 'retention', async (tx) => {
      if (!(await tx.one(claim, [tenant, now, new Date(now.getTime() + HOUR)]))) return;
      await this.queue.enqueue(tx, RETENTION, { tenant, id: tenant });
    });
  }
}

/** The least uuid (version 7) of a moment. */
function firstIdOf(moment: Date): string {
  const hex = Math.max(moment.getTime(), 0).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}

/** When the oldest retention that is due has been due since: looked for, or failed. For the watch over what is behind. */
export const oldestDueRetention = `
  select min(due) as due from (
    select min(next_run_at) as due from habeas.retentions where next_run_at <= $1
    union all
    select min(first_at) from habeas.retention_failures) as all_due`;

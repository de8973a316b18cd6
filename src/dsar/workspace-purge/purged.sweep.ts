import { Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { Database } from '../../database/database.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { eachOnItsOwn } from '../../jobs/each-on-its-own.js';
import { type JobRef } from '../../jobs/queue.js';

const ROWS = 5000;

// An endpoint outlives its workspace until it has heard that this is gone, or has been given up: a matter of days.
const isThrough = `
  not exists (select from habeas.webhook_deliveries d where d.webhook_id = w.id and d.status = 'pending')`;
const withEndpoints = `
  select distinct w.tenant_id as "tenant", w.tenant_id as id from habeas.webhooks w
  join habeas.workspace_purges p on p.tenant_id = w.tenant_id and p.purged_at <= $1
  where ${isThrough} and w.tenant_id > $2
  order by 2 limit 500`;

// What its recipients answer is told in the log, so that it outlives the last of them.
const endedLogs = `
  select p.tenant_id as "tenant", p.tenant_id as id from habeas.workspace_purges p
  where p.log_ends_at <= $1 and p.purged_at is not null and p.tenant_id > $2
    and not exists (select from habeas.recipient_tasks t where t.tenant_id = p.tenant_id and t.ended_at is null)
  order by 2 limit 500`;

/** What of a purged workspace goes later: its endpoints with the last delivery, its log and directory row at their end. */
@Injectable()
export class PurgedWorkspacesSweep {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  async run(): Promise<void> {
    await this.each(withEndpoints, (tenant) => this.within(tenant, dropEndpoints));
    await this.each(endedLogs, (tenant) => this.endLog(tenant));
  }

  private async endLog(tenant: string): Promise<void> {
    while ((await this.within(tenant, (tx) => this.endSome(tx))) > 0);
  }

  private async endSome(tx: UnitOfWork): Promise<number> {
    const row = await tx.one<{ gone: number }>('select habeas.end_log($1, $2) as gone', [
      this.clock.now(),
      ROWS,
    ]);
    return row?.gone ?? 0;
  }

  private each(sql: string, work: (tenant: string) => Promise<unknown>): Promise<void> {
    const now = this.clock.now();
    const page = (after: string) => this.database.asSweep((tx) => tx.query<JobRef>(sql, [now, after]));
    return eachOnItsOwn(page, ({ tenant }) => work(tenant));
  }

  private within<T>(tenant: string, work: (tx: UnitOfWork) => Promise<T>): Promise<T> {
    return this.database.asJob(tenant, 'purged-workspaces', work);
  }
}

async function dropEndpoints(tx: UnitOfWork): Promise<void> {
  await tx.query(`delete from habeas.webhooks w where w.tenant_id = $1 and ${isThrough}`, [tx.tenant]);
}

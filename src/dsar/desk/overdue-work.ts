import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/events.js';
import { Database } from '../../database/database.js';
import { HOST_TENANT, type Tenancy } from '../../database/tenancy.js';
import { type Overdue, OverdueWatch } from '../../jobs/overdue.js';

interface SuspendedWebhook {
  id: string;
  workspaceId: string;
  disabledAt: Date;
  because: string;
}

interface StuckRow {
  work: string;
  workspaceId: string;
  id: string;
  code: string;
  times: number;
  since: Date;
}

/** Everything of the answer; times are still times. */
export interface OverdueAnswer {
  kinds: Overdue[];
  stuckRows: StuckRow[];
  suspendedWebhooks: SuspendedWebhook[];
}

const stuck = `
  select work, tenant_id as "workspaceId", row_id as "id", code, times, since
  from habeas.stuck_rows order by since, row_id limit 100`;

const suspended = `
  select id, tenant_id as "workspaceId", disabled_at as "disabledAt", disabled_because as "because"
  from habeas.webhooks where disabled_at is not null order by disabled_at desc, id limit 100`;

/** How far behind the service is, for staff; looking is an event in the host's own log, like any look at the desk. */
@Injectable()
export class OverdueWork {
  constructor(
    private readonly database: Database,
    private readonly audit: AuditLog,
    private readonly watch: OverdueWatch,
  ) {}

  /** @param mayList false: dates only, no single matter */
  async look(tenancy: Tenancy, mayList: boolean): Promise<OverdueAnswer> {
    await this.database.within({ ...tenancy, tenant: HOST_TENANT }, (tx) =>
      this.audit.record(tx, 'desk.viewed', { metadata: { show: 'overdue-work' } }),
    );
    const kinds = await this.watch.look();
    if (!mayList) return { kinds, stuckRows: [], suspendedWebhooks: [] };
    return this.database.asDesk(async (tx) => ({
      kinds,
      stuckRows: await tx.query<StuckRow>(stuck),
      suspendedWebhooks: await tx.query<SuspendedWebhook>(suspended),
    }));
  }
}

import { Injectable } from '@nestjs/common';
import { AuditLog } from '../audit/events.js';
import { Database } from '../database/database.js';
import { HOST_TENANT, type Tenancy } from '../database/tenancy.js';
import { type Overdue, OverdueWatch } from '../jobs/overdue.js';

interface SuspendedWebhook {
  id: string;
  workspaceId: string;
  disabledAt: Date;
  because: string;
}

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

  async look(tenancy: Tenancy): Promise<{ kinds: Overdue[]; suspendedWebhooks: SuspendedWebhook[] }> {
    await this.database.within({ ...tenancy, tenant: HOST_TENANT }, (tx) =>
      this.audit.record(tx, 'desk.viewed', { metadata: { show: 'overdue-work' } }),
    );
    const suspendedWebhooks = await this.database.asDesk((tx) => tx.query<SuspendedWebhook>(suspended));
    return { kinds: await this.watch.look(), suspendedWebhooks };
  }
}

import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/events.js';
import { Clock } from '../../clock.js';
import { systemTenancy } from '../../database/tenancy.js';
import { Database } from '../../database/database.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { Certificates } from '../../deletion/certificate/certificates.js';

const nextOf = `
  select erasure_id as id from habeas.tombstones where tenant_id = $1 and swept_at is null limit 1`;

const sweep = `
  update habeas.tombstones set swept_at = $3, failure = null, key = to_jsonb(id)
  where tenant_id = $1 and erasure_id = $2 and swept_at is null returning 1`;

/** Tombstones of people erased earlier: their rows went with the workspace, so their certificates are final now. */
@Injectable()
export class PurgedTombstones {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly audit: AuditLog,
    private readonly certificates: Certificates,
  ) {}

  /** Safe to repeat: each erasure's tombstones close in one transaction. */
  async close(tenant: string): Promise<void> {
    const tenancy = systemTenancy(tenant, 'workspace-purge');
    while (await this.database.within(tenancy, (tx) => this.closeNext(tx)));
  }

  private async closeNext(tx: UnitOfWork): Promise<boolean> {
    const next = await tx.one<{ id: string }>(nextOf, [tx.tenant]);
    if (!next) return false;
    const now = this.clock.now();
    const rows = (await tx.query(sweep, [tx.tenant, next.id, now])).length;
    await this.audit.record(tx, 'tombstones.swept', {
      targets: [{ type: 'erasure', id: next.id }],
      metadata: { rows },
    });
    await this.certificates.finish(tx, next.id, now);
    return true;
  }
}

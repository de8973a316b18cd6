import { type Clock } from '../../clock.js';
import { systemTenancy } from '../../database/tenancy.js';
import { type Database } from '../../database/database.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { type ErasureFiles } from '../files/erasure-files.js';

// A tenant's retention is one erasure that never ends: its files are noted and removed as any other's. Its job is the
// tenant itself, which is no request's id.
const ensure = `
  insert into habeas.erasures (tenant_id, job_id, scope, map_hash, created_at) values ($1, $1, 'workspace', 'retention', $2)
  on conflict (tenant_id, job_id) do update set map_hash = excluded.map_hash returning id`;

const ensureStep = `
  insert into habeas.erasure_steps (tenant_id, erasure_id, ordinal, collection, controller, rule, rows, files)
  values ($1, $2, 1, 'retention', 'workspace', 'delete', 0, 0) on conflict do nothing`;

const find = 'select id from habeas.erasures where tenant_id = $1 and job_id = $1';

/** Files of rows whose time was over. */
export class RetentionFiles {
  constructor(
    private readonly database: Database,
    private readonly files: ErasureFiles,
    private readonly clock: Clock,
  ) {}

  /** In the transaction that takes their rows. */
  async note(tx: UnitOfWork, files: readonly [string, string][]): Promise<void> {
    if (files.length === 0) return;
    const row = await tx.one<{ id: string }>(ensure, [tx.tenant, this.clock.now()]);
    if (!row) throw new Error('the retention of a tenant has no place for its files');
    await tx.query(ensureStep, [tx.tenant, row.id]);
    await this.files.note(tx, row.id, 1, files);
  }

  /** Removes what was noted, now or in an earlier run. @throws DomainError `erasure.files_left`, to be tried again */
  async remove(tenant: string): Promise<void> {
    const tenancy = systemTenancy(tenant, 'retention');
    const row = await this.database.within(tenancy, (tx) => tx.one<{ id: string }>(find, [tenant]));
    if (row) await this.files.remove(tenancy, row.id);
  }
}

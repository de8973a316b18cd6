import { Logger } from '@nestjs/common';
import { type AuditLog } from '../../audit/events.js';
import { type Clock } from '../../clock.js';
import { type Database } from '../../database/database.js';
import { HOST_TENANT } from '../../database/tenancy.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { type HostMap } from '../../datamap/host-map.js';
import { type Sweepable, sweepables } from '../../datamap/sweepable.js';
import { type JobRef } from '../../jobs/queue.js';
import { type OpenAccess } from '../open-access.js';
import { RetentionBatches } from './batches.js';
import { RetentionFailures, tellable } from './failures.js';
import { type RetentionFiles } from './files.js';
import { RetentionKept } from './kept.js';
import { type RetentionLog } from './audit-log.js';
import { AUDIT_LOG, RetentionRules } from './rules.js';
import { overNow } from './time.js';

const HOUR = 3_600_000;

const place = 'select host_key as "hostKey", purged_at as "purgedAt" from habeas.workspaces where id = $1';

const lockProgress = 'select progress from habeas.retentions where tenant_id = $1 for update';

const finish = `
  update habeas.retentions set progress = '{}', last_run_at = $2, next_run_at = $3 where tenant_id = $1`;

export interface RetentionRunParts {
  database: Database;
  host: HostMap;
  audit: AuditLog;
  clock: Clock;
  access: OpenAccess;
  files: RetentionFiles;
  log: RetentionLog;
  /** ISO 8601: how long an audit log is kept that nobody has set anything for. */
  logKeep: string;
}

type Progress = { auditLog?: { events: number; upTo: string; keep: string } } & Record<string, number>;

interface Situation {
  /** Host key; absent for the host's own tenant. */
  workspace?: string;
  rules: RetentionRules;
}

/** One tenant's retention, from its collections to its audit log. Killed anywhere, the next run goes on: what is over is a query. */
export class RetentionRun {
  private readonly logger = new Logger('RetentionRun');
  private readonly failures = new RetentionFailures();

  constructor(private readonly parts: RetentionRunParts) {}

  async run({ tenant }: JobRef): Promise<void> {
    const now = this.parts.clock.now();
    const situation = await this.within(tenant, (tx) => this.situation(tx, now));
    if (!situation) return;
    const kept = new RetentionKept(this.parts.host, this.parts.access);
    await this.guarded(tenant, () => this.collections(tenant, situation, kept, now));
    await this.guarded(tenant, () => this.parts.files.remove(tenant));
    const { keep } = situation.rules.ofTarget(AUDIT_LOG, this.parts.logKeep);
    if (keep !== null) await this.guarded(tenant, () => this.parts.log.sweep(tenant, keep, kept, now));
    await this.within(tenant, (tx) => this.finish(tx, situation, now));
  }

  /** Undefined where there is nothing to sweep any more: the workspace has been purged, and its log ends by itself. */
  private async situation(tx: UnitOfWork, now: Date): Promise<Situation | undefined> {
    const rules = await RetentionRules.of(tx, now);
    if (tx.tenant === HOST_TENANT) return { rules };
    const row = await tx.one<{ hostKey: string | null; purgedAt: Date | null }>(place, [tx.tenant]);
    return row?.hostKey != null && row.purgedAt === null ? { rules, workspace: row.hostKey } : undefined;
  }

  private async collections(
    tenant: string,
    { rules, workspace }: Situation,
    kept: RetentionKept,
    now: Date,
  ): Promise<void> {
    const { host, database, files } = this.parts;
    host.assertFits();
    for (const rule of this.sweepablesOf(tenant)) {
      const over = overNow(now, rules.of(rule).keep, rule);
      if (!over) continue;
      const batches = new RetentionBatches(
        { database, host, kept, files, failures: this.failures },
        { tenant, rule, over, now, ...(workspace !== undefined && { workspace }) },
      );
      // One collection that cannot be swept keeps none of the others.
      await this.guarded(tenant, () => batches.run());
    }
  }

  /** A workspace's collections are those that its rows lead to; the rest is the account's. */
  private sweepablesOf(tenant: string): Sweepable[] {
    const ofAccount = tenant === HOST_TENANT;
    return sweepables(this.parts.host.map).filter(
      ({ collection }) => (collection.workspace.length === 0) === ofAccount,
    );
  }

  /** One event for all that was done since the last, also by a run that was killed. */
  private async finish(tx: UnitOfWork, { rules }: Situation, now: Date): Promise<void> {
    const row = await tx.one<{ progress: Progress }>(lockProgress, [tx.tenant]);
    const { auditLog, ...rows } = row?.progress ?? {};
    const counts = Object.entries(rows);
    if (auditLog) await this.parts.audit.record(tx, 'audit_log.shortened', { metadata: auditLog });
    if (counts.length > 0)
      await this.parts.audit.record(tx, 'retention.swept', { metadata: { collections: nested(counts) } });
    await tx.query(finish, [tx.tenant, now, this.nextRun(tx.tenant, rules, now)]);
  }

  private nextRun(tenant: string, rules: RetentionRules, now: Date): Date {
    const busy = rules.any || this.sweepablesOf(tenant).some(({ keep }) => keep !== null);
    // Without a rule only the log grows older, by days.
    const later = now.getTime() + (busy ? HOUR : 24 * HOUR);
    return new Date(Math.min(later, rules.nextChange?.getTime() ?? later));
  }

  private async guarded(tenant: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const { code, message } = tellable(error);
      this.logger.warn({ tenantId: tenant, code, reason: message }, 'not all was swept; it is tried again');
    }
  }

  private within<T>(tenant: string, work: (tx: UnitOfWork) => Promise<T>): Promise<T> {
    return this.parts.database.asJob(tenant, 'retention', work);
  }
}

function nested(counts: readonly [string, number][]): Record<string, Record<string, number>> {
  const all: Record<string, Record<string, number>> = {};
  for (const [name, n] of counts) {
    const dot = name.lastIndexOf('.');
    (all[name.slice(0, dot)] ??= {})[name.slice(dot + 1)] = n;
  }
  return all;
}

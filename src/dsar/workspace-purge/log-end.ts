import { Injectable } from '@nestjs/common';
import { DateTime, Duration } from 'luxon';
import { Clock } from '../../clock.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { LOG_FLOOR } from '../../deletion/retention/time.js';
import { WorkspaceOwnData } from '../../deletion/workspace-own-data.js';

// What was set before still counts: a change that shortens only does so from its time on.
const logKept = `
  select case when pending is not null and effective_at <= $2 then pending else keep end as keep
  from habeas.retention_rules where tenant_id = $1 and target = 'auditLog'`;

/** A log of a purged workspace is kept so long at the least. */
const floor = Duration.fromISO(LOG_FLOOR);

const after = (from: Date, kept: Duration): DateTime => DateTime.fromJSDate(from, { zone: 'utc' }).plus(kept);

/** When the log of a purged workspace ends, by the workspace's own setting. */
@Injectable()
export class LogEnd {
  constructor(
    private readonly clock: Clock,
    private readonly own: WorkspaceOwnData,
  ) {}

  /** Once: the workspace's setting goes with the rest. @param purgedAt of a purge that is repeated */
  async note(tx: UnitOfWork, purgedAt?: Date): Promise<void> {
    const now = purgedAt ?? this.clock.now();
    const rule = await tx.one<{ keep: string | null }>(logKept, [tx.tenant, now]);
    // Nobody set an end: as long as what proves that requests were answered.
    const keep = rule?.keep == null ? this.own.logKept : Duration.fromISO(rule.keep);
    await tx.query(
      'update habeas.workspace_purges set log_ends_at = coalesce(log_ends_at, $2) where tenant_id = $1',
      [tx.tenant, DateTime.max(after(now, keep), after(now, floor)).toJSDate()],
    );
  }

  /** As noted; the floor counts from the purge's end on. */
  async from(tx: UnitOfWork, purgedAt: Date): Promise<Date> {
    const sql = 'select log_ends_at as "at" from habeas.workspace_purges where tenant_id = $1';
    const noted = (await tx.one<{ at: Date | null }>(sql, [tx.tenant]))?.at;
    const earliest = after(purgedAt, floor).toJSDate();
    return noted && noted > earliest ? noted : earliest;
  }
}

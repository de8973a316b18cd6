import { type AuditLog } from '../../audit/events.js';
import { type Clock } from '../../clock.js';
import { type Database } from '../../database/database.js';
import { type Tenancy } from '../../database/tenancy.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { type HostMap } from '../../datamap/host-map.js';
import { type Collection } from '../../datamap/map.js';
import { sweepable } from '../../datamap/sweepable.js';
import { type NewRetention, type RetentionAnswer } from './retention.schema.js';
import { type FailureSummary, RetentionFailures } from './failures.js';
import { AUDIT_LOG, type RetentionRule, RetentionRules } from './rules.js';
import { assertMayBeSet } from './terms.js';
import { LOG_FLOOR } from './time.js';

interface Row {
  subscriptionEnded: 'delete' | 'keep';
  lastRunAt: Date | null;
  nextRunAt: Date | null;
}

const read = `
  select subscription_ended as "subscriptionEnded", last_run_at as "lastRunAt", next_run_at as "nextRunAt"
  from habeas.retentions where tenant_id = $1`;

const ensure = 'insert into habeas.retentions (tenant_id) values ($1) on conflict do nothing';

const onSubscriptionEnd = 'update habeas.retentions set subscription_ended = $2 where tenant_id = $1';

// A change is looked at as soon as it counts; sooner than it would be anyway, never later.
const lookAt = 'update habeas.retentions set next_run_at = least(next_run_at, $2) where tenant_id = $1';

/** How long a workspace keeps what it decides about: shown, and set. */
export class Retentions {
  private readonly failures = new RetentionFailures();

  constructor(
    private readonly database: Database,
    private readonly host: HostMap,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
    /** ISO 8601: how long an audit log is kept that nobody has set anything for. */
    readonly logKeep: string,
  ) {}

  show(tenancy: Tenancy): Promise<RetentionAnswer> {
    return this.database.within(tenancy, (tx) => this.answer(tx));
  }

  /** Sets what is named; the rest stays. @throws DomainError `retention.below_floor` and the like, with every objection */
  change(tenancy: Tenancy, wanted: NewRetention): Promise<RetentionAnswer> {
    assertMayBeSet(this.host.current(), wanted);
    return this.database.within(tenancy, async (tx) => {
      await tx.query(ensure, [tx.tenant]);
      // Two changes at once follow each other, each against what the other left.
      const row = await tx.one<Row>(`${read} for update`, [tx.tenant]);
      const rules = await RetentionRules.of(tx, this.clock.now());
      for (const [name, { keep }] of Object.entries(wanted.collections ?? {})) {
        const rule = sweepable(this.host.map.collections[name] as Collection);
        if (rule) await this.changeOne(tx, rules, rules.of(rule), keep);
      }
      if (wanted.auditLog !== undefined)
        await this.changeOne(tx, rules, rules.ofTarget(AUDIT_LOG, this.logKeep), wanted.auditLog);
      await this.onSubscriptionEnd(tx, row?.subscriptionEnded ?? 'keep', wanted.subscriptionEnded);
      return this.answer(tx);
    });
  }

  private async changeOne(
    tx: UnitOfWork,
    rules: RetentionRules,
    was: RetentionRule,
    keep: string | null,
  ): Promise<void> {
    const is = await rules.change(tx, was, keep);
    if (!is) return;
    await tx.query(lookAt, [tx.tenant, is.pending?.effectiveAt ?? this.clock.now()]);
    await this.audit.record(tx, 'retention.changed', {
      targets: [{ type: 'retention', id: was.target }],
      metadata: { from: told(was), to: told(is) },
    });
  }

  private async onSubscriptionEnd(
    tx: UnitOfWork,
    from: 'delete' | 'keep',
    to: 'delete' | 'keep' | undefined,
  ): Promise<void> {
    if (to === undefined || to === from) return;
    await tx.query(onSubscriptionEnd, [tx.tenant, to]);
    await this.audit.record(tx, 'retention.changed', {
      targets: [{ type: 'retention', id: 'subscriptionEnded' }],
      metadata: { from, to },
    });
  }

  private async answer(tx: UnitOfWork): Promise<RetentionAnswer> {
    const rules = await RetentionRules.of(tx, this.clock.now());
    const failing = await this.failures.summaries(tx);
    const row = await tx.one<Row>(read, [tx.tenant]);
    const collections = Object.values(this.host.map.collections).filter(
      ({ builtIn, workspace }) => !builtIn && workspace.length > 0,
    );
    const { keep, source, pending } = rules.ofTarget(AUDIT_LOG, this.logKeep);
    return {
      collections: collections.map((one) => ofCollection(one, rules, failing.get(one.name))),
      auditLog: {
        keep: keep ?? this.logKeep,
        source,
        pending: shownPending(pending),
        default: this.logKeep,
        floor: { atLeast: LOG_FLOOR, ground: 'What happened has to stay open to question for a while.' },
      },
      subscriptionEnded: row?.subscriptionEnded ?? 'keep',
      lastSweepAt: row?.lastRunAt?.toISOString() ?? null,
      nextSweepAt: row?.nextRunAt?.toISOString() ?? null,
    };
  }
}

function ofCollection(
  collection: Collection,
  rules: RetentionRules,
  failing: FailureSummary | undefined,
): RetentionAnswer['collections'][number] {
  const { name, workspaceTitle: title, retention } = collection;
  const rule = sweepable(collection);
  const note = typeof retention === 'string' ? retention : (retention.note ?? null);
  const head = { collection: name, title, note };
  if (!rule)
    return { ...head, keep: null, source: 'default', after: null, pending: null, default: null, floor: null,
      adjustable: false, failing: null }; // prettier-ignore
  const { keep, source, pending } = rules.of(rule);
  return {
    ...head,
    keep,
    source,
    after: rule.after,
    pending: shownPending(pending),
    default: rule.keep,
    floor: rule.floor ?? null,
    adjustable: rule.adjustable,
    failing: failing
      ? { rows: failing.rows, reasons: failing.reasons, nextAttemptAt: failing.nextAttemptAt.toISOString() }
      : null,
  };
}

const shownPending = (pending: RetentionRule['pending']) =>
  pending && { keep: pending.keep, effectiveAt: pending.effectiveAt.toISOString() };

/** As the log tells it. */
const told = ({ keep, pending }: RetentionRule) => ({
  keep,
  ...(pending && { pending: pending.keep, effectiveAt: pending.effectiveAt.toISOString() }),
});

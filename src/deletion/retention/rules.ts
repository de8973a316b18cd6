/** What a workspace has set, and from when it counts. Every call is in the tenant of `tx`. */
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { type Sweepable } from '../../datamap/sweepable.js';
import { type Keep, shortens } from './time.js';

/** The audit log's place among the collections, whose names are lower-case. */
export const AUDIT_LOG = 'auditLog';

const DAY = 24 * 3_600_000;

/** One collection's, or the log's, at one moment. */
export interface RetentionRule {
  target: string;
  keep: Keep;
  /** Whether the workspace has set it, or the default is in force. */
  source: 'workspace' | 'default';
  pending: { keep: string; effectiveAt: Date } | null;
}

interface Row {
  target: string;
  isSet: boolean;
  keep: Keep;
  pending: string | null;
  effectiveAt: Date | null;
}

const read = `
  select target, is_set as "isSet", keep, pending, effective_at as "effectiveAt"
  from habeas.retention_rules where tenant_id = $1`;

const write = `
  insert into habeas.retention_rules (tenant_id, target, is_set, keep, pending, effective_at) values ($1, $2, $3, $4, $5, $6)
  on conflict (tenant_id, target) do update
  set is_set = excluded.is_set, keep = excluded.keep, pending = excluded.pending, effective_at = excluded.effective_at`;

const remove = 'delete from habeas.retention_rules where tenant_id = $1 and target = $2';

export class RetentionRules {
  private constructor(
    private readonly rows: Map<string, Row>,
    private readonly now: Date,
  ) {}

  static async of(tx: UnitOfWork, now: Date): Promise<RetentionRules> {
    const rows = await tx.query<Row>(read, [tx.tenant]);
    return new RetentionRules(new Map(rows.map((row) => [row.target, row])), now);
  }

  /** Whether the workspace has set anything. */
  get any(): boolean {
    return this.rows.size > 0;
  }

  /** When the next pending change comes into force. */
  get nextChange(): Date | undefined {
    const coming = [...this.rows.values()].flatMap(({ effectiveAt }) =>
      effectiveAt && effectiveAt > this.now ? effectiveAt.getTime() : [],
    );
    return coming.length === 0 ? undefined : new Date(Math.min(...coming));
  }

  /** Of a collection that can be swept, at this moment. What may not be adjusted is the map's, whatever was set before. */
  of({ collection, keep, adjustable }: Sweepable): RetentionRule {
    return adjustable
      ? this.ofTarget(collection.name, keep)
      : { target: collection.name, keep, source: 'default', pending: null };
  }

  ofTarget(target: string, byDefault: Keep): RetentionRule {
    const row = this.rows.get(target);
    if (!row) return { target, keep: byDefault, source: 'default', pending: null };
    const { isSet, keep, pending, effectiveAt } = row;
    // Due is a query: from its moment on the pending one is in force.
    if (pending !== null && effectiveAt !== null && effectiveAt <= this.now)
      return { target, keep: pending, source: 'workspace', pending: null };
    return {
      target,
      keep: isSet ? keep : byDefault,
      source: isSet ? 'workspace' : 'default',
      pending: pending !== null && effectiveAt !== null ? { keep: pending, effectiveAt } : null,
    };
  }

  /** Writes what follows from wanting `keep`. @returns the rule as it is then; undefined where nothing changes */
  async change(tx: UnitOfWork, rule: RetentionRule, keep: Keep): Promise<RetentionRule | undefined> {
    const changed = changedRule(rule, keep, this.now);
    if (changed === undefined) return undefined;
    const { target, source, pending } = changed;
    const isSet = source === 'workspace';
    if (!isSet && pending === null) await tx.query(remove, [tx.tenant, target]);
    else {
      const inForce = isSet ? changed.keep : null;
      await tx.query(write, [
        tx.tenant, target, isSet, inForce, pending?.keep ?? null, pending?.effectiveAt ?? null,
      ]); // prettier-ignore
    }
    return changed;
  }
}

/** What shortens waits a day; what lengthens counts at once, and takes back a shortening that waits. */
export function changedRule(rule: RetentionRule, keep: Keep, now: Date): RetentionRule | undefined {
  if (keep === rule.keep) return rule.pending ? { ...rule, pending: null } : undefined;
  if (keep !== null && keep === rule.pending?.keep) return undefined;
  if (keep !== null && shortens(rule.keep, keep))
    return { ...rule, pending: { keep, effectiveAt: new Date(now.getTime() + DAY) } };
  return { ...rule, keep, source: 'workspace', pending: null };
}

/** Rows that could not go, told apart by digests of their keys. Every call is in the tenant of `tx`. */
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { DomainError } from '../../errors.js';

/** Stands for a collection as a whole. */
export const WHOLE = Buffer.alloc(0);

export interface FailureSummary {
  collection: string;
  rows: number;
  reasons: string[];
  nextAttemptAt: Date;
}

const HOUR = 3_600_000;

const record = `
  insert into habeas.retention_failures (tenant_id, collection, row_digest, code, reason, first_at, next_attempt_at)
  values ($1, $2, $3, $4, $5, $6, $7)
  on conflict (tenant_id, collection, row_digest) do update
  set code = excluded.code, reason = excluded.reason, attempts = retention_failures.attempts + 1,
      -- 1 hour, 2, 4, … 2 days at the most.
      next_attempt_at = $6 + interval '1 hour' * least(2 ^ retention_failures.attempts, 48)`;

const waiting = `
  select row_digest as digest from habeas.retention_failures
  where tenant_id = $1 and collection = $2 and next_attempt_at > $3`;

// What was due for another try and has not failed again is gone, or is not over any more.
const forget = `
  delete from habeas.retention_failures where tenant_id = $1 and collection = $2 and next_attempt_at <= $3`;

const summary = `
  select collection, count(*)::float8 as rows, array_agg(distinct reason order by reason) as reasons,
         min(next_attempt_at) as "nextAttemptAt"
  from habeas.retention_failures where tenant_id = $1 group by collection`;

export class RetentionFailures {
  async record(
    tx: UnitOfWork,
    collection: string,
    digest: Buffer,
    { code, message }: DomainError,
    now: Date,
  ): Promise<void> {
    const next = new Date(now.getTime() + HOUR);
    await tx.query(record, [tx.tenant, collection, digest, code, message, now, next]);
  }

  /** Digests of rows that are not to be tried yet. */
  async waiting(tx: UnitOfWork, collection: string, now: Date): Promise<Buffer[]> {
    const rows = await tx.query<{ digest: Buffer }>(waiting, [tx.tenant, collection, now]);
    return rows.map(({ digest }) => digest);
  }

  async forget(tx: UnitOfWork, collection: string, now: Date): Promise<void> {
    await tx.query(forget, [tx.tenant, collection, now]);
  }

  async summaries(tx: UnitOfWork): Promise<Map<string, FailureSummary>> {
    const rows = await tx.query<FailureSummary>(summary, [tx.tenant]);
    return new Map(rows.map((row) => [row.collection, row]));
  }
}

/** The error as it may be told: ours in our words, Postgres's by its code. */
export const tellable = (error: unknown): DomainError => {
  if (error instanceof DomainError) return error;
  const { code } = error as { code?: unknown };
  const shown = typeof code === 'string' && /^[A-Z0-9_]{2,40}$/.test(code) ? code : 'unexpected';
  return new DomainError('retention.failed', `It failed (${shown}); the service's log has more.`);
};

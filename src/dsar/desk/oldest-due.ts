import { type SqlRunner } from '../../database/unit-of-work.js';
import { type OldestDue, type OverdueWatch } from '../../jobs/overdue.js';

/** Past its statutory date and not answered; a clock that stands does not run out. */
const request = `
  select min((r.due_on + 1)::timestamp at time zone r.zone) as "due" from habeas.requests r
  where r.closed_at is null and r.due_on <= ($1::timestamptz at time zone 'UTC')::date + 1
    and (r.due_on + 1)::timestamp at time zone r.zone <= $1
    and not exists (select from habeas.request_pauses p where p.request_id = r.id and p.ended_at is null)`;

/**
 * Could be worked at: proven, decided, its delay over. One that failed counts, and a deletion that something stands in
 * the way of: who looks after it should know. A workspace's has a kind of its own.
 */
const fulfilment = `
  select min(greatest(r.identity_proven_at, r.run_after, parts.decided_at)) as "due"
  from habeas.requests r
  cross join lateral (
    select max(p.decided_at) as decided_at, bool_or(p.policy = 'approve' and p.decision is null) as undecided
    from habeas.request_parts p where p.request_id = r.id) parts
  where r.closed_at is null and r.identity_proven_at is not null and (r.kind = 'access' or r.scope <> 'workspace')
    and coalesce(r.run_after, $1) <= $1 and not coalesce(parts.undecided, false)`;

/**
 * Since when a try that could be made has not been. How long somebody's mailbox defers a letter is not our being late; that
 * our own mail server is out of reach, or that we cannot write the letter, is: that counts from when it was written.
 */
export const oldestMail = /* the head of an index each; least() leaves nulls out */ `
  select least(
    (select min(next_attempt_at) from habeas.outbox where status = 'pending' and next_attempt_at <= $1),
    (select min(created_at) from habeas.outbox
      where status = 'pending' and failure <> 'mail.deferred' and created_at <= $1)) as "due"`;

/** Past its end, its object not yet removed; one that never was ready is waited for, a day long (ExpirySweep). */
const expiredPackage = `
  select min(case when was_ready then expires_at else expires_at + interval '24 hours' end) as "due"
  from habeas.packages where removed_at is null and status <> 'building' and expires_at <= $1`;

const tombstones = `select min(due_at) as "due" from habeas.tombstones where swept_at is null and due_at <= $1`;
const waits = `in ('tombstone.held', 'tombstone.in_use')`;
const tombstone = `${tombstones} and (failure is null or failure not ${waits})`;
/** Kept by a hold or by somebody else's row, emptied as it is: nobody is late, and somebody may want to look. */
const waitingTombstone = `${tombstones} and failure ${waits}`;

const oldestOf =
  (sql: string): OldestDue =>
  async (tx: SqlRunner, now: Date) =>
    (await tx.query<{ due: Date | null }>(sql, [now]))[0]?.due ?? null;

/** What is watched of requests, mails, packages and tombstones; other kinds are registered where they are worked at. */
export function watchOldestDue(watch: OverdueWatch): void {
  const kinds = {
    ...{ request, fulfilment, outbox: oldestMail, 'expired-package': expiredPackage },
    ...{ tombstone, 'waiting-tombstone': waitingTombstone },
  };
  for (const [kind, sql] of Object.entries(kinds)) watch.register(kind, oldestOf(sql));
}

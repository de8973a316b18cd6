import { v7 as uuidv7 } from 'uuid';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { commit } from './disclosures.js';

/** An event as its row holds it: people are pseudonyms, and nothing else is personal. */
export interface EventRow {
  /** Absent: now. */
  occurredAt?: Date;
  action: string;
  outcome?: 'success' | 'failure' | 'denied';
  actor: { type: string; id: string };
  targets?: readonly { type: string; id: string }[];
  subjects?: readonly string[];
  context?: Record<string, unknown>;
  metadata?: Record<string, unknown>;
}

/** A personal value of an event, and the pseudonym of whose it is. */
export interface EventDisclosure {
  path: string;
  value: unknown;
  subject?: string;
}

/** Writes an event and its disclosures into the log of the tenant that `tx` is in. @returns its id, a uuid version 7 */
export async function writeEvent(
  tx: UnitOfWork,
  event: EventRow,
  disclosures: readonly EventDisclosure[],
): Promise<string> {
  const { occurredAt, action, outcome = 'success', actor, targets = [], subjects = [] } = event;
  const committed = disclosures.map(({ path, value, subject }) => ({ ...commit(path, value), subject }));
  // The id tells the time, so that the log is in the order of what happened.
  const id = occurredAt ? uuidv7({ msecs: occurredAt.getTime() }) : uuidv7();
  await tx.query(insertEvent, [
    tx.tenant,
    id,
    occurredAt ?? null,
    action,
    outcome,
    actor.type,
    actor.id,
    JSON.stringify(targets),
    [...new Set(subjects)],
    JSON.stringify(event.context ?? {}),
    JSON.stringify(event.metadata ?? {}),
    JSON.stringify(Object.fromEntries(committed.map(({ path, digest }) => [path, digest]))),
  ]);
  for (const { path, value, salt, subject } of committed)
    await tx.query(insertDisclosure, [tx.tenant, id, subject ?? null, path, salt, JSON.stringify(value)]);
  return id;
}

const insertEvent = `
  insert into habeas.events (tenant_id, id, occurred_at, action, outcome, actor_type, actor_id, targets, subjects,
                             context, metadata, commitments)
  values ($1, $2, coalesce($3, clock_timestamp()), $4, $5, $6, $7, $8, $9, $10, $11, $12)`;

const insertDisclosure = `
  insert into habeas.event_disclosures (tenant_id, event_id, subject, path, salt, value) values ($1, $2, $3, $4, $5, $6)`;

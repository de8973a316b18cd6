import { createHash, randomBytes } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { type Actor, type SubjectRef } from '../database/tenancy.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { Pseudonyms } from './pseudonyms.js';

export interface Target {
  type: string;
  id: string;
}

/** A personal value of an event: where in the event it belongs, and whose it is. */
export interface Disclosure {
  path: string;
  value: unknown;
  subject?: SubjectRef;
}

export interface EventDetails {
  outcome?: 'success' | 'failure' | 'denied';
  targets?: Target[];
  /** Everybody the event is about, besides its actor. */
  subjects?: SubjectRef[];
  /** Nothing personal: what is goes into disclosures. */
  metadata?: Record<string, unknown>;
  disclosures?: Disclosure[];
  occurredAt?: Date;
}

/** `noun.verb_past`, e.g. `request.filed`. */
export type Action = `${string}.${string}`;

/** The audit log's one door: an event is written in the transaction of the change it tells of (invariant 2). */
export class AuditLog {
  private readonly pseudonyms = new Pseudonyms();

  /**
   * Writes one event into the log of the tenant that `tx` is in right now.
   * @returns the event's id (uuid version 7)
   */
  async record(tx: UnitOfWork, action: Action, details: EventDetails = {}): Promise<string> {
    const { actor, context } = tx.tenancy;
    const actorId = 'subject' in actor ? await this.pseudonyms.of(tx, actor.subject) : actor.id;
    const subjects = new Set<string>('subject' in actor ? [actorId] : []);
    for (const subject of details.subjects ?? []) subjects.add(await this.pseudonyms.of(tx, subject));

    const disclosures = [...contextDisclosures(actor, context), ...(details.disclosures ?? [])].map(commit);
    const id = uuidv7();
    await tx.query(insertEvent, [
      tx.tenant,
      id,
      details.occurredAt ?? null,
      action,
      details.outcome ?? 'success',
      actor.type,
      actorId,
      JSON.stringify(details.targets ?? []),
      [...subjects],
      JSON.stringify(context?.requestId ? { requestId: context.requestId } : {}),
      JSON.stringify(details.metadata ?? {}),
      JSON.stringify(Object.fromEntries(disclosures.map(({ path, digest }) => [path, digest]))),
    ]);
    for (const { path, value, salt, subject } of disclosures) {
      const owner = subject && (await this.pseudonyms.of(tx, subject));
      await tx.query(insertDisclosure, [tx.tenant, id, owner ?? null, path, salt, JSON.stringify(value)]);
    }
    return id;
  }
}

const insertEvent = `
  insert into habeas.events (tenant_id, id, occurred_at, action, outcome, actor_type, actor_id, targets, subjects,
                             context, metadata, commitments)
  values ($1, $2, coalesce($3, clock_timestamp()), $4, $5, $6, $7, $8, $9, $10, $11, $12)`;

const insertDisclosure = `
  insert into habeas.event_disclosures (tenant_id, event_id, subject, path, salt, value) values ($1, $2, $3, $4, $5, $6)`;

function contextDisclosures(actor: Actor, context: { ip?: string; userAgent?: string } = {}): Disclosure[] {
  const subject = 'subject' in actor ? actor.subject : undefined;
  const known: [string, unknown][] = [
    ['actor.name', 'name' in actor ? actor.name : undefined],
    ['context.ip', context.ip],
    ['context.userAgent', context.userAgent],
  ];
  return known.filter(([, value]) => value !== undefined).map(([path, value]) => ({ path, value, subject }));
}

const commit = (disclosure: Disclosure) => {
  const salt = randomBytes(16);
  return { ...disclosure, salt, digest: commitment(disclosure.path, disclosure.value, salt) };
};

/**
 * Commitment to a disclosed value: sha256 in hex over salt ‖ UTF-8 of the JSON array [path, value], in which the
 * keys of objects are sorted, because jsonb does not keep their order. Whoever has
 * the disclosure can check it against the event; whoever has not learns nothing, and nothing is left to guess
 * once the salt is gone.
 */
export const commitment = (path: string, value: unknown, salt: Buffer): string =>
  createHash('sha256')
    .update(salt)
    .update(JSON.stringify([path, value], sortKeys), 'utf8')
    .digest('hex');

const sortKeys = (_key: string, value: unknown): unknown =>
  value !== null && typeof value === 'object' && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;

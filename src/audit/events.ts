import { type Actor, type SubjectRef } from '../database/tenancy.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { type EventRow, writeEvent } from './event-row.js';
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

/** What listeners learn of an event: nothing personal. */
export type RecordedEvent = { id: string; action: Action } & Pick<EventDetails, 'targets' | 'metadata'>;
type RecordedListener = (tx: UnitOfWork, event: RecordedEvent) => Promise<void>;

/** The audit log's one door: an event is written in the transaction of the change it tells of (invariant 2). */
export class AuditLog {
  private readonly pseudonyms = new Pseudonyms();
  private readonly listeners: RecordedListener[] = [];

  /** Who wants to know of every event, in its transaction and tenant. */
  onRecorded(listener: RecordedListener): void {
    this.listeners.push(listener);
  }

  /**
   * Writes one event into the log of the tenant that `tx` is in right now.
   * @returns the event's id (uuid version 7)
   */
  async record(tx: UnitOfWork, action: Action, details: EventDetails = {}): Promise<string> {
    const { actor, context } = tx.tenancy;
    const own = 'subject' in actor ? [actor.subject] : [];
    // Told to another tenant than the one called in, e.g. that of one part of a request: that somebody did it is its
    // business; the name, address and machine of who asked the host are not.
    const here = tx.tenant === tx.tenancy.tenant;
    const disclosures = [...(here ? contextDisclosures(actor, context) : []), ...(details.disclosures ?? [])];
    const owners = disclosures.flatMap(({ subject }) => subject ?? []);
    const concerned = [...own, ...(details.subjects ?? [])];
    const pseudonym = await this.pseudonyms.ofAll(tx, [...concerned, ...owners]);

    const event: EventRow = {
      occurredAt: details.occurredAt,
      action,
      outcome: details.outcome,
      actor: { type: actor.type, id: 'subject' in actor ? pseudonym(actor.subject) : actor.id },
      targets: details.targets,
      subjects: concerned.map(pseudonym),
      context: context?.requestId ? { requestId: context.requestId } : {},
      metadata: details.metadata,
    };
    const id = await writeEvent(
      tx,
      event,
      disclosures.map(({ subject, ...rest }) => ({ ...rest, subject: subject && pseudonym(subject) })),
    );
    const { targets, metadata } = details;
    for (const listener of this.listeners) await listener(tx, { id, action, targets, metadata });
    return id;
  }
}

function contextDisclosures(actor: Actor, context: { ip?: string; userAgent?: string } = {}): Disclosure[] {
  const subject = 'subject' in actor ? actor.subject : undefined;
  const known: [string, unknown][] = [
    ['actor.name', 'name' in actor ? actor.name : undefined],
    ['context.ip', context.ip],
    ['context.userAgent', context.userAgent],
  ];
  return known.filter(([, value]) => value !== undefined).map(([path, value]) => ({ path, value, subject }));
}

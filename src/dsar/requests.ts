import { Injectable } from '@nestjs/common';
import { type Action, AuditLog, type EventDetails } from '../audit/events.js';
import { Clock } from '../clock.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { DomainError, notFound } from '../errors.js';
import { type Part, Parts, takesPart } from './parts.js';
import { type Request, requestColumns, type RequestSubject } from './request.js';
import { assertLeads, assertOpen, isOpen, type Outcome, type RequestStatus } from './request-lifecycle.js';
import { closeMatter } from './filing/open-matters.js';

/** What filing knows; the rest is worked out later. */
export type NewRequest = Pick<
  Request,
  | 'tenant'
  | 'kind'
  | 'scope'
  | 'channel'
  | 'jurisdiction'
  | 'law'
  | 'zone'
  | 'clock'
  | 'receivedAt'
  | 'dueOn'
  | 'acknowledgeBy'
  | 'identityMethod'
  | 'language'
  | 'mailSealed'
  | 'detailsSealed'
  | 'coolingOff'
  | 'waivesAccessLock'
> & { mailDigest: Buffer | null; filedBy: string };

interface Change extends EventDetails {
  action: Action;
  outcomeOfRequest?: Outcome;
  failure?: Request['failure'];
  /** How often it has been tried, and when to try again. */
  attempts?: number;
  nextAttemptAt?: Date | null;
}

const insert = `
  insert into habeas.requests (tenant_id, kind, scope, status, channel, jurisdiction, law, zone, clock, received_at, filed_at,
                               due_on, original_due_on, acknowledge_by, identity_method, identity_proven_at, language,
                               mail_sealed, details_sealed, mail_digest, filed_by, cooling_off, waives_access_lock)
  values ($1, $2, $3, 'received', $4, $5, $6, $7, $8, $9, $10, $11, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
  returning ${requestColumns}`;

const update = `
  update habeas.requests
  set status = $2, outcome = $3, failure = $4, attempts = $5, next_attempt_at = $6, closed_at = $7, updated_at = $8
  where id = $1`;

/** The only writer of a request's status (invariant 3): every change goes through the transition table, with its event. */
@Injectable()
export class Requests {
  constructor(
    private readonly audit: AuditLog,
    private readonly parts: Parts,
    private readonly clock: Clock,
  ) {}

  /** Writes a new request, `received`, into the tenant that `tx` is in. */
  async open(tx: UnitOfWork, fields: NewRequest): Promise<Request> {
    const now = this.clock.now();
    const values = [
      fields.tenant, fields.kind, fields.scope, fields.channel, fields.jurisdiction, fields.law, fields.zone,
      JSON.stringify(fields.clock), fields.receivedAt, now, fields.dueOn, fields.acknowledgeBy, fields.identityMethod,
      fields.identityMethod && now, fields.language, fields.mailSealed, fields.detailsSealed, fields.mailDigest, fields.filedBy,
      fields.coolingOff, fields.waivesAccessLock,
    ]; // prettier-ignore
    return (await tx.one<Request>(insert, values)) as Request;
  }

  /** The request as it is, in the tenant of `tx`. @throws DomainError `request.not_found` */
  async find(tx: UnitOfWork, id: string): Promise<Request> {
    const found = await tx.one<Request>(`select ${requestColumns} from habeas.requests where id = $1`, [id]);
    if (!found) throw notFound('request');
    return found;
  }

  /** The request, locked until the transaction ends. @throws DomainError `request.not_found` */
  async lock(tx: UnitOfWork, id: string): Promise<Request> {
    const found = await tx.one<Request>(
      `select ${requestColumns} from habeas.requests where id = $1 for update`,
      [id],
    );
    if (!found) throw notFound('request');
    return found;
  }

  /** As `lock`, for what is done only before the end. @throws DomainError `request.not_found`, `request.closed` */
  async lockOpen(tx: UnitOfWork, id: string): Promise<Request> {
    const request = await this.lock(tx, id);
    assertOpen(request.status);
    return request;
  }

  subjects(tx: UnitOfWork, id: string): Promise<RequestSubject[]> {
    return tx.query<RequestSubject>(
      'select kind, key, via from habeas.request_subjects where request_id = $1 order by kind, key',
      [id],
    );
  }

  /**
   * Moves a locked request on, tells its log and, as far as they may know, the logs of its parts.
   * @throws DomainError `request.closed`, `request.wrong_status`
   */
  async move(tx: UnitOfWork, request: Request, to: RequestStatus, change: Change): Promise<Request> {
    assertLeads(request.status, to);
    if (request.kind === 'deletion' && (to === 'withdrawn' || to === 'refused'))
      await this.giveUpErasure(tx, request);
    const moved = await this.write(tx, { ...request, status: to }, change);
    if (!isOpen(to)) await closeMatter(tx, request.id);
    return moved;
  }

  /** Notes how a run that goes on is doing: the status stays, so the table has no say. */
  async reschedule(tx: UnitOfWork, request: Request, change: Change): Promise<Request> {
    return this.write(tx, request, change);
  }

  /** Looks again later at what was told before: the same once more is no news. */
  async postpone(tx: UnitOfWork, { id }: Request, nextAttemptAt: Date): Promise<void> {
    await tx.query('update habeas.requests set next_attempt_at = $2, updated_at = $3 where id = $1', [
      id,
      nextAttemptAt,
      this.clock.now(),
    ]);
  }

  /** Opens parts, each in its own tenant, whose log begins with the filing as it concerns that tenant. */
  async openParts(
    tx: UnitOfWork,
    request: Request,
    places: readonly Pick<Part, 'tenant' | 'hostKey' | 'policy'>[],
  ): Promise<void> {
    const subjects = await this.named(tx, request.id);
    for (const place of places)
      await tx.inTenant(place.tenant, async () => {
        await this.parts.add(tx, request, place);
        if (place.tenant !== request.tenant) await this.tellHere(tx, request, 'request.filed', subjects);
      });
  }

  /** Writes an event about the request into the log of the tenant that `tx` is in. */
  async tell(tx: UnitOfWork, request: Request, action: Action, details: EventDetails = {}): Promise<void> {
    const subjects = await this.named(tx, request.id);
    await this.audit.record(tx, action, {
      ...details,
      targets: [{ type: 'request', id: request.id }, ...(details.targets ?? [])],
      subjects: [...subjects, ...(details.subjects ?? [])],
    });
  }

  /** Whom events name: nobody any more once the erasure has made the log forget them. */
  private async named(tx: UnitOfWork, id: string): Promise<RequestSubject[]> {
    const forgotten = 'select 1 from habeas.erasures where job_id = $1 and forgotten_at is not null';
    return (await tx.one(forgotten, [id])) ? [] : this.subjects(tx, id);
  }

  /** Under the request's lock, which every batch of an erasure takes as well. @throws DomainError `request.irreversible` */
  private async giveUpErasure(tx: UnitOfWork, { id }: Request): Promise<void> {
    const begun = 'select 1 from habeas.erasures where job_id = $1 and irreversible_at is not null';
    if (await tx.one(begun, [id]))
      throw new DomainError(
        'request.irreversible',
        'The deletion has begun, and what is deleted cannot be brought back.',
      );
    const forget =
      'update habeas.erasures set job_sealed = null, wiped_at = $2 where job_id = $1 and job_sealed is not null';
    await tx.query(forget, [id, this.clock.now()]);
    await tx.query(forgetRows, [id]);
    // Of a workspace: its owners' addresses and its members, noted before anything went.
    await tx.query('delete from habeas.workspace_purges where request_id = $1', [id]);
  }

  private async write(tx: UnitOfWork, request: Request, change: Change): Promise<Request> {
    const { action, outcomeOfRequest, failure = null, attempts, nextAttemptAt = null, ...details } = change;
    const now = this.clock.now();
    const closed = isOpen(request.status) ? null : now;
    const next = {
      ...request,
      outcome: outcomeOfRequest ?? null,
      failure,
      attempts: attempts ?? request.attempts,
      nextAttemptAt,
      closedAt: closed,
    };
    await tx.query(update, [
      request.id,
      next.status,
      next.outcome,
      failure && JSON.stringify(failure),
      next.attempts,
      nextAttemptAt,
      closed,
      now,
    ]);
    await this.tell(tx, next, action, {
      ...details,
      metadata: { kind: request.kind, scope: request.scope, status: next.status, ...details.metadata },
    });
    await this.tellParts(tx, next, action, details.outcome);
    return next;
  }

  /** A part's tenant learns kind, dates and status, and never who else is concerned. */
  private async tellParts(
    tx: UnitOfWork,
    request: Request,
    action: Action,
    how: EventDetails['outcome'],
  ): Promise<void> {
    const subjects = await this.named(tx, request.id);
    for (const part of await this.parts.of(tx, request)) {
      const outcome = request.outcome && (takesPart(part) ? withoutSiblings(request.outcome) : 'partial');
      await tx.inTenant(part.tenant, async () => {
        await this.parts.mirror(tx, request, outcome);
        if (part.tenant !== request.tenant) await this.tellHere(tx, request, action, subjects, {}, how);
      });
    }
  }

  /** An event about the request in the log of one part's tenant. */
  async tellPart(
    tx: UnitOfWork,
    request: Request,
    tenant: string,
    action: Action,
    metadata: Record<string, unknown> = {},
    outcome?: EventDetails['outcome'],
  ): Promise<void> {
    const subjects = await this.named(tx, request.id);
    await tx.inTenant(tenant, () => this.tellHere(tx, request, action, subjects, metadata, outcome));
  }

  private async tellHere(
    tx: UnitOfWork,
    { id, kind, scope, status }: Request,
    action: Action,
    subjects: RequestSubject[],
    metadata: Record<string, unknown> = {},
    outcome?: EventDetails['outcome'],
  ): Promise<void> {
    await this.audit.record(tx, action, {
      targets: [{ type: 'request', id }],
      subjects,
      metadata: { kind, scope, status, ...metadata },
      ...(outcome && { outcome }),
    });
  }
}

/** That a sibling was left out is none of a part's business: its own share went out whole. */
const withoutSiblings = (outcome: Outcome): Outcome => (outcome === 'partial' ? 'full' : outcome);

// Keys of rows that were noted before anything went: they may say whom it was about.
const forgetRows = `
  delete from habeas.erasure_rows where erasure_id in (select id from habeas.erasures where job_id = $1)`;

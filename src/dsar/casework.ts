import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { type Tenancy } from '../database/tenancy.js';
import { Database } from '../database/database.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { DomainError, notFound } from '../errors.js';
import { Packages } from '../export/packages.js';
import { actorId } from '../identity/actor-id.js';
import { Queue } from '../jobs/queue.js';
import { Sealing } from '../keys/sealing.js';
import { Controllers } from './controllers.js';
import { IdentityProof } from './identity-proof.js';
import { LegalClocks } from './legal-clocks.js';
import { groundFor, Letters } from './letters.js';
import { type Part, Parts } from './parts.js';
import { ACCESS_FULFILMENT } from './queues.js';
import { type Request } from './request.js';
import { isOpen } from './request-lifecycle.js';
import { Requests } from './requests.js';
import { type NewVerification } from './requests.schema.js';

export interface Note {
  id: string;
  text: string;
  createdAt: string;
}

export interface Refusal {
  ground: string;
  /** Staff's own sentence to the person, after the ground's. */
  explanation?: string;
  /** The workspace whose part is refused; absent: the whole request. */
  part?: string;
}

/** What people on the desk, owners and the person do to an open request. Each is one transaction, with its event and its letter. */
@Injectable()
export class Casework {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly sealing: Sealing,
    private readonly requests: Requests,
    private readonly parts: Parts,
    private readonly proof: IdentityProof,
    private readonly clocks: LegalClocks,
    private readonly packages: Packages,
    private readonly controllers: Controllers,
    private readonly letters: Letters,
    private readonly queue: Queue,
  ) {}

  /** The person's own word, or the owner's for scope workspace. @throws DomainError `request.closed` */
  withdraw(tenancy: Tenancy, id: string): Promise<Request> {
    return this.onOpen(tenancy, id, async (tx, request) => {
      const withdrawn = await this.requests.move(tx, request, 'withdrawn', { action: 'request.withdrawn' });
      await this.packages.expire(tx, id);
      await this.letters.withdrawn(tx, withdrawn);
      return withdrawn;
    });
  }

  /** The owner's or an admin's word about a request of the whole workspace. @throws DomainError `auth.forbidden`, `request.closed` */
  async withdrawForWorkspace(tenancy: Tenancy, id: string): Promise<Request> {
    const { scope } = await this.database.within(tenancy, (tx) => this.requests.find(tx, id));
    if (scope !== 'workspace')
      throw new DomainError('auth.forbidden', 'Only the person withdraws their own request.');
    return this.withdraw(tenancy, id);
  }

  /** One more link to the address, or staff's word that they saw a proof. @throws DomainError `verification.*` */
  verify(tenancy: Tenancy, id: string, verification: NewVerification): Promise<Request> {
    return this.onOpen(tenancy, id, async (tx, request) => {
      if (verification.method === 'manual') return this.proof.byHand(tx, request, verification.seen);
      await this.proof.sendLink(tx, request, 'verify-identity');
      return request;
    });
  }

  /** Refuses the whole, or one part of it. @throws DomainError `refusal.unknown_ground`, `part.not_found`, `request.closed` */
  refuse(tenancy: Tenancy, id: string, refusal: Refusal): Promise<Request> {
    return this.onOpen(tenancy, id, async (tx, request) => {
      const ground = groundFor(request, refusal.ground);
      const part = refusal.part === undefined ? undefined : await this.partOf(tx, request, refusal.part);
      await tx.query(insertRefusal, [
        tx.tenant, id, part?.tenant ?? null, ground.code,
        refusal.explanation === undefined ? null : this.sealing.seal('request.refusal', refusal.explanation),
        await actorId(tx), this.clock.now(),
      ]); // prettier-ignore
      return part ? this.refusePart(tx, request, part, refusal) : this.refuseWhole(tx, request, refusal);
    });
  }

  /** Once, with a reason that the person is told. @throws DomainError `deadline.*` */
  extend(tenancy: Tenancy, id: string, reason: string): Promise<Request> {
    return this.onOpen(tenancy, id, (tx, request) => this.clocks.extend(tx, request, reason));
  }

  /** Stops the clock while identity is honestly in doubt. @throws DomainError `deadline.*`, `pause.identity_proven` */
  pause(tenancy: Tenancy, id: string, reason: string, needed: string): Promise<Request> {
    return this.onOpen(tenancy, id, (tx, request) => this.clocks.pause(tx, request, reason, needed));
  }

  /** Lets the clock run again. @throws DomainError `deadline.not_paused` */
  resume(tenancy: Tenancy, id: string): Promise<Request> {
    return this.onOpen(tenancy, id, (tx, request) => this.clocks.resume(tx, request));
  }

  /** Staff's own memory; sealed, and gone with the request's other personal data. */
  note(tenancy: Tenancy, id: string, text: string): Promise<Note> {
    return this.database.within(tenancy, async (tx) => {
      const request = await this.requests.find(tx, id);
      if (request.contactWipedAt) {
        throw new DomainError(
          'request.forgotten',
          'What this request knew of its person is gone; nothing is written down about them again.',
        );
      }
      const values = [
        tx.tenant,
        id,
        this.sealing.seal('request.note', text),
        await actorId(tx),
        this.clock.now(),
      ];
      const note = await tx.one<{ id: string; createdAt: Date }>(insertNote, values);
      await this.requests.tell(tx, request, 'request.noted');
      return { id: note?.id ?? '', text, createdAt: this.clock.now().toISOString() };
    });
  }

  notes(tenancy: Tenancy, id: string): Promise<{ items: Note[] }> {
    return this.database.within(tenancy, async (tx) => {
      const request = await this.requests.find(tx, id);
      const rows = await tx.query<{ id: string; sealed: Buffer; createdAt: Date }>(selectNotes, [id]);
      await this.requests.tell(tx, request, 'request.viewed');
      return {
        items: rows.map((row) => ({
          id: row.id,
          text: this.sealing.open<string>('request.note', row.sealed),
          createdAt: row.createdAt.toISOString(),
        })),
      };
    });
  }

  /** Runs a failed request again, with its retries back. @throws DomainError `request.wrong_status` */
  retry(tenancy: Tenancy, id: string): Promise<Request> {
    return this.onOpen(tenancy, id, async (tx, request) => {
      const waiting = request.status === 'in_progress' && request.nextAttemptAt !== null;
      // The table lets a proven request start from here; a retry must not start one that nobody has proven.
      if (!waiting && request.status !== 'failed')
        throw new DomainError(
          'request.wrong_status',
          'Only a request that failed, or waits to be tried again, is retried.',
        );
      const again = waiting
        ? await this.requests.reschedule(tx, request, { action: 'request.retried', attempts: 0 })
        : await this.requests.move(tx, request, 'in_progress', { action: 'request.retried', attempts: 0 });
      await this.enqueue(tx, again);
      return again;
    });
  }

  /**
   * An owner or admin decides about the part of their workspace; the tenancy is the part's.
   * @throws DomainError `request.not_found`, `approval.already_decided`
   */
  decide(
    tenancy: Tenancy,
    requestId: string,
    decision: 'approved' | 'refused',
  ): Promise<{ decision: string }> {
    return this.database.within(tenancy, async (tx) => {
      const part = await tx.one<{ requestTenant: string }>(
        'select request_tenant_id as "requestTenant" from habeas.request_parts where tenant_id = $1 and request_id = $2',
        [tx.tenant, requestId],
      );
      if (!part) throw notFound('request');
      if (!(await this.parts.decide(tx, requestId, decision, await actorId(tx), this.clock.now()))) {
        throw new DomainError(
          'approval.already_decided',
          'There is nothing to decide here: it was decided, needs no decision, or is over.',
        );
      }
      const [request, subjects] = await tx.inTenant(
        part.requestTenant,
        async () =>
          [await this.requests.find(tx, requestId), await this.requests.subjects(tx, requestId)] as const,
      );
      await this.requests.tell(tx, request, decision === 'approved' ? 'part.approved' : 'part.refused', {
        subjects,
      });
      await tx.inTenant(part.requestTenant, () => this.enqueue(tx, request));
      return { decision };
    });
  }

  private async refuseWhole(
    tx: UnitOfWork,
    request: Request,
    { ground, explanation }: Refusal,
  ): Promise<Request> {
    const refused = await this.requests.move(tx, request, 'refused', {
      action: 'request.refused',
      metadata: { ground },
    });
    await this.packages.expire(tx, request.id);
    await this.letters.refused(tx, refused, ground, explanation);
    return refused;
  }

  private async refusePart(
    tx: UnitOfWork,
    request: Request,
    part: Part,
    { ground, explanation }: Refusal,
  ): Promise<Request> {
    const by = await actorId(tx);
    const name = await tx.inTenant(part.tenant, async () => {
      await this.parts.exclude(tx, request.id, by, this.clock.now());
      return (await this.controllers.workspaceName(tx)) ?? 'the account';
    });
    await this.requests.tell(tx, request, 'part.refused', { metadata: { ground, part: part.tenant } });
    if (part.tenant !== request.tenant)
      await this.requests.tellPart(tx, request, part.tenant, 'part.refused', { ground });
    await this.letters.refusedPart(tx, request, name, ground, explanation);
    await this.enqueue(tx, request);
    return request;
  }

  private async partOf(tx: UnitOfWork, request: Request, tenant: string): Promise<Part> {
    const part = (await this.parts.of(tx, request)).find((candidate) => candidate.tenant === tenant);
    if (!part) throw notFound('part');
    if (request.status === 'in_progress') {
      throw new DomainError(
        'part.in_progress',
        'This request is being fulfilled already: refuse it as a whole, or wait.',
      );
    }
    return part;
  }

  private async enqueue(tx: UnitOfWork, request: Request): Promise<void> {
    if (request.kind === 'access')
      await this.queue.enqueue(tx, ACCESS_FULFILMENT, { tenant: request.tenant, id: request.id });
  }

  private onOpen<T>(
    tenancy: Tenancy,
    id: string,
    work: (tx: UnitOfWork, request: Request) => Promise<T>,
  ): Promise<T> {
    return this.database.within(tenancy, async (tx) => {
      const request = await this.requests.lock(tx, id);
      if (!isOpen(request.status)) {
        throw new DomainError(
          'request.closed',
          `This request is ${request.status}; nothing about it changes any more.`,
        );
      }
      return work(tx, request);
    });
  }
}

const insertRefusal = `
  insert into habeas.request_refusals (tenant_id, request_id, part_tenant_id, ground, explanation_sealed, created_by, created_at)
  values ($1, $2, $3, $4, $5, $6, $7)`;

const selectNotes = `
  select id, text_sealed as "sealed", created_at as "createdAt" from habeas.request_notes where request_id = $1 order by created_at`;

const insertNote = `
  insert into habeas.request_notes (tenant_id, request_id, text_sealed, created_by, created_at)
  values ($1, $2, $3, $4, $5) returning id, created_at as "createdAt"`;

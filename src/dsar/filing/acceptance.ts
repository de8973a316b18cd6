import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { CONFIG, type Config } from '../../config.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { type Subject } from '../../datamap/settings.js';
import { DomainError } from '../../errors.js';
import { Queue } from '../../jobs/queue.js';
import { ApprovalLetters } from '../letters/approval-letters.js';
import { runAfterOf } from '../law/delays.js';
import { LegalClocks } from '../desk/legal-clocks.js';
import { Letters } from '../letters/letters.js';
import { claimMatter } from './open-matters.js';
import { Parts, undecided } from '../parts.js';
import { enqueueFulfilment } from '../queues.js';
import { type IdentityMethod, type Request, type RequestSubject } from '../request.js';
import { Requests } from '../requests.js';
import { type PartPlace, type Places, Whereabouts } from './whereabouts.js';

export type ProvenSubject = Subject & Pick<RequestSubject, 'via'>;

/** A request is somebody's from here on. Subjects are frozen, once; only now do duplicates and parts exist. */
@Injectable()
export class Acceptance {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly clock: Clock,
    private readonly requests: Requests,
    private readonly parts: Parts,
    private readonly whereabouts: Whereabouts,
    private readonly letters: Letters,
    private readonly approvals: ApprovalLetters,
    private readonly queue: Queue,
    private readonly clocks: LegalClocks,
  ) {}

  /**
   * Identity is proven: freezes the subjects, claims the matter, opens the parts and lets the run begin.
   * Subjects that cannot be looked up now (undefined: the host's tables do not fit the map) are found before the run.
   * A duplicate is refused with the id of the open one when it is found out late, and never filed when it is known at once.
   * @param where its places, where the caller has looked in this very transaction
   * @throws DomainError `request.duplicate` when the request was filed as proven
   */
  async accept(
    tx: UnitOfWork,
    request: Request,
    method: IdentityMethod,
    found: readonly ProvenSubject[] | undefined,
    where?: Places,
  ): Promise<Request> {
    const filedAsProven = request.status === 'received';
    const subjects = found ?? [];
    await this.freeze(tx, request, subjects);
    const proven = { ...request, identityMethod: method, identityProvenAt: this.clock.now() };
    await tx.query('update habeas.requests set identity_method = $2, identity_proven_at = $3 where id = $1', [
      request.id, method, proven.identityProvenAt,
    ]); // prettier-ignore
    const running = await this.clocks.resumeIfPaused(tx, proven);

    const other = await claimMatter(tx, running, subjects);
    if (other !== undefined && filedAsProven) {
      throw new DomainError('request.duplicate', 'There is an open request of this kind already.', {
        extra: { requestId: other },
      });
    }
    if (other !== undefined) return this.refuseDuplicate(tx, running, other);
    await this.requests.tell(tx, running, 'identity.proven', { metadata: { method } });
    return this.openParts(tx, await this.terms(tx, running), found, where);
  }

  /** A deletion of a person waits from here on, in case they change their mind; a workspace has its own grace. */
  private async terms(tx: UnitOfWork, request: Request): Promise<Request> {
    if (request.kind !== 'deletion' || request.scope === 'workspace') return request;
    const runAfter = runAfterOf(request, this.clock.now(), this.config);
    await tx.query('update habeas.requests set run_after = $2 where id = $1', [request.id, runAfter]);
    return { ...request, runAfter };
  }

  /** Keeps whose the request is. */
  async freeze(tx: UnitOfWork, request: Request, subjects: readonly ProvenSubject[]): Promise<void> {
    for (const { kind, key, via } of subjects) {
      await tx.query('insert into habeas.request_subjects (tenant_id, request_id, kind, key, via) values ($1, $2, $3, $4, $5)', [
        tx.tenant, request.id, kind, key, via,
      ]); // prettier-ignore
    }
  }

  /** Closes a request whose matter another one has. */
  async refuseDuplicate(tx: UnitOfWork, request: Request, other: string): Promise<Request> {
    const refused = await this.requests.move(tx, request, 'refused', {
      action: 'request.refused',
      metadata: { grounds: ['duplicate'], openRequest: other },
    });
    await tx.query(
      `insert into habeas.request_refusals (tenant_id, request_id, ground, created_by, created_at) values ($1, $2, 'duplicate', 'system', $3)`,
      [tx.tenant, request.id, this.clock.now()],
    );
    const explanation = `The reference of the open one is ${other}.`;
    await this.letters.refused(tx, refused, [{ ground: 'duplicate', explanation }]);
    return refused;
  }

  private async openParts(
    tx: UnitOfWork,
    request: Request,
    subjects: readonly Subject[] | undefined,
    where?: Places,
  ): Promise<Request> {
    const { places, complete } = where ?? (await this.whereabouts.of(tx, request.scope, subjects ?? []));
    // Somebody without any identifier is known by their sign-in alone: the host's row of them could not be read.
    const unread =
      subjects === undefined || subjects.some(({ identifiers }) => Object.keys(identifiers).length === 0);
    const addressless = request.scope === 'workspace' && !request.mailSealed;
    if (!complete || unread || addressless)
      await tx.query('update habeas.requests set parts_opened = false where id = $1', [request.id]);
    return this.openPlaces(tx, request, places);
  }

  /** Opens parts, asks those who decide, tells the person, and lets the run look whether it may begin. */
  async openPlaces(tx: UnitOfWork, request: Request, places: readonly PartPlace[]): Promise<Request> {
    await this.requests.openParts(tx, request, places);
    const asked = new Set(places.map(({ tenant }) => tenant));
    const waiting = (await this.parts.of(tx, request)).filter(undecided);
    for (const { tenant } of waiting)
      if (asked.has(tenant)) await tx.inTenant(tenant, () => this.approvals.ask(tx, request));
    await this.letters.received(tx, request);
    await enqueueFulfilment(this.queue, tx, request);
    if (
      request.status === 'scheduled' ||
      (waiting.length === 0 && request.status === 'received' && request.runAfter === null)
    )
      return request;
    return this.requests.move(tx, request, 'scheduled', {
      action: 'request.scheduled',
      metadata: { awaiting: waiting.length },
    });
  }
}

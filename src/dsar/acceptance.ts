import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { HostMap } from '../datamap/host-map.js';
import { type Subject } from '../datamap/settings.js';
import { DomainError } from '../errors.js';
import { Queue } from '../jobs/queue.js';
import { Sealing } from '../keys/sealing.js';
import { ApprovalLetters } from './approval-letters.js';
import { LegalClocks } from './legal-clocks.js';
import { Letters } from './letters.js';
import { claimMatter } from './open-matters.js';
import { Parts, undecided } from './parts.js';
import { People } from './people-of-tenant.js';
import { enqueueFulfilment } from './queues.js';
import { type IdentityMethod, type Request, type RequestSubject } from './request.js';
import { Requests } from './requests.js';
import { Whereabouts } from './whereabouts.js';

export type ProvenSubject = Subject & Pick<RequestSubject, 'via'>;

/** A request is somebody's from here on. Subjects are frozen, once; only now do duplicates and parts exist. */
@Injectable()
export class Acceptance {
  constructor(
    private readonly clock: Clock,
    private readonly requests: Requests,
    private readonly parts: Parts,
    private readonly whereabouts: Whereabouts,
    private readonly letters: Letters,
    private readonly approvals: ApprovalLetters,
    private readonly queue: Queue,
    private readonly clocks: LegalClocks,
    private readonly host: HostMap,
    private readonly people: People,
    private readonly sealing: Sealing,
  ) {}

  /**
   * Identity is proven: freezes the subjects, claims the matter, opens the parts and lets the run begin.
   * A duplicate is refused with the id of the open one when it is found out late, and never filed when it is known at once.
   * @throws DomainError `request.duplicate` when the request was filed as proven
   */
  async accept(
    tx: UnitOfWork,
    request: Request,
    method: IdentityMethod,
    subjects: readonly ProvenSubject[],
  ): Promise<Request> {
    const filedAsProven = request.status === 'received';
    for (const { kind, key, via } of subjects) {
      await tx.query('insert into habeas.request_subjects (tenant_id, request_id, kind, key, via) values ($1, $2, $3, $4, $5)', [
        tx.tenant, request.id, kind, key, via,
      ]); // prettier-ignore
    }
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
    return this.openParts(tx, running, subjects);
  }

  /**
   * Opens the parts that could not be found at filing, and learns where answers go.
   * @returns undefined where the host's tables still do not fit
   */
  async openMissingParts(tx: UnitOfWork, request: Request): Promise<Request | undefined> {
    const subjects = await this.subjectsNow(tx, request);
    const there = new Set((await this.parts.of(tx, request)).map(({ tenant }) => tenant));
    const { places, complete } = await this.whereabouts.of(tx, request.scope, subjects);
    if (!complete) return undefined;
    const missing = places.filter(({ tenant }) => !there.has(tenant));
    for (const place of missing) await this.requests.openPart(tx, request, place);
    for (const { tenant, policy } of missing)
      if (policy === 'approve') await tx.inTenant(tenant, () => this.approvals.ask(tx, request));

    const mail = subjects.map((subject) => this.people.mailOf(subject)).find((known) => known !== undefined);
    const mailSealed =
      request.mailSealed ?? (mail === undefined ? null : this.sealing.seal('request.mail', mail));
    await tx.query('update habeas.requests set parts_opened = true, mail_sealed = $2 where id = $1', [
      request.id,
      mailSealed,
    ]);
    const whole = { ...request, partsOpened: true, mailSealed };
    await this.letters.received(tx, whole);
    return whole;
  }

  private async subjectsNow(tx: UnitOfWork, request: Request): Promise<Subject[]> {
    const refs = await this.requests.subjects(tx, request.id);
    return tx.asHost(async (host) => {
      const found: Subject[] = [];
      for (const { kind, key } of refs)
        found.push((await this.host.people.byKey(host, kind, key)) ?? { kind, key, identifiers: {} });
      return found;
    });
  }

  private async refuseDuplicate(tx: UnitOfWork, request: Request, other: string): Promise<Request> {
    const refused = await this.requests.move(tx, request, 'refused', {
      action: 'request.refused',
      metadata: { ground: 'duplicate', openRequest: other },
    });
    await tx.query(
      `insert into habeas.request_refusals (tenant_id, request_id, ground, created_by, created_at) values ($1, $2, 'duplicate', 'system', $3)`,
      [tx.tenant, request.id, this.clock.now()],
    );
    await this.letters.refused(tx, refused, 'duplicate', `The reference of the open one is ${other}.`);
    return refused;
  }

  private async openParts(tx: UnitOfWork, request: Request, subjects: readonly Subject[]): Promise<Request> {
    const { places, complete } = await this.whereabouts.of(tx, request.scope, subjects);
    for (const place of places) await this.requests.openPart(tx, request, place);
    // Somebody without any identifier is known by their sign-in alone: the host's row of them could not be read.
    if (!complete || subjects.some(({ identifiers }) => Object.keys(identifiers).length === 0))
      await tx.query('update habeas.requests set parts_opened = false where id = $1', [request.id]);
    const waiting = (await this.parts.of(tx, request)).filter(undecided);
    for (const { tenant } of waiting) {
      await tx.inTenant(tenant, () => this.approvals.ask(tx, request));
    }
    await this.letters.received(tx, request);
    await enqueueFulfilment(this.queue, tx, request);
    if (waiting.length === 0 && request.status === 'received') return request;
    return this.requests.move(tx, request, 'scheduled', {
      action: 'request.scheduled',
      metadata: { awaiting: waiting.length },
    });
  }
}

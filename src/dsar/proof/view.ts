import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { CONFIG, type Config } from '../../config.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { type SignedCertificate } from '../../deletion/certificate/certificate.schema.js';
import { Certificates } from '../../deletion/certificate/certificates.js';
import { DomainError } from '../../errors.js';
import { type PresentedToken } from '../../keys/tokens.js';
import { handedOutUntil } from '../letters/certificate-link.js';
import { Controllers } from '../letters/controllers.js';
import { decisionsCloseOn } from '../law/legal-clock.js';
import { type ProofFacts, type ProvenFacts } from './proof.schema.js';
import { type Request } from '../request.js';
import { isOpen } from '../request-lifecycle.js';
import { RequestView } from '../request-view.js';
import { Requests } from '../requests.js';

interface ProofLink {
  requestId: string;
  expiresAt: Date;
  provenAt: Date | null;
}

const findLink = `
  select request_id as "requestId", expires_at as "expiresAt", proven_at as "provenAt"
  from habeas.request_verifications where token_hash = $1 and revoked_at is null`;

/** What the link that proves an address shows, before the proof and after. */
@Injectable()
export class ProofView {
  constructor(
    private readonly requests: Requests,
    private readonly requestView: RequestView,
    private readonly controllers: Controllers,
    private readonly certificates: Certificates,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** The request behind a link, in the tenant of `tx`. @throws DomainError `proof.not_found` */
  async requestBehind(
    tx: UnitOfWork,
    { hash }: PresentedToken,
  ): Promise<{ link: ProofLink; request: Request }> {
    const link = await tx.one<ProofLink>(findLink, [hash]);
    if (!link) throw noProofLink();
    return { link, request: await this.requests.find(tx, link.requestId) };
  }

  /** @throws DomainError `proof.not_found`, `proof.expired`, `proof.already_used` */
  async of(tx: UnitOfWork, presented: PresentedToken): Promise<ProofFacts> {
    const { link, request } = await this.requestBehind(tx, presented);
    const now = this.clock.now().getTime();
    // Any of the links to a proven address: but not after a proof by hand, when a mistyped one may be a stranger's.
    if (link.provenAt !== null || request.identityMethod === 'link') {
      const { closedAt } = request;
      const until = closedAt === null ? undefined : await handedOutUntil(tx, { id: request.id, closedAt });
      if (until !== undefined && now >= until.getTime()) throw ended();
      return this.proven(tx, request);
    }
    if (link.expiresAt.getTime() <= now) throw ended();
    if (request.status !== 'verifying') {
      throw new DomainError('proof.already_used', 'There is nothing left to confirm here.');
    }
    return {
      state: 'unproven',
      ...(await this.asked(tx, request)),
      linkEndsAt: link.expiresAt.toISOString(),
    };
  }

  private async proven(tx: UnitOfWork, request: Request): Promise<ProofFacts> {
    const detail = await this.requestView.of(tx, request, 'subject');
    const { status, outcome, dueOn, overdue, refusals, timeline } = detail;
    return {
      state: isOpen(status) ? 'open' : 'closed',
      ...(await this.asked(tx, request)),
      ...{ status, outcome, dueOn, overdue },
      extended: detail.clock.extended,
      paused: detail.clock.paused,
      undecidedParts: detail.parts.filter(({ policy, decision }) => policy === 'approve' && decision === null)
        .length,
      blockers: detail.blockers.filter(isOfDeletion),
      runAfter: detail.runAfter ?? null,
      delaysEndOn:
        dueOn === null || detail.clock.paused ? null : decisionsCloseOn(dueOn, this.config.dueMargin),
      closedAt: request.closedAt?.toISOString() ?? null,
      refusals: refusals.map(({ title, text, source, part }) => ({
        title,
        text,
        source,
        part: part !== null,
      })),
      package: detail.package && { status: detail.package.status, expiresAt: detail.package.expiresAt },
      certificate: await this.certificateOf(tx, request),
      timeline,
      mayWithdraw: isOpen(status),
      mayWaive: request.scope !== 'workspace' && detail.blockers.some(({ code }) => code === 'access_open'),
    };
  }

  /** @throws DomainError `proof.needed`, `certificate.not_found`, and those of `of` */
  async certificate(tx: UnitOfWork, presented: PresentedToken): Promise<SignedCertificate> {
    const { state, requestId } = await this.of(tx, presented);
    if (state === 'unproven')
      throw new DomainError('proof.needed', 'Confirm that this address is yours first.');
    return this.certificates.ofJob(tx, requestId);
  }

  private async certificateOf(tx: UnitOfWork, { id, kind, status }: Request) {
    if (kind !== 'deletion' || status !== 'fulfilled') return null;
    const found = await this.certificates.ofJob(tx, id).catch((error: unknown) => {
      if (error instanceof DomainError && error.code === 'certificate.not_found') return undefined;
      throw error;
    });
    return found ? { final: found.final, issuedAt: found.issuedAt } : null;
  }

  private async asked(tx: UnitOfWork, request: Request) {
    const { id: requestId, kind, scope, zone } = request;
    const { name, contact, dpo } = await this.controllers.of(tx, scope);
    const workspace = scope === 'account' ? undefined : await this.controllers.workspaceName(tx);
    return {
      ...{ requestId, kind, scope, zone },
      ...(workspace && { workspace }),
      controller: { name, ...(contact && { contact }), ...(dpo && { dpo }) },
      receivedAt: request.receivedAt.toISOString(),
    };
  }
}

type Blocker = ProvenFacts['blockers'][number];

const ofDeletion: readonly string[] = [
  'sole_owner',
  'held',
  'access_open',
  'cooling_off',
] satisfies Blocker['code'][];
const isOfDeletion = (found: { code: string; message: string }): found is Blocker =>
  ofDeletion.includes(found.code);

export const noProofLink = (): DomainError =>
  new DomainError('proof.not_found', 'This link is not one of ours.');
const ended = (): DomainError => new DomainError('proof.expired', 'This link has ended. Ask for a new one.');

import { Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { systemTenancy } from '../../database/tenancy.js';
import { Database } from '../../database/database.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { unlessMisfit } from '../../datamap/misfit.js';
import { DomainError } from '../../errors.js';
import { Sealing } from '../../keys/sealing.js';
import { issueToken, type PresentedToken } from '../../keys/tokens.js';
import { Acceptance, type ProvenSubject } from '../filing/acceptance.js';
import { PROOF_LINK_DAYS, proofEndOf } from './deadline.js';
import { Letters } from '../letters/letters.js';
import { People } from '../filing/people-of-tenant.js';
import { assertMayWrite, nextLinkAt } from './link-limit.js';
import { type FilingDetails, type Request } from '../request.js';
import { Requests } from '../requests.js';

const MAX_LINKS = 5;
const DAY = 86_400_000;

/** How a request learns whose it is: a link to the typed address, or staff's word. */
@Injectable()
export class IdentityProof {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly sealing: Sealing,
    private readonly people: People,
    private readonly requests: Requests,
    private readonly letters: Letters,
    private readonly acceptance: Acceptance,
  ) {}

  /**
   * Asks for a proof: a link to the typed address, whatever is known about it. Where too many went there, it follows later
   * (`IdentitySweep`): the request is filed all the same, because its clock runs from receipt.
   */
  async begin(tx: UnitOfWork, request: Request): Promise<Request> {
    const moved = await this.requests.move(tx, request, 'verifying', {
      action: 'request.verification_started',
    });
    const next = await nextLinkAt(tx, moved, this.clock.now());
    if (next === undefined) await this.mailLink(tx, moved, 'verify-identity', await proofEndOf(tx, moved));
    else
      await this.requests.tell(tx, moved, 'verification.postponed', {
        metadata: { until: next.toISOString() },
      });
    return moved;
  }

  /**
   * Sends one more link; earlier ones stay good until they end.
   * @throws DomainError `verification.not_needed`, `verification.too_many`, `verification.too_often`, `verification.too_late`
   */
  async sendLink(
    tx: UnitOfWork,
    request: Request,
    template: 'verify-identity' | 'verify-reminder',
  ): Promise<void> {
    if (request.status !== 'verifying') {
      throw new DomainError(
        'verification.not_needed',
        'The identity behind this request is not in question.',
      );
    }
    const now = this.clock.now();
    const last = await proofEndOf(tx, request);
    if (now >= last)
      throw new DomainError(
        'verification.too_late',
        'The time to prove identity for this request has ended.',
      );
    const sent = await tx.one<{ n: number }>(
      'select count(*)::int as n from habeas.request_verifications where request_id = $1',
      [request.id],
    );
    if ((sent?.n ?? 0) >= MAX_LINKS) {
      throw new DomainError('verification.too_many', `At most ${MAX_LINKS} links are sent for one request.`);
    }
    await assertMayWrite(tx, request, now);
    await this.mailLink(tx, request, template, last);
  }

  /** @param last until when identity can be proven */
  private async mailLink(
    tx: UnitOfWork,
    request: Request,
    template: 'verify-identity' | 'verify-reminder',
    last: Date,
  ): Promise<void> {
    const now = this.clock.now();
    const { token, hash } = issueToken(tx.tenant);
    const expiresAt = new Date(Math.min(now.getTime() + PROOF_LINK_DAYS * DAY, last.getTime()));
    await tx.query(
      'insert into habeas.request_verifications (tenant_id, request_id, token_hash, sent_at, expires_at) values ($1, $2, $3, $4, $5)',
      [tx.tenant, request.id, hash, now, expiresAt],
    );
    await this.letters.verify(tx, request, template, token, expiresAt);
    await this.requests.tell(tx, request, 'verification.sent');
  }

  /**
   * Somebody opened the link and confirmed: proves the address, once.
   * @throws DomainError `proof.expired`, `proof.already_used`, `proof.not_found`
   */
  async byLink(
    presented: PresentedToken,
    context: { ip?: string; userAgent?: string; requestId?: string },
  ): Promise<Request> {
    const tenancy = { ...systemTenancy(presented.tenant, 'proof-link'), context };
    return this.database.within({ ...tenancy, actor: { type: 'link', id: 'proof' } }, async (tx) => {
      const link = await tx.one<{ id: string; requestId: string; expiresAt: Date; provenAt: Date | null }>(
        `select id, request_id as "requestId", expires_at as "expiresAt", proven_at as "provenAt"
         from habeas.request_verifications where token_hash = $1 and revoked_at is null`,
        [presented.hash],
      );
      if (!link) throw new DomainError('proof.not_found', 'This link is not one of ours.');
      const request = await this.requests.lock(tx, link.requestId);
      if (request.status !== 'verifying')
        throw new DomainError('proof.already_used', 'This was confirmed before.');
      if (link.expiresAt <= this.clock.now()) {
        throw new DomainError('proof.expired', 'This link has ended. Ask for a new one.');
      }
      await tx.query('update habeas.request_verifications set proven_at = $2 where id = $1', [
        link.id,
        this.clock.now(),
      ]);
      return this.acceptance.accept(tx, request, 'link', await this.behindMail(tx, request));
    });
  }

  /** Staff saw a proof: what it was is recorded, sealed and until the request is forgotten; no copy is kept. */
  async byHand(tx: UnitOfWork, request: Request, seen: string): Promise<Request> {
    if (request.status !== 'verifying') {
      throw new DomainError(
        'verification.not_needed',
        'The identity behind this request is not in question.',
      );
    }
    const known =
      request.detailsSealed && this.sealing.open<FilingDetails>('request.details', request.detailsSealed);
    await tx.query('update habeas.requests set details_sealed = $2 where id = $1', [
      request.id, this.sealing.seal('request.details', { ...known, seen }),
    ]); // prettier-ignore
    await this.requests.tell(tx, request, 'verification.recorded');
    return this.acceptance.accept(tx, request, 'manual', await this.behindMail(tx, request));
  }

  /** Everybody behind the address; undefined where the host's tables do not fit the map, which keeps nobody from proving. */
  private behindMail(tx: UnitOfWork, request: Request): Promise<ProvenSubject[] | undefined> {
    return tx.attempt(() => this.lookUp(tx, request), unlessMisfit<ProvenSubject[] | undefined>(undefined));
  }

  /** Within a workspace, only its own people. */
  private async lookUp(tx: UnitOfWork, request: Request): Promise<ProvenSubject[]> {
    if (!request.mailSealed) return [];
    const mail = this.sealing.open<string>('request.mail', request.mailSealed);
    const found: ProvenSubject[] = [];
    for (const subject of await this.people.behindMail(tx, mail)) {
      if (request.scope === 'account' || (await this.people.belongs(tx, subject)))
        found.push({ ...subject, via: 'mail' });
    }
    return found;
  }
}

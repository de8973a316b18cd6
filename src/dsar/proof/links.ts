import { Injectable } from '@nestjs/common';
import { type CallContext, type Tenancy } from '../../database/tenancy.js';
import { Database } from '../../database/database.js';
import { type SignedCertificate } from '../../deletion/certificate/certificate.schema.js';
import { DomainError } from '../../errors.js';
import { type PresentedToken, readToken } from '../../keys/tokens.js';
import { Casework } from '../desk/casework.js';
import { IdentityProof } from './identity-proof.js';
import { type ProofFacts } from './proof.schema.js';
import { noProofLink, ProofView } from './view.js';
import { Requests } from '../requests.js';

/** What the holder of a proof link may do: look, confirm once, and withdraw what they confirmed, or not wait for their copy. */
@Injectable()
export class ProofLinks {
  constructor(
    private readonly database: Database,
    private readonly view: ProofView,
    private readonly requests: Requests,
    private readonly proof: IdentityProof,
    private readonly casework: Casework,
  ) {}

  /** Proves nothing, because mail scanners open every link. @throws DomainError `proof.*` */
  async look(token: string): Promise<ProofFacts> {
    const presented = presentedOr404(token);
    return this.database.within(tenancyOf(presented), (tx) => this.view.of(tx, presented));
  }

  /** The certificate of a deletion that is done. @throws DomainError `certificate.not_found`, `proof.*` */
  async certificate(token: string): Promise<SignedCertificate> {
    const presented = presentedOr404(token);
    return this.database.within(tenancyOf(presented), (tx) => this.view.certificate(tx, presented));
  }

  /** Proves the address, once. A refused try is an event too. @throws DomainError `proof.*` */
  async confirm(token: string, context: CallContext): Promise<ProofFacts> {
    const presented = presentedOr404(token);
    try {
      await this.proof.byLink(presented, context);
    } catch (error) {
      if (error instanceof DomainError) await this.recordRefusal(presented, context, error.code);
      throw error;
    }
    return this.look(token);
  }

  /** @throws DomainError `proof.needed`, `request.closed`, `proof.*` */
  async withdraw(token: string, context: CallContext): Promise<ProofFacts> {
    return this.onProven(token, context, (tenancy, id) => this.casework.withdraw(tenancy, id));
  }

  /** The deletion waits no longer for their copy. @throws DomainError `proof.needed`, `waiver.nothing_waits`, `request.closed`, `proof.*` */
  async waive(token: string, context: CallContext): Promise<ProofFacts> {
    return this.onProven(token, context, (tenancy, id) => this.casework.waiveAccessLock(tenancy, id));
  }

  private async onProven(
    token: string,
    context: CallContext,
    act: (tenancy: Tenancy, requestId: string) => Promise<unknown>,
  ): Promise<ProofFacts> {
    const found = await this.look(token);
    if (found.state === 'unproven') {
      throw new DomainError(
        'proof.needed',
        'Confirm that this address is yours first. What is not confirmed ends by itself.',
      );
    }
    await act(tenancyOf(presentedOr404(token), context), found.requestId);
    return this.look(token);
  }

  private async recordRefusal(presented: PresentedToken, context: CallContext, code: string): Promise<void> {
    if (code === 'proof.not_found') return; // nobody's link: there is no log that it belongs in
    await this.database.within(tenancyOf(presented, context), async (tx) => {
      const { request } = await this.view.requestBehind(tx, presented);
      await this.requests.tell(tx, request, 'verification.refused', {
        outcome: 'denied',
        metadata: { code },
      });
    });
  }
}

const tenancyOf = ({ tenant }: PresentedToken, context: CallContext = {}): Tenancy => ({
  tenant,
  actor: { type: 'link', id: 'proof' },
  context,
});

function presentedOr404(token: string): PresentedToken {
  const presented = readToken(token);
  if (!presented) throw noProofLink();
  return presented;
}

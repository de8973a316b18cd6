import { Injectable } from '@nestjs/common';
import { type Tenancy } from '../../database/tenancy.js';
import { Database } from '../../database/database.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { DomainError } from '../../errors.js';
import { Packages } from '../../export/packages.js';
import { Queue } from '../../jobs/queue.js';
import { IdentityProof } from '../proof/identity-proof.js';
import { LegalClocks } from './legal-clocks.js';
import { Letters } from '../letters/letters.js';
import { useDeletion } from '../filing/one-door.js';
import { enqueueFulfilment } from '../queues.js';
import { type Request } from '../request.js';
import { Requests } from '../requests.js';
import { type NewVerification } from '../requests.schema.js';

/** What staff, owners and the person do to an open request. Each is one transaction, with its event and its letter. */
@Injectable()
export class Casework {
  constructor(
    private readonly database: Database,
    private readonly requests: Requests,
    private readonly proof: IdentityProof,
    private readonly clocks: LegalClocks,
    private readonly packages: Packages,
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

  /** The owner's or an admin's word about a request of the whole workspace. @throws DomainError `auth.forbidden`, `request.use_deletion`, `request.closed` */
  async withdrawForWorkspace(tenancy: Tenancy, id: string): Promise<Request> {
    const { kind, scope } = await this.database.within(tenancy, (tx) => this.requests.find(tx, id));
    if (scope !== 'workspace')
      throw new DomainError('auth.forbidden', 'Only the person withdraws their own request.');
    if (kind === 'deletion') throw useDeletion(tenancy.tenant);
    return this.withdraw(tenancy, id);
  }

  /**
   * The person does without the copy that their deletion waits for: their own word, or staff's record of it. Once more
   * changes nothing. @throws DomainError `waiver.nothing_waits` for what is no deletion of a person, `request.closed`
   */
  waiveAccessLock(tenancy: Tenancy, id: string): Promise<void> {
    return this.onOpen(tenancy, id, async (tx, request) => {
      if (request.kind !== 'deletion' || request.scope === 'workspace')
        throw new DomainError('waiver.nothing_waits', 'Only the deletion of a person waits for their copy.');
      if (request.waivesAccessLock) return;
      await tx.query('update habeas.requests set waives_access_lock = true where id = $1', [id]);
      await this.requests.tell(tx, request, 'request.lock_waived', { metadata: { lock: 'access' } });
      await enqueueFulfilment(this.queue, tx, request);
    });
  }

  /** One more link to the address, or staff's word that they saw a proof. @throws DomainError `verification.*` */
  verify(tenancy: Tenancy, id: string, verification: NewVerification): Promise<Request> {
    return this.onOpen(tenancy, id, async (tx, request) => {
      if (verification.method === 'manual') return this.proof.byHand(tx, request, verification.seen);
      await this.proof.sendLink(tx, request, 'verify-identity');
      return request;
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
      await enqueueFulfilment(this.queue, tx, again);
      return again;
    });
  }

  private onOpen<T>(
    tenancy: Tenancy,
    id: string,
    work: (tx: UnitOfWork, request: Request) => Promise<T>,
  ): Promise<T> {
    return this.database.within(tenancy, async (tx) => work(tx, await this.requests.lockOpen(tx, id)));
  }
}

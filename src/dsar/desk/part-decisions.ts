import { Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { type Tenancy } from '../../database/tenancy.js';
import { Database } from '../../database/database.js';
import { DomainError, notFound } from '../../errors.js';
import { actorId } from '../../identity/actor-id.js';
import { Queue } from '../../jobs/queue.js';
import { Parts } from '../parts.js';
import { enqueueFulfilment } from '../queues.js';
import { Requests } from '../requests.js';

/** What a workspace with the policy `approve` says to its part of a request. */
@Injectable()
export class PartDecisions {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly requests: Requests,
    private readonly parts: Parts,
    private readonly queue: Queue,
  ) {}

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
      await tx.inTenant(part.requestTenant, () => enqueueFulfilment(this.queue, tx, request));
      return { decision };
    });
  }
}

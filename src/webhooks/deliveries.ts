import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { Database } from '../database/database.js';
import { type Tenancy } from '../database/tenancy.js';
import { DomainError, notFound } from '../errors.js';
import { Queue } from '../jobs/queue.js';
import { EndpointChanges } from './endpoint-changes.js';
import { type WebhookType } from './types.js';
import { WEBHOOK_DELIVERY } from './webhooks.js';

/** How one message to one endpoint fares; what it says is not shown. */
export interface Delivery {
  id: string;
  type: WebhookType;
  status: 'pending' | 'delivered' | 'failed';
  attempts: number;
  responseStatus: number | null;
  failure: string | null;
  createdAt: Date;
  nextAttemptAt: Date | null;
  finishedAt: Date | null;
}

const columns = `id, type, status, attempts, response_status as "responseStatus", failure, created_at as "createdAt",
  next_attempt_at as "nextAttemptAt", finished_at as "finishedAt"`;

/** What was sent to an endpoint, for those who look after it. */
@Injectable()
export class Deliveries {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly queue: Queue,
    private readonly changes: EndpointChanges,
  ) {}

  /** Newest first. @throws DomainError `webhook.not_found` */
  list(tenancy: Tenancy, webhookId: string, limit: number, after?: string): Promise<Delivery[]> {
    return this.database.within(tenancy, async (tx) => {
      if (!(await tx.one('select id from habeas.webhooks where id = $1', [webhookId])))
        throw notFound('webhook');
      return tx.query<Delivery>(listDeliveries, [webhookId, after ?? null, limit]);
    });
  }

  /**
   * Sends a message again that arrived or was given up, under its own id, with the full schedule of attempts; one
   * that waits for its next attempt is tried at once.
   * @throws DomainError `webhook.not_found`, `delivery.not_found`, `webhook.disabled_already`
   */
  async again(tenancy: Tenancy, webhookId: string, id: string): Promise<Delivery> {
    const now = this.clock.now();
    return this.database.within(tenancy, async (tx) => {
      const endpoint = await tx.one<{ disabledAt: Date | null }>(lockEndpoint, [webhookId]);
      if (!endpoint) throw notFound('webhook');
      if (endpoint.disabledAt)
        throw new DomainError(
          'webhook.disabled_already',
          'This webhook was given up after failures. Resume it first: DELETE its suspension.',
        );
      const delivery = await tx.one<Delivery>(startAgain, [id, webhookId, now]);
      if (!delivery) throw notFound('delivery');
      await tx.query('update habeas.webhooks set resume_at = null where id = $1', [webhookId]);
      await this.queue.enqueue(tx, WEBHOOK_DELIVERY, { tenant: tx.tenant, id: webhookId });
      await this.changes.tell(tx, {
        action: 'webhook.attempt_requested',
        webhookId,
        metadata: { deliveryId: id },
      });
      return delivery;
    });
  }
}

const lockEndpoint = `select disabled_at as "disabledAt" from habeas.webhooks where id = $1 for update`;

const listDeliveries = `
  select ${columns} from habeas.webhook_deliveries
  where webhook_id = $1 and ($2::uuid is null or (created_at, id) <
        (select created_at, id from habeas.webhook_deliveries where id = $2 and webhook_id = $1))
  order by created_at desc, id desc limit $3`;

const startAgain = /* one that a worker holds right now is left to it, and answers as it is */ `
  update habeas.webhook_deliveries
     set round_start = attempts, first_attempt_at = null, due_since = $3, finished_at = null,
         next_attempt_at = case when status = 'pending' then least(next_attempt_at, $3) else $3 end, status = 'pending'
   where id = $1 and webhook_id = $2
  returning ${columns}`;

import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { HOST_TENANT } from '../database/tenancy.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { Queue } from '../jobs/queue.js';
import { payload } from './signed-post.js';
import { type WebhookData, type WebhookType } from './types.js';

/** Jobs that look after one endpoint, by its id. */
export const WEBHOOK_DELIVERY = 'webhook-delivery';

export interface Announcement {
  type: WebhookType;
  data: WebhookData;
}

/** Tells host apps what happened: written in the transaction of what happened, sent later (invariant 6). */
@Injectable()
export class Webhooks {
  constructor(
    private readonly queue: Queue,
    private readonly clock: Clock,
  ) {}

  /**
   * Writes a delivery to every endpoint that hears of this: those of the tenant that `tx` is in, and those of the
   * host's own, which hear of every workspace. An endpoint that was given up gets a failed one, to be sent again.
   */
  async announce(tx: UnitOfWork, { type, data }: Announcement): Promise<void> {
    const { tenant } = tx;
    const now = this.clock.now();
    const about = tenant === HOST_TENANT ? {} : { workspaceId: tenant };
    const body = payload(type, now, { ...about, ...data });
    await this.write(tx, type, body, now);
    if (tenant !== HOST_TENANT) await tx.inTenant(HOST_TENANT, () => this.write(tx, type, body, now));
  }

  private async write(tx: UnitOfWork, type: WebhookType, body: string, now: Date): Promise<void> {
    const { tenant } = tx;
    for (const { id } of await tx.query<{ id: string }>(writeDeliveries, [tenant, type, body, now]))
      await this.queue.enqueue(tx, WEBHOOK_DELIVERY, { tenant, id });
  }
}

const writeDeliveries = `
  with written as (
    insert into habeas.webhook_deliveries
      (tenant_id, webhook_id, type, body, status, created_at, due_since, next_attempt_at, finished_at, failure)
    select $1, id, $2, $3, case when disabled_at is null then 'pending' else 'failed' end, $4, $4,
           case when disabled_at is null then $4::timestamptz end, case when disabled_at is not null then $4::timestamptz end,
           case when disabled_at is not null then 'webhook.disabled' end
      from habeas.webhooks
     where $2 = any (types)
    returning webhook_id, status)
  select webhook_id as id from written where status = 'pending'`;

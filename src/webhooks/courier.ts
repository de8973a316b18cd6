import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { CONFIG, type Config } from '../config.js';
import { Database } from '../database/database.js';
import { systemTenancy } from '../database/tenancy.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { DomainError } from '../errors.js';
import { reachOf } from '../http/outgoing-address.js';
import { type JobRef, Queue } from '../jobs/queue.js';
import { EndpointChanges } from './endpoint-changes.js';
import { EndpointSecrets } from './endpoint-secrets.js';
import { MOST_ATTEMPTS, pauseAfter, readRetryAfter, waitAfter } from './retry-schedule.js';
import { signedPost } from './signed-post.js';
import { WEBHOOK_DELIVERY } from './webhooks.js';

/** A delivery in a worker's hands. */
interface Claimed {
  id: string;
  webhookId: string;
  url: string;
  body: string;
  /** This one included. */
  attempts: number;
  roundStart: number;
  firstAttemptAt: Date;
}

type Outcome =
  { taken: true; status: number } | { taken: false; status?: number; failure: string; retryAfter: number };

/** A post may take 15 s; a worker that dies leaves its endpoint to others after this. */
const CLAIM = 60_000;
/** So many in a row for one endpoint, or for so long, then others have their turn. */
const SLICE = 25;
const SLICE_TIME = 5_000;
/** Endpoints of one tenant that are served at the same time: however slow, they leave workers to other tenants. */
export const AT_ONCE_FOR_A_TENANT = 2;
const GONE = 410;

/** Carries deliveries to their endpoints, one at a time for each endpoint, to a few of a tenant at a time. */
@Injectable()
export class Courier {
  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Config,
    private readonly clock: Clock,
    private readonly queue: Queue,
    private readonly secrets: EndpointSecrets,
    private readonly changes: EndpointChanges,
  ) {}

  /**
   * Sends what is due to an endpoint, oldest first, each in three steps: claim (a transaction), post (none is open
   * while somebody else's server takes its time), settle (a transaction). While the endpoint is in another worker's
   * hands, or its tenant has its share of them, nothing is done: whoever is through looks what waits. One who dies
   * between post and settle leaves a delivery that is sent again under the same `webhook-id`: at least once, in no
   * promised order.
   */
  async run({ tenant, id }: JobRef): Promise<void> {
    const tenancy = systemTenancy(tenant, 'webhooks');
    const began = performance.now();
    let sent = 0;
    while (sent < SLICE && performance.now() - began < SLICE_TIME) {
      const claimed = await this.database.within(tenancy, (tx) => this.claim(tx, id));
      if (!claimed) break;
      const outcome = await this.post(tenant, claimed);
      await this.database.within(tenancy, (tx) => this.settle(tx, claimed, outcome));
      sent += 1;
    }
    if (sent > 0) await this.database.within(tenancy, (tx) => this.handOn(tx, id));
  }

  /** To the tenant's endpoint that comes after this one and has something due, round and round. */
  private async handOn(tx: UnitOfWork, id: string): Promise<void> {
    const next = await tx.one<{ id: string }>(nextEndpoint, [id, this.clock.now()]);
    if (next) await this.queue.enqueue(tx, WEBHOOK_DELIVERY, { tenant: tx.tenant, id: next.id });
  }

  private async claim(tx: UnitOfWork, id: string): Promise<Claimed | undefined> {
    const now = this.clock.now();
    // Two who count at the same moment would both find room.
    await tx.query(`select pg_advisory_xact_lock(hashtextextended('webhook-share:' || $1, 0))`, [tx.tenant]);
    const endpoint = await tx.one<{ id: string; url: string }>(lockFree, [id, now, AT_ONCE_FOR_A_TENANT]);
    if (!endpoint) return undefined;
    const until = new Date(now.getTime() + CLAIM);
    const turn = await tx.one<Omit<Claimed, 'url'>>(takeTurn, [endpoint.id, now, until]);
    if (!turn) return undefined;
    await tx.query('update habeas.webhooks set busy_until = $2 where id = $1', [endpoint.id, until]);
    return { ...turn, url: endpoint.url };
  }

  private async post(tenant: string, { id, webhookId, url, body }: Claimed): Promise<Outcome> {
    const at = this.clock.now();
    try {
      const tenancy = systemTenancy(tenant, 'webhooks');
      const secret = await this.database.within(tenancy, (tx) => this.secrets.open(tx, webhookId));
      const { status, headers } = await signedPost({
        url,
        secret,
        id,
        at,
        body,
        reach: reachOf(this.config),
      });
      if (status >= 200 && status < 300) return { taken: true, status };
      const retryAfter = readRetryAfter(headers['retry-after'], at);
      return { taken: false, status, failure: 'webhook.not_taken', retryAfter };
    } catch (error) {
      const failure = error instanceof DomainError ? error.code : 'webhook.not_sent';
      return { taken: false, failure, retryAfter: 0 };
    }
  }

  private async settle(tx: UnitOfWork, claimed: Claimed, outcome: Outcome): Promise<void> {
    const { id, webhookId, attempts, roundStart } = claimed;
    const now = this.clock.now();
    // Its claim has ended if this worker was slow, and then another one's word counts.
    const its = await tx.one<Health>(lockHeld, [webhookId, id, attempts]);
    if (!its) return;
    if (outcome.taken) {
      await tx.query(closeDelivery, [id, 'delivered', now, outcome.status, null]);
      await tx.query(noteSuccess, [webhookId, now]);
      return;
    }
    const { failure, retryAfter, status = null } = outcome;
    const tries = attempts - roundStart;
    const over = status === GONE || tries >= MOST_ATTEMPTS;
    const nextAt = new Date(now.getTime() + waitAfter(tries, Math.random(), retryAfter));
    if (over) await tx.query(closeDelivery, [id, 'failed', now, status, failure]);
    else await tx.query(postpone, [id, nextAt, status, failure]);
    const resumeAt = new Date(now.getTime() + pauseAfter(its.failures + 1, retryAfter));
    await tx.query(noteFailure, [webhookId, now, resumeAt]);
    if (status === GONE) await this.disable(tx, webhookId, 'webhook.gone', now);
    // Days of trying, and nothing else has arrived there in the meantime either.
    else if (over && (its.failingSince ?? now) <= claimed.firstAttemptAt)
      await this.disable(tx, webhookId, 'webhook.failing', now);
  }

  /** Nothing is sent there any more until somebody resumes it; what was on its way is kept to be sent again. */
  private async disable(tx: UnitOfWork, webhookId: string, because: string, now: Date): Promise<void> {
    await tx.query(disableEndpoint, [webhookId, now, because]);
    await tx.query(giveUpPending, [webhookId, now]);
    await this.changes.tell(tx, {
      action: 'webhook.disabled',
      webhookId,
      outcome: 'failure',
      metadata: { code: because },
    });
  }
}

interface Health {
  failures: number;
  failingSince: Date | null;
}

const lockFree = `
  select id, url from habeas.webhooks
   where id = $1 and disabled_at is null
     and coalesce(busy_until, '-infinity') <= $2 and coalesce(resume_at, '-infinity') <= $2
     and (select count(*) from habeas.webhooks where busy_until > $2) < $3
     for update`;

const takeTurn = /* while it is tried, the last failure is not news any more */ `
  update habeas.webhook_deliveries
     set attempts = attempts + 1, first_attempt_at = coalesce(first_attempt_at, $2), next_attempt_at = $3,
         failure = null, response_status = null
   where id = (select id from habeas.webhook_deliveries
                where webhook_id = $1 and status = 'pending' and next_attempt_at <= $2
                order by next_attempt_at, id limit 1)
  returning id, webhook_id as "webhookId", body, attempts, round_start as "roundStart",
            first_attempt_at as "firstAttemptAt"`;

const nextEndpoint = `
  select w.id from habeas.webhooks w
   where w.disabled_at is null
     and coalesce(w.busy_until, '-infinity') <= $2 and coalesce(w.resume_at, '-infinity') <= $2
     and exists (select from habeas.webhook_deliveries d
                  where d.webhook_id = w.id and d.status = 'pending' and d.next_attempt_at <= $2)
   order by w.id <= $1, w.id limit 1`;

const lockHeld = `
  select w.failures, w.failing_since as "failingSince"
    from habeas.webhooks w join habeas.webhook_deliveries d on d.webhook_id = w.id
   where w.id = $1 and d.id = $2 and d.attempts = $3 and d.status = 'pending'
     for update`;

const closeDelivery = `
  update habeas.webhook_deliveries
     set status = $2, finished_at = $3, response_status = $4, failure = $5, next_attempt_at = null
   where id = $1`;

const postpone = `
  update habeas.webhook_deliveries set next_attempt_at = $2, response_status = $3, failure = $4 where id = $1`;

const noteSuccess = /* busy until now: since when it waits for a worker is what DeliveriesSweep measures */ `
  update habeas.webhooks set busy_until = $2, failing_since = null, failures = 0, resume_at = null where id = $1`;

const noteFailure = `
  update habeas.webhooks
     set busy_until = $2, failing_since = coalesce(failing_since, $2), failures = failures + 1, resume_at = $3
   where id = $1`;

const disableEndpoint = `
  update habeas.webhooks set disabled_at = $2, disabled_because = $3 where id = $1 and disabled_at is null`;

const giveUpPending = `
  update habeas.webhook_deliveries
     set status = 'failed', finished_at = $2, next_attempt_at = null, failure = 'webhook.disabled'
   where webhook_id = $1 and status = 'pending'`;

import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { CONFIG, type Config } from '../config.js';
import { Database } from '../database/database.js';
import { type Tenancy } from '../database/tenancy.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { DomainError, notFound } from '../errors.js';
import { reachOf, readTarget } from '../http/outgoing-address.js';
import { EndpointChanges } from './endpoint-changes.js';
import { EndpointSecrets, type SecretRecord } from './endpoint-secrets.js';
import { type WebhookType } from './types.js';

export interface NewEndpoint {
  url: string;
  types: WebhookType[];
  description?: string;
}

/** An endpoint as it is shown: everything but its secrets. */
export interface Endpoint {
  id: string;
  url: string;
  types: WebhookType[];
  description: string | null;
  createdAt: Date;
  failingSince: Date | null;
  disabledAt: Date | null;
  disabledBecause: string | null;
}

export const endpointColumns = `id, url, types, description, created_at as "createdAt", failing_since as "failingSince",
  disabled_at as "disabledAt", disabled_because as "disabledBecause"`;

/** Each announcement writes a row for each endpoint, in the transaction of what it tells of: a few, not hundreds. */
const MOST = 20;

/** Where a tenant wants to be told: made by an owner, an admin or the host app. */
@Injectable()
export class Endpoints {
  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Config,
    private readonly clock: Clock,
    private readonly secrets: EndpointSecrets,
    private readonly changes: EndpointChanges,
  ) {}

  /** @throws DomainError `outgoing.url_refused`, `webhook.too_many` */
  async create(tenancy: Tenancy, endpoint: NewEndpoint): Promise<Endpoint & { secret: string }> {
    readTarget(endpoint.url, reachOf(this.config));
    return this.database.within(tenancy, async (tx) => {
      const { tenant } = tx;
      await tx.query(`select pg_advisory_xact_lock(hashtextextended('webhooks:' || $1, 0))`, [tenant]);
      const [{ n } = { n: 0 }] = await tx.query<{ n: number }>(
        'select count(*)::int as n from habeas.webhooks',
      );
      if (n >= MOST)
        throw new DomainError('webhook.too_many', `There are ${MOST} webhooks. Delete one first.`);
      const values = [tenant, endpoint.url, endpoint.types, endpoint.description ?? null, this.clock.now()];
      const created = (await tx.one<Endpoint>(insertEndpoint, values)) as Endpoint;
      const secret = await this.secrets.issue(tx, created.id);
      await this.tell(tx, 'webhook.created', created.id, { types: endpoint.types });
      return { ...created, secret };
    });
  }

  /** Newest first. */
  list(tenancy: Tenancy, limit: number, after?: string): Promise<Endpoint[]> {
    return this.database.within(tenancy, (tx) => tx.query<Endpoint>(listEndpoints, [after ?? null, limit]));
  }

  /** With the secrets that are in force, by date. @throws DomainError `webhook.not_found` */
  find(tenancy: Tenancy, id: string): Promise<Endpoint & { secrets: SecretRecord[] }> {
    return this.database.within(tenancy, (tx) => this.shown(tx, id));
  }

  /** @throws DomainError `webhook.not_found`, `outgoing.url_refused` */
  async change(
    tenancy: Tenancy,
    id: string,
    endpoint: NewEndpoint,
  ): Promise<Endpoint & { secrets: SecretRecord[] }> {
    readTarget(endpoint.url, reachOf(this.config));
    return this.database.within(tenancy, async (tx) => {
      const changed = await tx.one(changeEndpoint, [
        id,
        endpoint.url,
        endpoint.types,
        endpoint.description ?? null,
      ]);
      if (!changed) throw notFound('webhook');
      await this.tell(tx, 'webhook.changed', id, { types: endpoint.types });
      return this.shown(tx, id);
    });
  }

  /** With everything that was on its way there. @throws DomainError `webhook.not_found` */
  async delete(tenancy: Tenancy, id: string): Promise<void> {
    await this.database.within(tenancy, async (tx) => {
      if (!(await tx.one('delete from habeas.webhooks where id = $1 returning id', [id])))
        throw notFound('webhook');
      await this.tell(tx, 'webhook.deleted', id);
    });
  }

  /** @param overlap milliseconds in which the last secret still signs. @throws DomainError `webhook.not_found` */
  async rotate(
    tenancy: Tenancy,
    id: string,
    overlap: number,
  ): Promise<{ secret: string; secrets: SecretRecord[] }> {
    return this.database.within(tenancy, async (tx) => {
      await this.lock(tx, id);
      const secret = await this.secrets.rotate(tx, id, overlap);
      await this.tell(tx, 'webhook.secret_rotated', id);
      return { secret, secrets: await this.secrets.inForce(tx, id) };
    });
  }

  /** Sends to an endpoint again that was given up; once more does nothing. @throws DomainError `webhook.not_found` */
  async resume(tenancy: Tenancy, id: string): Promise<void> {
    await this.database.within(tenancy, async (tx) => {
      await this.lock(tx, id);
      if (await tx.one(resumeEndpoint, [id])) await this.tell(tx, 'webhook.resumed', id);
    });
  }

  private async shown(tx: UnitOfWork, id: string): Promise<Endpoint & { secrets: SecretRecord[] }> {
    const found = await tx.one<Endpoint>(`select ${endpointColumns} from habeas.webhooks where id = $1`, [
      id,
    ]);
    if (!found) throw notFound('webhook');
    return { ...found, secrets: await this.secrets.inForce(tx, id) };
  }

  private async lock(tx: UnitOfWork, id: string): Promise<void> {
    if (!(await tx.one('select id from habeas.webhooks where id = $1 for update', [id])))
      throw notFound('webhook');
  }

  private tell(
    tx: UnitOfWork,
    action: `webhook.${string}`,
    webhookId: string,
    metadata?: Record<string, unknown>,
  ) {
    return this.changes.tell(tx, { action, webhookId, ...(metadata && { metadata }) });
  }
}

const insertEndpoint = `
  insert into habeas.webhooks (tenant_id, url, types, description, created_at) values ($1, $2, $3, $4, $5)
  returning ${endpointColumns}`;

const listEndpoints = `
  select ${endpointColumns} from habeas.webhooks
  where $1::uuid is null or (created_at, id) < (select created_at, id from habeas.webhooks where id = $1)
  order by created_at desc, id desc limit $2`;

const changeEndpoint = /* at another address the failures of the last one say nothing */ `
  update habeas.webhooks
     set url = $2, types = $3, description = $4, failures = case when url = $2 then failures else 0 end,
         resume_at = case when url = $2 then resume_at end, failing_since = case when url = $2 then failing_since end
   where id = $1
  returning id`;

const resumeEndpoint = `
  update habeas.webhooks
     set disabled_at = null, disabled_because = null, failing_since = null, failures = 0, resume_at = null
   where id = $1 and disabled_at is not null
  returning id`;

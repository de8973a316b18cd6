import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { Clock } from '../clock.js';
import { type SubjectRef, type Tenancy } from '../database/tenancy.js';
import { Database } from '../database/database.js';
import { type Page, pageFrom, type PageQuery, readCursor, StoredMoment } from '../http/paging.js';
import { type Request } from './request.js';
import { summaryOf } from './request-view.js';
import { type RequestSummary } from './requests.schema.js';

/** Newest first: by when it was filed, then id. As text, because a Date would round microseconds away. */
const Newest = z.tuple([StoredMoment, z.guid()]);

type Listed = Request & { position: string; paused: boolean };

/** Whether the clock of the request `r` stands, in SQL. */
export const paused =
  'exists (select from habeas.request_pauses s where s.request_id = r.id and s.ended_at is null)';

const commonColumns = `
  kind, scope, status, outcome, received_at as "receivedAt", filed_at as "filedAt", due_on::text as "dueOn",
  filed_at::text as "position"`;

// Row-level security leaves what is about the person, and what they filed themselves and have not proven yet.
const ownRequests = `
  select id, tenant_id as "tenant", channel, jurisdiction, law, closed_at as "closedAt", zone, ${paused} as "paused",
         ${commonColumns}
  from habeas.requests r
  where ($1::timestamptz is null or (filed_at, id) < ($1, $2))
  order by filed_at desc, id desc limit $3`;

// A tenant sees the requests that it runs, and of others' only its own part.
const tenantRequests = `
  select * from (
    select id, tenant_id as "tenant", channel, jurisdiction, law, closed_at as "closedAt", zone, ${paused} as "paused",
           ${commonColumns}
    from habeas.requests r where tenant_id = $4
    union all
    select request_id as id, tenant_id as "tenant", null, null, null, closed_at, zone, false, ${commonColumns}
    from habeas.request_parts where tenant_id = $4 and request_tenant_id <> $4
  ) as listed
  where ($1::timestamptz is null or ("filedAt", id) < ($1, $2))
  order by "filedAt" desc, id desc limit $3`;

/** Lists of requests: a person's own across tenants, and a tenant's. */
@Injectable()
export class RequestLists {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  own(subject: SubjectRef, page: PageQuery): Promise<Page<RequestSummary>> {
    return this.database.asSelf(subject, async (tx) =>
      this.page(await tx.query<Listed>(ownRequests, this.values(page)), page),
    );
  }

  ofTenant(tenancy: Tenancy, page: PageQuery): Promise<Page<RequestSummary>> {
    return this.database.within(tenancy, async (tx) =>
      this.page(await tx.query<Listed>(tenantRequests, [...this.values(page), tx.tenant]), page),
    );
  }

  /** The tenant that runs a person's own request, or undefined when it is not theirs. */
  async tenantOfOwn(subject: SubjectRef, id: string): Promise<string | undefined> {
    const row = await this.database.asSelf(subject, (tx) =>
      tx.one<{ tenant: string }>('select tenant_id as "tenant" from habeas.requests where id = $1', [id]),
    );
    return row?.tenant;
  }

  private values({ limit, cursor }: PageQuery): unknown[] {
    const after = readCursor(Newest, cursor);
    return [after?.[0] ?? null, after?.[1] ?? null, limit + 1];
  }

  private page(rows: Listed[], { limit }: PageQuery): Page<RequestSummary> {
    const { items, next } = pageFrom(rows, limit, ({ position, id }) => [position, id]);
    return {
      items: items.map((row) => summaryOf(row, this.clock.now(), row.paused) as RequestSummary),
      next,
    };
  }
}

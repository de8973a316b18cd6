import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { AuditLog } from '../../audit/events.js';
import { Clock } from '../../clock.js';
import { HOST_TENANT, type Tenancy } from '../../database/tenancy.js';
import { Database } from '../../database/database.js';
import { Directory } from '../../database/directory.js';
import { HostMap } from '../../datamap/host-map.js';
import { notFound } from '../../errors.js';
import { pageFrom, readCursor, StoredDay } from '../../http/paging.js';
import { type Counts, type DeskQuery, type DeskQueue } from './desk.schema.js';
import { Filing } from '../filing/filing.js';
import { type Request } from '../request.js';
import { paused } from '../request-lists.js';
import { summaryOf } from '../request-view.js';
import { type NewDeskRequest, type RequestSummary } from '../requests.schema.js';

type Queued = Request & { awaiting: number; due: string; paused: boolean };

/** What is due comes first; what is never due comes last. */
const After = z.tuple([z.union([StoredDay, z.literal('infinity')]), z.guid()]);

// A letter that never arrived is somebody's work even after the end: but not one to an address that nobody proved.
const stuck = `(r.status = 'failed' or (r.failure is not null and (r.closed_at is null or r.identity_proven_at is not null)))`;
const today = (now: string) => `(${now}::timestamptz at time zone r.zone)::date`;
/** What runs out, in SQL: open, and its clock not stopped. */
const running = `(r.closed_at is null and not ${paused})`;
const late = (now: string) => `(${running} and r.due_on < ${today(now)})`;
const shown: Record<DeskQuery['show'], string> = {
  open: 'r.closed_at is null',
  stuck,
  overdue: late('$4'),
  closed: 'r.closed_at is not null',
};

const queueOf = (show: DeskQuery['show']) => `
  select r.id, r.tenant_id as "tenant", r.kind, r.scope, r.status, r.outcome, r.channel, r.jurisdiction, r.law,
         r.received_at as "receivedAt", r.filed_at as "filedAt", r.due_on::text as "dueOn", r.zone, ${paused} as "paused",
         r.identity_proven_at as "identityProvenAt", r.attempts, r.next_attempt_at as "nextAttemptAt", r.failure,
         r.closed_at as "closedAt", coalesce(r.due_on, 'infinity')::text as "due",
         (select count(*)::int from habeas.request_parts p
          where p.request_id = r.id and p.policy = 'approve' and p.decision is null) as "awaiting"
  from habeas.requests r
  where ${shown[show]} and ($1::date is null or (coalesce(r.due_on, 'infinity'), r.id) > ($1::date, $2::uuid))
    and $4::timestamptz is not null
  order by coalesce(r.due_on, 'infinity'), r.id
  limit $3`;

const counted = `
  select count(*) filter (where r.closed_at is null)::int as "open",
         count(*) filter (where ${late('$1')})::int as "overdue",
         count(*) filter (where ${stuck})::int as "stuck",
         count(*) filter (where ${running} and r.due_on between ${today('$1')} and ${today('$1')} + 7)::int as "dueWithinSevenDays",
         min(r.due_on) filter (where r.closed_at is null)::text as "oldestDueOn"
  from habeas.requests r`;

/** Staff's queue across workspaces, and the door for people who wrote in. */
@Injectable()
export class Desk {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly audit: AuditLog,
    private readonly host: HostMap,
    private readonly directory: Directory,
    private readonly filing: Filing,
  ) {}

  /** What is due and what is stuck, and why; looking is an event in the host's own log. */
  async queue(tenancy: Tenancy, { show, limit, cursor }: DeskQuery, mayList: boolean): Promise<DeskQueue> {
    const after = readCursor(After, cursor);
    const now = this.clock.now();
    await this.database.within({ ...tenancy, tenant: HOST_TENANT }, (tx) =>
      this.audit.record(tx, 'desk.viewed', { metadata: { show } }),
    );
    return this.database.asDesk(async (tx) => {
      const [counts] = await tx.query<Counts>(counted, [now]);
      const rows = mayList
        ? await tx.query<Queued>(queueOf(show), [after?.[0] ?? null, after?.[1] ?? null, limit + 1, now])
        : [];
      const { items, next } = pageFrom(rows, limit, ({ due, id }) => [due, id]);
      return { counts: counts as Counts, items: items.map((row) => this.item(row)), next };
    });
  }

  /**
   * Files for a person who wrote in. Whether the address is known is not looked up before it is proven, so the
   * answer is the same either way.
   * @throws DomainError `workspace.not_found`, `request.received_in_future`
   */
  async file(
    tenancy: Tenancy,
    { workspaceId, channel, requester, mandate, receivedAt, ...rest }: NewDeskRequest,
  ): Promise<Request> {
    const tenant = workspaceId?.toLowerCase() ?? HOST_TENANT;
    if (tenant !== HOST_TENANT) await this.assertWorkspace({ ...tenancy, tenant });
    const details = { writtenBy: channel, ...(requester && { requester }), ...(mandate && { mandate }) };
    return this.filing.file(
      { ...tenancy, tenant },
      {
        ...rest,
        scope: tenant === HOST_TENANT ? 'account' : 'person',
        channel: 'desk',
        details,
        ...(receivedAt && { receivedAt: new Date(receivedAt) }),
      },
    );
  }

  private async assertWorkspace(tenancy: Tenancy): Promise<void> {
    await this.database.within(tenancy, async (tx) => {
      if (await this.directory.find(tx)) return;
      const known = await tx.asHost((host) => this.host.workspaces.workspaceName(host, tenancy.tenant));
      if (known === undefined) throw notFound('workspace');
      await this.directory.ensure(tx, tenancy.tenant);
    });
  }

  private item(row: Queued): DeskQueue['items'][number] {
    const waitingFor = [
      ...(row.status === 'verifying' ? ['identity'] : []),
      ...(row.awaiting > 0 && row.closedAt === null ? ['approvals'] : []),
      ...(row.status === 'in_progress' && row.nextAttemptAt ? ['retry'] : []),
      ...(row.failure?.code.startsWith('deletion.') && row.closedAt === null ? ['a blocker'] : []),
      ...(row.status === 'failed' ? ['a person'] : []),
      ...(this.host.problems.length > 0 && row.closedAt === null ? ['data map'] : []),
    ];
    return {
      ...(summaryOf(row, this.clock.now(), row.paused) as RequestSummary),
      path: `/v1/workspaces/${row.tenant}/requests/${row.id}`,
      identityProven: row.identityProvenAt !== null,
      waitingFor,
      attempts: row.attempts,
      nextAttemptAt: row.nextAttemptAt?.toISOString() ?? null,
      failure: row.failure,
    };
  }
}

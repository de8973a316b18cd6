import { Injectable } from '@nestjs/common';
import { HOST_TENANT } from '../database/tenancy.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { type Request } from './request.js';
import { type Outcome, type RequestStatus } from './request-lifecycle.js';

export type Decision = 'approved' | 'refused' | 'left_out';

/** What of a request lies in one tenant, and what that tenant says to it. */
export interface Part {
  tenant: string;
  /** The workspace's key at the host; null for the account part. */
  hostKey: string | null;
  policy: 'auto' | 'approve';
  /** null: `auto` needs none, `approve` waits for one. */
  decision: Decision | null;
  decidedAt: Date | null;
  status: RequestStatus;
  outcome: Outcome | null;
}

export const undecided = (part: Part): boolean => part.policy === 'approve' && part.decision === null;
/** Silence never approves: what was not decided in time is left out like what was refused. */
export const takesPart = (part: Part): boolean => part.policy === 'auto' || part.decision === 'approved';

const columns = `
  tenant_id as "tenant", host_key as "hostKey", policy, decision, decided_at as "decidedAt", status, outcome`;

const insertPart = `
  insert into habeas.request_parts (tenant_id, request_id, request_tenant_id, host_key, kind, scope, policy, status,
                                    received_at, filed_at, due_on, zone)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`;

/**
 * The parts of requests. Each is written in its own tenant, and read by the request's; siblings never see each
 * other, which row-level security sees to.
 */
@Injectable()
export class Parts {
  /** All parts of a request, account last: it is the one whose run destroys what the others need. */
  of(tx: UnitOfWork, request: Request): Promise<Part[]> {
    const sql = `select ${columns} from habeas.request_parts where request_id = $1 order by (tenant_id = $2), tenant_id`;
    return tx.query<Part>(sql, [request.id, HOST_TENANT]);
  }

  /** Call it in the part's tenant. */
  async add(
    tx: UnitOfWork,
    request: Request,
    part: { tenant: string; hostKey: string | null; policy: Part['policy'] },
  ): Promise<void> {
    const { id, tenant, kind, scope, status, receivedAt, filedAt, dueOn, zone } = request;
    await tx.query(insertPart, [
      part.tenant, id, tenant, part.hostKey, kind, scope, part.policy, status, receivedAt, filedAt, dueOn, zone,
    ]); // prettier-ignore
  }

  /** Decides a part that waits; false when there is nothing to decide (any more). Call it in the part's tenant. */
  async decide(
    tx: UnitOfWork,
    requestId: string,
    decision: Decision,
    by: string,
    at: Date,
  ): Promise<boolean> {
    const sql = `
      update habeas.request_parts set decision = $3, decided_by = $4, decided_at = $5
      where tenant_id = $1 and request_id = $2 and policy = 'approve' and decision is null
        and status not in ('fulfilled', 'refused', 'withdrawn')
      returning 1`;
    return (await tx.query(sql, [tx.tenant, requestId, decision, by, at])).length > 0;
  }

  /** Takes a part out by staff's word, whether it waited for its tenant or not. Call it in the part's tenant. */
  async exclude(tx: UnitOfWork, requestId: string, by: string, at: Date): Promise<void> {
    const sql = `
      update habeas.request_parts set policy = 'approve', decision = 'refused', decided_by = $3, decided_at = $4
      where tenant_id = $1 and request_id = $2`;
    await tx.query(sql, [tx.tenant, requestId, by, at]);
  }

  /** Shows a change of the request in its part's own tenant; call it there. */
  async mirror(tx: UnitOfWork, request: Request, outcome: Outcome | null): Promise<void> {
    const sql = `
      update habeas.request_parts set status = $3, outcome = $4, due_on = $5, zone = $6, closed_at = $7
      where tenant_id = $1 and request_id = $2`;
    const { id, status, dueOn, zone, closedAt } = request;
    await tx.query(sql, [tx.tenant, id, status, outcome, dueOn, zone, closedAt]);
  }
}

import { Inject, Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/events.js';
import { Clock } from '../../clock.js';
import { CONFIG, type Config } from '../../config.js';
import { HOST_TENANT, type SubjectRef, type Tenancy } from '../../database/tenancy.js';
import { Database } from '../../database/database.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { HostMap } from '../../datamap/host-map.js';
import { driftOr, unlessMisfit } from '../../datamap/misfit.js';
import { type Subject } from '../../datamap/settings.js';
import { DomainError, notFound } from '../../errors.js';
import { type ApiToken, type Person } from '../../identity/principal.js';
import { grantsOf } from '../../identity/role-matrix.js';
import { Filing } from './filing.js';
import { lastDayToDecide } from '../law/legal-clock.js';
import { PackageRecipient } from '../access/package-recipient.js';
import { People } from './people-of-tenant.js';
import { type Request } from '../request.js';
import { isOpen } from '../request-lifecycle.js';
import { RequestView, summaryOf } from '../request-view.js';
import { Requests } from '../requests.js';
import {
  type NewWorkspaceRequest,
  type PartDetail,
  type RequestDetail,
  type RequestSummary,
} from '../requests.schema.js';
import { readTimeline } from '../timeline.js';

/** What owners, admins, host tokens and staff do with the requests of one tenant. */
@Injectable()
export class WorkspaceRequests {
  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Config,
    private readonly host: HostMap,
    private readonly clock: Clock,
    private readonly audit: AuditLog,
    private readonly requests: Requests,
    private readonly view: RequestView,
    private readonly filing: Filing,
    private readonly people: People,
    private readonly recipient: PackageRecipient,
  ) {}

  /**
   * Somebody else's word proves nobody's identity: the person confirms it by a link that is mailed to them.
   * @throws DomainError `auth.forbidden`, `request.wrong_scope`, `request.use_deletion`, `subject.not_found`,
   * `subject.no_address`, `request.duplicate`
   */
  async file(tenancy: Tenancy, caller: Person | ApiToken, filing: NewWorkspaceRequest): Promise<Request> {
    assertScope(tenancy, caller, filing);
    const channel = caller.type === 'token' ? 'token' : 'workspace';
    if (filing.scope === 'workspace') {
      if (filing.kind === 'deletion') {
        throw new DomainError(
          'request.use_deletion',
          `A workspace is deleted at /v1/workspaces/${tenancy.tenant}/deletion.`,
        );
      }
      const mail = await this.database.within(tenancy, (tx) =>
        tx.attempt(() => this.recipient.of(tx, caller), unlessMisfit<string | undefined>(undefined)),
      );
      return this.filing.file(tenancy, {
        ...filing,
        channel,
        ...(mail !== undefined && { mail }),
        proven: { method: 'authority', subjects: [] },
      });
    }
    const { subject, receivedAt, ...rest } = filing;
    const mail = 'mail' in subject ? subject.mail : await this.addressOf(tenancy, subject);
    return this.filing.file(tenancy, {
      ...rest,
      channel,
      mail,
      ...(receivedAt !== undefined && { receivedAt: new Date(receivedAt) }),
    });
  }

  /** A request that this tenant runs, or its own part of another; staff's look is an event. */
  async read(tenancy: Tenancy, id: string, caller?: Person | ApiToken): Promise<RequestDetail | PartDetail> {
    const staff = tenancy.actor.type === 'staff';
    const reader = staff ? (caller && seesCountsOnly(caller) ? 'oversight' : 'staff') : 'workspace';
    return this.database.within(tenancy, async (tx) => {
      const request = await this.requests.find(tx, id).catch((error: unknown) => {
        if (error instanceof DomainError && error.code === 'request.not_found') return undefined;
        throw error;
      });
      if (staff) await this.audit.record(tx, 'request.viewed', { targets: [{ type: 'request', id }] });
      return request ? this.view.of(tx, request, reader) : this.readPart(tx, id);
    });
  }

  private async readPart(tx: UnitOfWork, id: string): Promise<PartDetail> {
    const part = await tx.one<
      Request & { policy: 'auto' | 'approve'; decision: string | null; requestTenant: string }
    >(selectPart, [tx.tenant, id]);
    if (!part) throw notFound('request');
    const decides = part.policy === 'approve' && part.decision === null && isOpen(part.status);
    const subjects = decides ? await this.subjectsHere(tx, id, part.requestTenant) : [];
    return {
      ...(summaryOf(part, this.clock.now()) as RequestSummary),
      policy: part.policy,
      decision: part.decision,
      decideBy: decides && part.dueOn ? lastDayToDecide(part.dueOn, this.config.dueMargin) : null,
      subjects: subjects.map(({ kind, key }) => ({ kind, key })),
      timeline: await readTimeline(tx, id, 'workspace'),
    };
  }

  /** Whom this tenant decides about. Who else the person is, in other workspaces, is none of its business. */
  private async subjectsHere(tx: UnitOfWork, id: string, requestTenant: string): Promise<SubjectRef[]> {
    const all = await tx.inTenant(requestTenant, () => this.requests.subjects(tx, id));
    const here: SubjectRef[] = [];
    const isHere = async ({ kind, key }: SubjectRef) => {
      const subject = await tx.asHost((host) => this.host.people.byKey(host, kind, key));
      return subject !== undefined && this.people.belongs(tx, subject);
    };
    // Drift stops nobody from seeing what is due: who it is about stands there again when the map is mended.
    for (const { kind, key } of all)
      if (await tx.attempt(() => isHere({ kind, key }), unlessMisfit(false))) here.push({ kind, key });
    return here;
  }

  private async addressOf(tenancy: Tenancy, subject: { kind: string; key: string }): Promise<string> {
    const found = await this.database
      .within(tenancy, async (tx) => {
        const person = await tx.asHost((host): Promise<Subject | undefined> =>
          this.host.people.byKey(host, subject.kind, subject.key),
        );
        const known = person && (tenancy.tenant === HOST_TENANT || (await this.people.belongs(tx, person)));
        return known ? person : undefined;
      })
      .catch(driftOr);
    if (!found) throw notFound('subject');
    const mail = this.people.mailOf(found);
    if (mail === undefined) {
      throw new DomainError(
        'subject.no_address',
        'No mail address is known of this person: let the desk file it, and prove identity by hand.',
      );
    }
    return mail;
  }
}

/** An account is a matter of the host, in its own tenant; nothing else is. Staff file it at the desk. */
function assertScope({ tenant }: Tenancy, caller: Person | ApiToken, { scope }: NewWorkspaceRequest): void {
  const inHost = tenant === HOST_TENANT;
  const isHosts = caller.type === 'token' && caller.tenant === HOST_TENANT;
  const may = isHosts && grantsOf(caller.roles, 'account-requests', 'create').size > 0;
  if (scope === 'account' && !may)
    throw new DomainError('auth.forbidden', 'Only a token of the host itself may file for an account.');
  if (scope === 'account' && !inHost)
    throw wrongScope(
      `An account is more than one workspace: file at /v1/workspaces/${HOST_TENANT}/requests.`,
    );
  if (scope !== 'account' && inHost)
    throw wrongScope(
      'In the host’s own tenant a request has scope account; others are filed in their workspace.',
    );
}

const wrongScope = (message: string) =>
  new DomainError('request.wrong_scope', message, {
    errors: [{ path: 'scope', code: 'request.wrong_scope', message: 'does not fit this tenant' }],
  });

/** Headquarters oversee: dates and counts, unless another of their roles lets them see more. */
const seesCountsOnly = ({ roles }: Person | ApiToken): boolean =>
  [...grantsOf(roles, 'requests', 'read').values()].every((grant) => grant === 'counts');

const selectPart = `
  select request_id as id, tenant_id as "tenant", kind, scope, status, outcome, policy, decision,
         request_tenant_id as "requestTenant", received_at as "receivedAt", filed_at as "filedAt", due_on::text as "dueOn",
         zone, closed_at as "closedAt", null as channel, null as jurisdiction, null as law
  from habeas.request_parts where tenant_id = $1 and request_id = $2`;

import { Injectable } from '@nestjs/common';
import { validate as isUuid } from 'uuid';
import { Database } from '../database/database.js';
import { Directory, type DirectoryEntry } from '../database/directory.js';
import { type Actor, type CallContext, HOST_TENANT, type Tenancy } from '../database/tenancy.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { driftOr } from '../datamap/misfit.js';
import { DomainError, notFound } from '../errors.js';
import { Auditors } from './auditors.js';
import { HostPeople } from './host-people.js';
import { type ApiToken, type Person } from './principal.js';
import { grantsOf } from './role-matrix.js';
import { type Role, staffRoles } from './roles.js';

/** What a route asks for, in the matrix's words. */
export interface Right {
  resource: string;
  verb: string;
}

/** A caller who may go on: with the roles held in this tenancy, and the tenancy itself. */
export interface Admission {
  principal: Person | ApiToken;
  tenancy: Tenancy;
}

/** Whether a caller may do something, here and now. Nothing is remembered from one call to the next. */
@Injectable()
export class Access {
  constructor(
    private readonly database: Database,
    private readonly directory: Directory,
    private readonly people: HostPeople,
    private readonly auditors: Auditors,
  ) {}

  /** What is about no workspace: `/me`, the desk, reference data. @throws DomainError `auth.forbidden` */
  outsideWorkspaces(caller: Person | ApiToken, right: Right, context: CallContext): Admission {
    const deciding = grantsOf(caller.roles, right.resource, right.verb);
    if (deciding.size === 0) throw forbidden();
    return admission(caller, caller.roles, [...deciding.keys()], HOST_TENANT, context);
  }

  /**
   * What is about one workspace, or about the host's own tenant.
   * @throws DomainError `workspace.not_found` for a workspace that is missing or none of the caller's business,
   * `auth.forbidden` for a caller who has to do with it but may not do this, `workspace.purged` for anything but a look
   * at one that was deleted
   */
  async inWorkspace(
    caller: Person | ApiToken,
    right: Right,
    workspace: string,
    context: CallContext,
  ): Promise<Admission> {
    if (!isUuid(workspace)) throw notFound('workspace');
    const tenant = workspace.toLowerCase();
    return this.database.within({ tenant, actor: actorOf(caller, false), context }, async (tx) => {
      const entry = await this.directory.find(tx);
      const roles = entry?.purgedAt ? rolesAfterwards(caller) : await this.rolesIn(tx, caller, entry);
      const deciding = grantsOf(roles, right.resource, right.verb);
      const allowing: Role[] = [];
      for (const [role, grant] of deciding)
        if (grant !== 'if-owner-allows' || (await ownerAllows(tx))) allowing.push(role);
      if (allowing.length === 0) throw forbidden();
      if (entry?.purgedAt && right.verb !== 'read' && !outlives.has(right.resource))
        throw new DomainError('workspace.purged', 'This workspace was deleted, and what belonged to it.');
      return admission(caller, roles, allowing, tenant, context);
    });
  }

  /** The caller's roles in the tenant of `tx`, whose directory row appears with the first caller who has any. */
  private async rolesIn(tx: UnitOfWork, caller: Person | ApiToken, entry?: DirectoryEntry): Promise<Role[]> {
    const { tenant } = tx; // before any asHost, in which a unit of work is in no tenant
    const known = { hostKey: entry?.hostKey };
    const roles =
      caller.type === 'token' ? tokenRoles(caller, tenant) : await this.personRoles(tx, caller, known);
    if (roles.length === 0) throw notFound('workspace');
    if (!entry && tenant !== HOST_TENANT) {
      const hostKey = known.hostKey ?? (await tx.asHost((host) => this.people.hostKeyOf(host, tenant)));
      if (hostKey === undefined) throw notFound('workspace');
      await this.directory.ensure(tx, hostKey);
    }
    return caller.type === 'person' ? ['person', ...roles] : roles;
  }

  private async personRoles(tx: UnitOfWork, person: Person, known: { hostKey?: string }): Promise<Role[]> {
    const { subject, staff } = person;
    const { tenant } = tx;
    const roles: Role[] = [...staff];
    if (tenant === HOST_TENANT && staff.includes('privacy-lead')) roles.push('headquarters');
    if (!person.known) return roles;
    if (tenant !== HOST_TENANT) {
      const { hostKey } = known;
      const membership = await tx
        .asHost((host) => this.people.membership(host, subject, tenant, hostKey))
        .catch(driftOr);
      if (membership) roles.push(membership.role);
      known.hostKey ??= membership?.hostKey;
    }
    if (await this.auditors.isAuditor(tx, subject)) roles.push('auditor');
    return roles;
  }
}

/** What is still done about a workspace that was deleted: whoever had been handed its data has to be told. */
const outlives = new Set(['recipient-confirmations', 'recipient-attempts']);

/** A token is good in the workspace it was made in; one of the host's own tenant in every workspace. */
const tokenRoles = ({ tenant, permissions }: ApiToken, here: string): Role[] =>
  tenant === here || tenant === HOST_TENANT ? [...permissions] : [];

/**
 * Who has to do with a workspace that was deleted: staff, and tokens of the host itself. Whoever the host makes a member
 * of it once more meets a workspace that is gone, and not a fresh one.
 */
function rolesAfterwards(caller: Person | ApiToken): Role[] {
  const roles: Role[] = caller.type === 'token' ? tokenRoles(caller, HOST_TENANT) : [...caller.staff];
  if (roles.length === 0) throw notFound('workspace');
  return caller.type === 'person' ? ['person', ...roles] : roles;
}

/** Nobody has decided: no. Row-level security leaves the tenant's own row. */
const ownerAllows = async (tx: UnitOfWork): Promise<boolean> =>
  (await tx.one('select from habeas.controllers where tenant_id = $1 and admin_may_download', [
    tx.tenant,
  ])) !== undefined;

/** In the log a person acts as staff only where nothing else let them do it. */
function admission(
  caller: Person | ApiToken,
  roles: readonly Role[],
  allowing: readonly Role[],
  tenant: string,
  context: CallContext,
): Admission {
  const asStaff = allowing.every(
    (role) => role === 'headquarters' || staffRoles.some((staff) => staff === role),
  );
  return { principal: { ...caller, roles }, tenancy: { tenant, actor: actorOf(caller, asStaff), context } };
}

const actorOf = (caller: Person | ApiToken, asStaff: boolean): Actor =>
  caller.type === 'token'
    ? { type: 'token', id: caller.id }
    : { type: asStaff ? 'staff' : 'person', subject: caller.subject, name: caller.name };

const forbidden = () => new DomainError('auth.forbidden', 'You may not do this here.');

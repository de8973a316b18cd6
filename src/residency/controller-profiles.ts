import { Injectable } from '@nestjs/common';
import { AuditLog } from '../audit/events.js';
import { Clock } from '../clock.js';
import { Database } from '../database/database.js';
import { type Tenancy } from '../database/tenancy.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { DomainError } from '../errors.js';

/** Who decides about a workspace's data (GDPR Art. 4(7)), as the legal texts name them. */
export interface ControllerProfile {
  name: string | null;
  /** Where people reach the controller: an address, a mail, a form. */
  contact: string | null;
  dpo: string | null;
  /** The supervisory authority, where it is not the establishment's usual one. */
  authority: string | null;
  /** Jurisdiction code: a country, or a country and a state (`DE`, `US-CA`). */
  establishment: string | null;
  /** Whether the workspace's parts of people's requests run by themselves or wait for an owner or admin. */
  approvals: 'auto' | 'approve';
  /** Whether admins may fetch the package of the whole workspace, as owners may. */
  adminMayDownload: boolean;
}

const nobodyYet: ControllerProfile = {
  name: null,
  contact: null,
  dpo: null,
  authority: null,
  establishment: null,
  approvals: 'auto',
  adminMayDownload: false,
};

/** Names and contacts may be a person's; the others are settings. */
const personal = ['name', 'contact', 'dpo', 'authority'] as const satisfies (keyof ControllerProfile)[];
const settings = [
  'establishment',
  'approvals',
  'adminMayDownload',
] as const satisfies (keyof ControllerProfile)[];

/** The profiles of workspaces as controllers. The host's own stands in its data map. */
@Injectable()
export class ControllerProfiles {
  constructor(
    private readonly database: Database,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
  ) {}

  of(tenancy: Tenancy): Promise<ControllerProfile> {
    return this.database.within(tenancy, (tx) => this.read(tx));
  }

  /** The same within a caller's transaction, in the tenant that it is in. */
  async read(tx: UnitOfWork): Promise<ControllerProfile> {
    return (await tx.one<ControllerProfile>(selectProfile, [tx.tenant])) ?? nobodyYet;
  }

  /**
   * Replaces the profile.
   * @param byOwner whether an owner asks; an admin may not let admins in
   * @throws DomainError `auth.forbidden`
   */
  replace(tenancy: Tenancy, next: ControllerProfile, byOwner: boolean): Promise<ControllerProfile> {
    return this.database.within(tenancy, async (tx) => {
      // Two who write at once: the second one compares with what the first one left.
      await tx.query(`select pg_advisory_xact_lock(hashtextextended('controller:' || $1::text, 0))`, [
        tx.tenant,
      ]);
      const before = await this.read(tx);
      if (next.adminMayDownload !== before.adminMayDownload && !byOwner)
        throw new DomainError('auth.forbidden', 'Only an owner decides whether admins may download.');
      const changed = [...personal, ...settings].filter((field) => next[field] !== before[field]);
      if (changed.length === 0) return before;
      await tx.query(upsertProfile, [
        tx.tenant,
        ...[...personal, ...settings].map((field) => next[field]),
        this.clock.now(),
      ]);
      await this.audit.record(tx, 'controller.changed', changeOf(tx.tenant, before, next, changed));
      return this.read(tx);
    });
  }
}

function changeOf(
  tenant: string,
  before: ControllerProfile,
  next: ControllerProfile,
  changed: readonly (keyof ControllerProfile)[],
) {
  const plain = settings.filter((field) => changed.includes(field));
  const values = (of: ControllerProfile) => Object.fromEntries(plain.map((field) => [field, of[field]]));
  return {
    targets: [{ type: 'workspace', id: tenant }],
    metadata: { changed, before: values(before), after: values(next) },
    disclosures: personal
      .filter((field) => changed.includes(field))
      .flatMap((field) => [
        { path: `metadata.before.${field}`, value: before[field] },
        { path: `metadata.after.${field}`, value: next[field] },
      ]),
  };
}

const selectProfile = `
  select name, contact, dpo, authority, establishment, approvals, admin_may_download as "adminMayDownload"
  from habeas.controllers where tenant_id = $1`;

const upsertProfile = `
  insert into habeas.controllers (tenant_id, name, contact, dpo, authority, establishment, approvals,
                                  admin_may_download, updated_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
  on conflict (tenant_id) do update set
    (name, contact, dpo, authority, establishment, approvals, admin_may_download, updated_at) =
    (excluded.name, excluded.contact, excluded.dpo, excluded.authority, excluded.establishment, excluded.approvals,
     excluded.admin_may_download, excluded.updated_at)`;

import { Injectable } from '@nestjs/common';
import { AuditLog } from '../audit/events.js';
import { Clock } from '../clock.js';
import { Database } from '../database/database.js';
import { type SubjectRef, type Tenancy } from '../database/tenancy.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { DomainError, notFound } from '../errors.js';
import { actorId } from './actor-id.js';
import { HostPeople } from './host-people.js';

export interface AuditorRecord {
  id: string;
  /** The auditor's key at the host. */
  userId: string;
  grantedAt: Date;
  expiresAt: Date | null;
  revokedAt: Date | null;
}

export type NewAuditor = ({ userId: string } | { mail: string }) & { expiresAt?: Date };

const columns = `id, subject_key as "userId", granted_at as "grantedAt", expires_at as "expiresAt",
  revoked_at as "revokedAt"`;

/** People whom an owner lets look at the audit log. They need an account at the host, but no membership. */
@Injectable()
export class Auditors {
  constructor(
    private readonly database: Database,
    private readonly people: HostPeople,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
  ) {}

  /** Whether a person may look at the log of the tenant that `tx` is in, at this moment. */
  async isAuditor(tx: UnitOfWork, { kind, key }: SubjectRef): Promise<boolean> {
    return (await tx.one(findGrant, [kind, key, this.clock.now()])) !== undefined;
  }

  /**
   * Lets somebody in, by user id or by a mail that is one person's at the host.
   * @throws DomainError `person.not_found`, `auditor.already_granted`, `auditor.expiry_in_past`
   */
  async grant(tenancy: Tenancy, auditor: NewAuditor): Promise<AuditorRecord> {
    const now = this.clock.now();
    if (auditor.expiresAt && auditor.expiresAt <= now)
      throw new DomainError('auditor.expiry_in_past', 'expiresAt must be in the future.');
    return this.database.within(tenancy, async (tx) => {
      const person = await this.find(tx, auditor);
      await tx.query(endExpired, [person.kind, person.key, now]);
      const values = [tx.tenant, person.kind, person.key, await actorId(tx), now, auditor.expiresAt ?? null];
      const record = await tx.one<AuditorRecord>(insertGrant, values);
      if (!record)
        throw new DomainError('auditor.already_granted', 'This person is an auditor here already.');
      await this.audit.record(tx, 'auditor.granted', {
        targets: [{ type: 'auditor', id: record.id }],
        subjects: [person],
        metadata: auditor.expiresAt ? { expiresAt: auditor.expiresAt } : {},
      });
      return record;
    });
  }

  /** Grants of the tenant, newest first, past ones too. */
  async list(tenancy: Tenancy, limit: number, after?: string): Promise<AuditorRecord[]> {
    return this.database.within(tenancy, (tx) => tx.query<AuditorRecord>(listGrants, [after ?? null, limit]));
  }

  /** Takes a grant back at once; once more does nothing. @throws DomainError `auditor.not_found` */
  async revoke(tenancy: Tenancy, id: string): Promise<void> {
    await this.database.within(tenancy, async (tx) => {
      const found = await tx.one<SubjectRef>(
        'select subject_kind as kind, subject_key as key from habeas.auditors where id = $1',
        [id],
      );
      if (!found) throw notFound('auditor');
      const revoked = await tx.one(
        'update habeas.auditors set revoked_at = $2 where id = $1 and revoked_at is null returning id',
        [id, this.clock.now()],
      );
      if (!revoked) return;
      const targets = [{ type: 'auditor', id }];
      await this.audit.record(tx, 'auditor.revoked', { targets, subjects: [found] });
    });
  }

  /** Ends the grants of people who are erased, in the tenant of `tx`; a past one does not name them any more either. */
  async revokeOf(tx: UnitOfWork, people: readonly SubjectRef[]): Promise<void> {
    const values = [people.map(({ kind }) => kind), people.map(({ key }) => key), this.clock.now()];
    for (const { id } of await tx.query<{ id: string }>(forgetGrants, values))
      await this.audit.record(tx, 'auditor.revoked', { targets: [{ type: 'auditor', id }] });
  }

  private async find(tx: UnitOfWork, who: NewAuditor): Promise<SubjectRef> {
    const found = await tx.asHost(async (host) =>
      'mail' in who ? this.people.byMail(host, who.mail) : [await this.people.byKey(host, who.userId)],
    );
    const [person] = found;
    // A mail that two people share says whom to let in as little as one that nobody has.
    if (!person || found.length > 1) throw notFound('person');
    return person;
  }
}

const findGrant = `
  select id from habeas.auditors
  where subject_kind = $1 and subject_key = $2 and revoked_at is null and (expires_at is null or expires_at > $3)`;

/** An expired grant makes room for a new one. */
const endExpired = `
  update habeas.auditors set revoked_at = expires_at
  where subject_kind = $1 and subject_key = $2 and revoked_at is null and expires_at <= $3`;

// Whom it was given to goes with them; the events of the log tell of a pseudonym.
const forgetGrants = `
  with before as (
    select a.id, a.revoked_at is null as live from habeas.auditors a
    join unnest($1::text[], $2::text[]) as person(kind, key) on a.subject_kind = person.kind and a.subject_key = person.key
  ), ended as (
    update habeas.auditors a set revoked_at = coalesce(a.revoked_at, $3), subject_key = 'erased:' || a.id
    from before where a.id = before.id
  )
  select id from before where live`;

const insertGrant = `
  insert into habeas.auditors (tenant_id, subject_kind, subject_key, granted_by, granted_at, expires_at)
  values ($1, $2, $3, $4, $5, $6)
  on conflict (tenant_id, subject_kind, subject_key) where revoked_at is null do nothing
  returning ${columns}`;

const listGrants = `
  select ${columns} from habeas.auditors
  where $1::uuid is null or (granted_at, id) < (select granted_at, id from habeas.auditors where id = $1)
  order by granted_at desc, id desc limit $2`;

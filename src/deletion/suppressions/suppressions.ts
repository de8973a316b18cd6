import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/events.js';
import { Database } from '../../database/database.js';
import { HOST_TENANT, type Tenancy } from '../../database/tenancy.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { HostMap } from '../../datamap/host-map.js';
import { normalise } from '../../datamap/normalise.js';
import { type Normaliser } from '../../datamap/schema.js';
import { type Subject } from '../../datamap/settings.js';
import { Sealing } from '../../keys/sealing.js';
import { type Suppressed } from '../ledger/entry.js';
import { type AskedIdentifier, type SuppressionAnswer } from './suppressions.schema.js';

/** Why a person may be held again: they came by themselves, they agreed, or the erasure was not theirs. */
export type LiftReason = 'returned' | 'consented' | 'mistaken';

/** What is compared: imports name a mail a mail, whatever the map calls it. */
type Sort = 'mail' | 'id' | 'phone';
interface Known {
  sort: Sort;
  value: string;
}

const sortOf = (normaliser: Normaliser): Sort => (normaliser === 'exact' ? 'id' : normaliser);

/** Who was erased, by keyed hashes only: an import asks before it brings somebody back. */
@Injectable()
export class Suppressions {
  constructor(
    private readonly database: Database,
    private readonly sealing: Sealing,
    private readonly audit: AuditLog,
    private readonly hostMap: HostMap,
  ) {}

  /**
   * Remembers erased people in the tenant that `tx` is in: the host's for an account, which then holds everywhere.
   * To be called in the transaction that ends the erasure; harmless when called again.
   * @param subjects with their identifiers as they were before
   */
  async add(
    tx: UnitOfWork,
    subjects: readonly Subject[],
    { erasureId, erasedAt }: { erasureId: string; erasedAt: Date },
  ): Promise<void> {
    await this.restore(tx, this.digestsOf(tx.tenant, subjects), { erasureId, erasedAt });
  }

  /** What `add` would remember in this tenant, for the ledger: keyed hashes. */
  digestsOf(tenant: string, subjects: readonly Subject[]): Suppressed[] {
    const all = subjects.flatMap((subject) =>
      this.knownOf(subject).map((known) => ({
        kind: subject.kind,
        digest: this.digest(tenant, known).toString('base64url'),
      })),
    );
    const distinct = new Map(all.map((one) => [`${one.kind} ${one.digest}`, one]));
    return [...distinct.keys()].sort().map((name) => distinct.get(name) as Suppressed);
  }

  /** Remembers what a ledger has kept, in the tenant that `tx` is in; harmless when it is remembered already. */
  async restore(
    tx: UnitOfWork,
    entries: readonly Suppressed[],
    { erasureId, erasedAt }: { erasureId: string; erasedAt: Date },
  ): Promise<void> {
    const added = await tx.query(insert, [
      tx.tenant,
      entries.map(({ digest }) => Buffer.from(digest, 'base64url')),
      entries.map(({ kind }) => kind),
      erasedAt,
      erasureId,
    ]);
    if (added.length === 0) return;
    await this.audit.record(tx, 'suppression.added', {
      targets: [{ type: 'erasure', id: erasureId }],
      metadata: { entries: added.length },
    });
  }

  /** For each identifier whether somebody with it was erased here or host-wide; the log learns how many were asked. */
  check(tenancy: Tenancy, identifiers: readonly AskedIdentifier[]): Promise<SuppressionAnswer[]> {
    return this.database.within(tenancy, async (tx) => {
      const here = await this.lookUp(tx, identifiers);
      const everywhere =
        tx.tenant === HOST_TENANT ? [] : await tx.inTenant(HOST_TENANT, () => this.lookUp(tx, identifiers));
      const answers = identifiers.map((_, n): SuppressionAnswer => {
        const since = here[n];
        // When somebody left the host altogether is no business of a workspace that they may never have been in.
        if (since === undefined) return { suppressed: everywhere[n] !== undefined };
        return { suppressed: true, since };
      });
      const suppressed = answers.filter((answer) => answer.suppressed).length;
      await this.audit.record(tx, 'suppression.checked', { metadata: { asked: answers.length, suppressed } });
      return answers;
    });
  }

  /**
   * Forgets these identifiers in the tenant that `tx` is in, because the person may be held again. Others of the
   * same person stay suppressed until they are given too: a phone number may be somebody else's by now.
   * @returns how many entries went
   */
  async lift(tx: UnitOfWork, identifiers: readonly AskedIdentifier[], reason: LiftReason): Promise<number> {
    const asked = identifiers.flatMap((identifier) => {
      const known = knownFrom(identifier);
      return known ? [{ digest: this.digest(tx.tenant, known), kind: identifier.kind ?? null }] : [];
    });
    const lifted = await tx.query<{ erasure: string }>(remove, [
      tx.tenant,
      asked.map(({ digest }) => digest),
      asked.map(({ kind }) => kind),
    ]);
    if (lifted.length === 0) return 0;
    const erasures = [...new Set(lifted.map(({ erasure }) => erasure))].sort();
    await this.audit.record(tx, 'suppression.lifted', {
      targets: erasures.map((id) => ({ type: 'erasure', id })),
      metadata: { reason, entries: lifted.length },
    });
    return lifted.length;
  }

  /** The day of the erasure for each identifier, or undefined; in the tenant that `tx` is in. */
  private async lookUp(
    tx: UnitOfWork,
    identifiers: readonly AskedIdentifier[],
  ): Promise<(string | undefined)[]> {
    const digests = identifiers.map((identifier) => {
      const known = knownFrom(identifier);
      return known ? this.digest(tx.tenant, known) : null;
    });
    const kinds = identifiers.map(({ kind }) => kind ?? null);
    const rows = await tx.query<{ n: number; since: string }>(find, [tx.tenant, digests, kinds]);
    const since = new Map(rows.map((row) => [row.n - 1, row.since]));
    return identifiers.map((_, n) => since.get(n));
  }

  private knownOf({ kind, key, identifiers }: Subject): Known[] {
    const subjectKind = this.hostMap.map.subjects[kind];
    const known = Object.entries(identifiers).flatMap(([name, value]): Known[] =>
      value ? [{ sort: sortOf(subjectKind?.identifiers[name]?.normalise ?? 'exact'), value }] : [],
    );
    return subjectKind?.table ? [...known, { sort: 'id', value: key }] : known;
  }

  private digest(tenant: string, { sort, value }: Known): Buffer {
    return this.sealing.digest(`suppression:${tenant}`, JSON.stringify([sort, value]));
  }
}

/** What is asked, in normal form; undefined where nothing is left of it. */
function knownFrom({ mail, id, phone }: AskedIdentifier): Known | undefined {
  const known: Known =
    mail !== undefined
      ? { sort: 'mail', value: normalise('mail', mail) }
      : phone !== undefined
        ? { sort: 'phone', value: normalise('phone', phone) }
        : { sort: 'id', value: id ?? '' };
  return known.value === '' ? undefined : known;
}

const insert = /* a second erasure of the same identifier is the one that counts; the same one again changes nothing */ `
  insert into habeas.suppressions as held (tenant_id, digest, kind, since, erasure_id)
  select distinct $1::uuid, digest, kind, $4::timestamptz, $5::uuid from unnest($2::bytea[], $3::text[]) as given(digest, kind)
  on conflict (tenant_id, digest, kind) do update set since = excluded.since, erasure_id = excluded.erasure_id
  where held.since < excluded.since
  returning digest`;

const find = `
  select asked.n::int as n, to_char(max(held.since) at time zone 'UTC', 'YYYY-MM-DD') as since
  from unnest($2::bytea[], $3::text[]) with ordinality as asked(digest, kind, n)
  join habeas.suppressions held on held.tenant_id = $1 and held.digest = asked.digest
   and (asked.kind is null or held.kind = asked.kind)
  group by asked.n`;

const remove = `
  delete from habeas.suppressions held
  using unnest($2::bytea[], $3::text[]) as asked(digest, kind)
  where held.tenant_id = $1 and held.digest = asked.digest and (asked.kind is null or held.kind = asked.kind)
  returning held.erasure_id as erasure`;

import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/events.js';
import { Clock } from '../../clock.js';
import { Database } from '../../database/database.js';
import { type SubjectRef, type Tenancy } from '../../database/tenancy.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { HostMap } from '../../datamap/host-map.js';
import { driftOr } from '../../datamap/misfit.js';
import { DomainError, notFound } from '../../errors.js';
import { type Page, pageFrom } from '../../http/paging.js';
import { actorId } from '../../identity/actor-id.js';
import { Sealing } from '../../keys/sealing.js';
import { type NewHold } from './holds.schema.js';

/** A legal reason to keep, with its target, ground and review date, and whether the person may hear of it. */
export interface Hold {
  id: string;
  /** null: everybody and everything in the workspace. */
  subject: SubjectRef | null;
  /** null: all collections. */
  collection: string | null;
  ground: string;
  disclosable: boolean;
  reviewOn: string;
  placedAt: Date;
  releasedAt: Date | null;
}

const columns = `
  id, subject_kind as "subjectKind", subject_key as "subjectKey", collection, ground, disclosable,
  review_on::text as "reviewOn", placed_at as "placedAt", released_at as "releasedAt", placed_at::text as "position"`;

type Row = Omit<Hold, 'subject'> & {
  subjectKind: string | null;
  subjectKey: string | null;
  position: string;
};

const insert = `
  insert into habeas.holds (tenant_id, subject_kind, subject_key, collection, ground, details_sealed, disclosable, review_on,
                            placed_by, placed_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning ${columns}`;

const list = `
  select ${columns} from habeas.holds
  where ($1::timestamptz is null or (placed_at, id) < ($1, $2)) order by placed_at desc, id desc limit $3`;

// FOR SHARE: an erasure that has looked lets no release and no second thought slip in before it commits.
const inForce = `
  select ${columns} from habeas.holds
  where tenant_id = $1 and released_at is null
    and (subject_kind is null or (subject_kind, subject_key) in (select * from unnest($2::text[], $3::text[])))
  order by placed_at for share`;

/** Holds of the tenant that a unit of work is in. */
@Injectable()
export class Holds {
  constructor(
    private readonly database: Database,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
    private readonly sealing: Sealing,
    private readonly host: HostMap,
  ) {}

  /**
   * A hold that names nobody and nothing would keep nothing, and nobody would notice before the data is gone.
   * @throws DomainError `hold.unknown_subject`, `hold.unknown_collection`, `datamap.drift`
   */
  place(
    tenancy: Tenancy,
    { subject: named, collection, ground, details, disclosable, reviewOn }: NewHold,
  ): Promise<Hold> {
    if (collection !== undefined && !this.isCollection(collection)) throw unknownCollection();
    return this.database.within(tenancy, async (tx) => {
      const subject = named && (await this.knownAs(tx, named));
      const row = await tx.one<Row>(insert, [
        tx.tenant, subject?.kind ?? null, subject?.key ?? null, collection ?? null, ground,
        details === undefined ? null : this.sealing.seal('hold.details', details),
        disclosable, reviewOn, await actorId(tx), this.clock.now(),
      ]); // prettier-ignore
      const hold = holdOf(row as Row);
      await this.audit.record(tx, 'hold.placed', {
        targets: [{ type: 'hold', id: hold.id }],
        subjects: subject ? [subject] : [],
        metadata: { collection: collection ?? null, reviewOn },
      });
      return hold;
    });
  }

  /** @throws DomainError `hold.not_found`, also for one released before */
  release(tenancy: Tenancy, id: string): Promise<void> {
    return this.database.within(tenancy, async (tx) => {
      const released = await tx.query('update habeas.holds set released_by = $2, released_at = $3 where id = $1 and released_at is null returning 1', [
        id, await actorId(tx), this.clock.now(),
      ]); // prettier-ignore
      if (released.length === 0) throw notFound('hold');
      await this.audit.record(tx, 'hold.released', { targets: [{ type: 'hold', id }] });
    });
  }

  list(tenancy: Tenancy, limit: number, after?: readonly [string, string]): Promise<Page<Hold>> {
    return this.database.within(tenancy, async (tx) => {
      const { items, next } = pageFrom(
        await tx.query<Row>(list, [after?.[0] ?? null, after?.[1] ?? null, limit + 1]),
        limit,
        (row) => [row.position, row.id],
      );
      return { items: items.map(holdOf), next };
    });
  }

  private isCollection(name: string): boolean {
    const found = Object.entries(this.host.map.collections).find(([one]) => one === name)?.[1];
    return found !== undefined && !found.builtIn;
  }

  /** The person with their key as requests have it, however it was written here. */
  private async knownAs(tx: UnitOfWork, { kind, key }: SubjectRef): Promise<SubjectRef> {
    const found = await tx.asHost((host) => this.host.people.byKey(host, kind, key)).catch(driftOr);
    if (!found) throw unknownSubject();
    return { kind: found.kind, key: found.key };
  }

  /** What stands against erasing these people in the tenant of `tx`; no one: what holds the whole workspace. */
  async against(tx: UnitOfWork, subjects: readonly SubjectRef[]): Promise<Hold[]> {
    const rows = await tx.query<Row>(inForce, [
      tx.tenant,
      subjects.map(({ kind }) => kind),
      subjects.map(({ key }) => key),
    ]);
    return rows.map(holdOf);
  }
}

const unknownSubject = () =>
  new DomainError(
    'hold.unknown_subject',
    'Nobody is known by this kind and key. Take both from a request of the person, or hold the collection or the workspace.',
  );
const unknownCollection = () =>
  new DomainError('hold.unknown_collection', 'The data map has no such collection.');

const holdOf = ({ subjectKind, subjectKey, ...row }: Row): Hold => ({
  id: row.id,
  subject: subjectKind !== null && subjectKey !== null ? { kind: subjectKind, key: subjectKey } : null,
  collection: row.collection,
  ground: row.ground,
  disclosable: row.disclosable,
  reviewOn: row.reviewOn,
  placedAt: row.placedAt,
  releasedAt: row.releasedAt,
});

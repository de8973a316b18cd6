import { type Database } from '../../database/database.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { type RetentionKept } from './kept.js';
import { AUDIT_LOG, RetentionRules } from './rules.js';
import { before } from './time.js';

const BATCH = 5000;

const pseudonyms = `
  select p.pseudonym from habeas.pseudonyms p
  join unnest($2::text[], $3::text[]) as person(kind, key) on p.subject_kind = person.kind and p.subject_key = person.key
  where p.tenant_id = $1`;

const forget = 'select gone, up_to as "upTo" from habeas.forget_events($1, $2::uuid[], $3)';

const progress = `
  update habeas.retentions set progress = progress || jsonb_build_object('auditLog', jsonb_build_object(
    'events', coalesce((progress #>> '{auditLog,events}')::bigint, 0) + $2::bigint, 'upTo', $3::text, 'keep', $4::text))
  where tenant_id = $1`;

const lockRules = 'select 1 from habeas.retentions where tenant_id = $1 for no key update';

/** A change of a moment ago counts, and takes the same lock: either it comes first, or this batch does. */
async function isStillSo(tx: UnitOfWork, keep: string, now: Date): Promise<boolean> {
  await tx.query(lockRules, [tx.tenant]);
  return (await RetentionRules.of(tx, now)).ofTarget(AUDIT_LOG, keep).keep === keep;
}

/** The end of what is old in a tenant's audit log. Nobody may delete an event but one function of the database. */
export class RetentionLog {
  constructor(private readonly database: Database) {}

  /** Batch by batch; each writes into the run's progress how many events went and up to which, to be told once. */
  async sweep(tenant: string, keep: string, kept: RetentionKept, now: Date): Promise<void> {
    for (;;) {
      const more = await this.database.asJob(tenant, 'retention', async (tx) => {
        if (!(await isStillSo(tx, keep, now))) return 0;
        const those = await kept.of(tx);
        if (those === 'everything') return 0;
        const stay = await this.pseudonymsOf(tx, those.people);
        // The story of a matter that is open is not cut.
        const open = await kept.openSince(tx);
        const until = before(now, keep);
        const batch = await tx.one<{ gone: number; upTo: string | null }>(forget, [
          open && open < until ? open : until,
          stay,
          BATCH,
        ]);
        if (!batch || batch.gone === 0) return 0;
        await tx.query(progress, [tx.tenant, batch.gone, batch.upTo, keep]);
        return batch.gone;
      });
      if (more < BATCH) return;
    }
  }

  private async pseudonymsOf(
    tx: UnitOfWork,
    people: readonly { kind: string; key: string }[],
  ): Promise<string[]> {
    if (people.length === 0) return [];
    const rows = await tx.query<{ pseudonym: string }>(pseudonyms, [
      tx.tenant,
      people.map(({ kind }) => kind),
      people.map(({ key }) => key),
    ]);
    return rows.map(({ pseudonym }) => pseudonym);
  }
}

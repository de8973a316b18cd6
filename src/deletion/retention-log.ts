import { type AuditLog } from '../audit/events.js';
import { type Database } from '../database/database.js';
import { systemTenancy } from '../database/tenancy.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { before } from './retention-time.js';
import { type RetentionKept } from './retention-kept.js';

const BATCH = 5000;

const pseudonyms = `
  select p.pseudonym from habeas.pseudonyms p
  join unnest($2::text[], $3::text[]) as person(kind, key) on p.subject_kind = person.kind and p.subject_key = person.key
  where p.tenant_id = $1`;

const forget = 'select gone, up_to as "upTo" from habeas.forget_events($1, $2::uuid[], $3)';

/** The end of what is old in a tenant's audit log. Nobody may delete an event but one function of the database. */
export class RetentionLog {
  constructor(
    private readonly database: Database,
    private readonly audit: AuditLog,
  ) {}

  /** @returns how many events went; the last batch's transaction says so in the log, and up to which id */
  async sweep(tenant: string, keep: string, kept: RetentionKept, now: Date): Promise<number> {
    let gone = 0;
    for (;;) {
      const more = await this.database.within(systemTenancy(tenant, 'retention'), async (tx) => {
        const those = await kept.of(tx);
        if (those === 'everything') return 0;
        const stay = await this.pseudonymsOf(tx, those.people);
        const batch = await tx.one<{ gone: number; upTo: string | null }>(forget, [
          before(now, keep),
          stay,
          BATCH,
        ]);
        if (!batch || batch.gone === 0) return 0;
        // Each batch tells of itself: the events that it took cannot be counted afterwards.
        await this.audit.record(tx, 'audit_log.shortened', {
          metadata: { events: batch.gone, upTo: batch.upTo, keep },
        });
        return batch.gone;
      });
      gone += more;
      if (more < BATCH) return gone;
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

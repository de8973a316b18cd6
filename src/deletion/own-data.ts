/** What Habeas itself keeps about the people of an erasure. The events stay, and their hashes with them (invariant 2). */
import { type Database } from '../database/database.js';
import { type SubjectRef, systemTenancy } from '../database/tenancy.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { type Outbox } from '../mail/outbox.js';

const ROWS = 5000;

/**
 * What siblings and upper layers keep about people: packages and links, requests' contact data and notes. Each works
 * in the tenant of `tx`, and again where it was interrupted.
 */
export interface PersonalHolding {
  /** Ids of earlier matters of these people in this tenant; their mails that are not sent yet are taken back. */
  matters(tx: UnitOfWork, people: readonly SubjectRef[]): Promise<string[]>;
  /** Ends and wipes what it keeps about these matters; what lies in a bucket is left to a sweep. */
  forget(tx: UnitOfWork, matters: readonly string[]): Promise<void>;
}

export class OwnData {
  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
    private readonly holdings: readonly PersonalHolding[],
  ) {}

  /**
   * Forgets these people in each of these tenants: those of the parts that were erased, and only those.
   * @param except the matter that this erasure belongs to, which still has a certificate and a mail to send
   */
  async forget(tenants: readonly string[], people: readonly SubjectRef[], except?: string): Promise<void> {
    for (const tenant of tenants) {
      const tenancy = systemTenancy(tenant, 'own-data');
      await this.database.within(tenancy, async (tx) => {
        await this.forgetMatters(tx, people, except);
        await forgetReleasedHolds(tx, people);
      });
      for (;;) {
        const gone = await this.database.within(tenancy, (tx) => forgetPeople(tx, people));
        if (gone === 0) break;
      }
    }
  }

  private async forgetMatters(tx: UnitOfWork, people: readonly SubjectRef[], except?: string): Promise<void> {
    for (const holding of this.holdings) {
      const matters = (await holding.matters(tx, people)).filter((id) => id !== except);
      for (const matter of matters) await this.outbox.cancel(tx, matter);
      await holding.forget(tx, matters);
    }
  }
}

// One in force stays: it is why something of theirs is kept.
const releasedHolds = `
  delete from habeas.holds
  where tenant_id = $1 and released_at is not null
    and (subject_kind, subject_key) in (select * from unnest($2::text[], $3::text[]))`;

/** Holds that are over name the person and say why in words; that there were any, and when, stands in the log. */
async function forgetReleasedHolds(tx: UnitOfWork, people: readonly SubjectRef[]): Promise<void> {
  await tx.query(releasedHolds, [tx.tenant, people.map(({ kind }) => kind), people.map(({ key }) => key)]);
}

/** Disclosures first, the mapping to pseudonyms last; @returns how many rows went, 0 when nothing is left. */
export async function forgetPeople(tx: UnitOfWork, people: readonly SubjectRef[]): Promise<number> {
  const row = await tx.one<{ gone: number }>('select habeas.forget_people($1::jsonb, $2) as gone', [
    JSON.stringify(people.map(({ kind, key }) => [kind, key])),
    ROWS,
  ]);
  return row?.gone ?? 0;
}

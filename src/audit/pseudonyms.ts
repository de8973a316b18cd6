import { type SubjectRef } from '../database/tenancy.js';
import { type UnitOfWork } from '../database/unit-of-work.js';

const findOrDraw = `
  with drawn as (
    insert into habeas.pseudonyms (tenant_id, subject_kind, subject_key) values ($1, $2, $3)
    on conflict do nothing returning pseudonym
  )
  select pseudonym from drawn
  union all
  select pseudonym from habeas.pseudonyms where tenant_id = $1 and subject_kind = $2 and subject_key = $3`;

/** A person in a tenant's log: a random uuid per tenant and person, found again through a mapping that erasure removes. */
export class Pseudonyms {
  async of(tx: UnitOfWork, { kind, key }: SubjectRef): Promise<string> {
    const values = [tx.tenant, kind, key];
    const found =
      (await tx.one<{ pseudonym: string }>(findOrDraw, values)) ??
      (await tx.one<{ pseudonym: string }>(findOrDraw, values));
    // The second look finds what a concurrent transaction committed after the first one's snapshot was taken.
    if (!found) throw new Error('a pseudonym was neither found nor drawn');
    return found.pseudonym;
  }

  /**
   * Pseudonyms of several people, drawn in one order everywhere, so that two transactions that meet the same new
   * people never wait for each other in a circle.
   */
  async ofAll(tx: UnitOfWork, people: readonly SubjectRef[]): Promise<(person: SubjectRef) => string> {
    const drawn = new Map<string, string>();
    const inOrder = new Map(people.map((person) => [nameOf(person), person] as const));
    for (const name of [...inOrder.keys()].sort()) {
      const person = inOrder.get(name);
      if (person) drawn.set(name, await this.of(tx, person));
    }
    return (person) => {
      const pseudonym = drawn.get(nameOf(person));
      if (pseudonym === undefined) throw new Error('a pseudonym was asked for that nobody drew');
      return pseudonym;
    };
  }

  /** Everybody who has this key here, whatever their kind. */
  async withKey(tx: UnitOfWork, key: string): Promise<string[]> {
    const sql = 'select pseudonym from habeas.pseudonyms where tenant_id = $1 and subject_key = $2';
    return (await tx.query<{ pseudonym: string }>(sql, [tx.tenant, key])).map(({ pseudonym }) => pseudonym);
  }

  /** The pseudonym if the person has one here; drawing one would leave a trace of a mere question. */
  async find(tx: UnitOfWork, { kind, key }: SubjectRef): Promise<string | undefined> {
    const sql =
      'select pseudonym from habeas.pseudonyms where tenant_id = $1 and subject_kind = $2 and subject_key = $3';
    return (await tx.one<{ pseudonym: string }>(sql, [tx.tenant, kind, key]))?.pseudonym;
  }
}

const nameOf = ({ kind, key }: SubjectRef) => JSON.stringify([kind, key]);

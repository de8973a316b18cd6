import { Pseudonyms } from '../audit/pseudonyms.js';
import { type UnitOfWork } from '../database/unit-of-work.js';

const pseudonyms = new Pseudonyms();

/** Who acts, as rows keep it: a person's pseudonym in this tenant, else the id of the token, job or link. */
export async function actorId(tx: UnitOfWork): Promise<string> {
  const { actor } = tx.tenancy;
  return 'subject' in actor ? pseudonyms.of(tx, actor.subject) : actor.id;
}

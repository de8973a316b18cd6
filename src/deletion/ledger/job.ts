/** An erasure of the ledger as it is done again. */
import { type HostMap } from '../../datamap/host-map.js';
import { type SubjectKind } from '../../datamap/map.js';
import { type Subject } from '../../datamap/settings.js';
import { DomainError } from '../../errors.js';
import { type ErasureJob, subjectId } from '../erasure.js';
import { type Erased, type LedgerDigests, type LedgerEntry, unnamed } from './entry.js';

/**
 * Under its own id, with the pseudonyms that were drawn for it.
 * @param subjectOf who that is now; undefined: nothing is known of them any more, and they are left out
 */
export function jobAgain(entry: LedgerEntry, subjectOf: (erased: Erased) => Subject | undefined): ErasureJob {
  const { erasureId, tenant, jobId, scope } = entry;
  const pseudonyms: Record<string, string> = {};
  const subjects: Subject[] = [];
  for (const { key, pseudonym } of entry.workspaces)
    if (pseudonym) pseudonyms[`workspace:${key}`] = pseudonym;
  for (const erased of entry.subjects) {
    const subject = subjectOf(erased);
    if (!subject) continue;
    subjects.push(subject);
    pseudonyms[subjectId(subject)] = erased.pseudonym;
  }
  const workspaces = entry.workspaces.map(({ key }) => key);
  const kept = entry.kept?.map((one) => ({ ...one, ground: 'ledger' }));
  return { id: erasureId, tenant, jobId, scope, subjects, workspaces, pseudonyms, ...(kept && { kept }) };
}

/**
 * As jobAgain, of people who are known: those of the request that came back.
 * @throws DomainError `ledger.conflict` where they are not exactly those who were erased: a data map or a MASTER_KEY
 * may have changed since, and whoever is not recognised would not be erased
 */
export function jobOfPeople(
  entry: LedgerEntry,
  people: readonly Subject[],
  { map }: Pick<HostMap, 'map'>,
  digests: LedgerDigests,
): ErasureJob {
  const job = jobAgain(entry, (erased) =>
    people.find((person) => isSame(erased, person, map.subjects[person.kind], digests)),
  );
  if (new Set(job.subjects).size !== people.length || entry.subjects.length !== people.length)
    throw new DomainError(
      'ledger.conflict',
      'The ledger has an erasure of this request, of people who are not recognised as those of the request.',
    );
  return job;
}

function isSame(
  erased: Erased,
  person: Subject,
  known: SubjectKind | undefined,
  digests: LedgerDigests,
): boolean {
  const { kind, key } = person;
  if (erased.kind !== kind) return false;
  if (erased.key !== undefined) return erased.key === key;
  if (erased.keyDigest !== undefined) return erased.keyDigest === digests.of(kind, 'key', key);
  const [now] = Object.values(unnamed(person, known, digests).identifiers);
  return now !== undefined && Object.values(erased.identifiers).includes(now);
}

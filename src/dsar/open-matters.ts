import { DomainError } from '../errors.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { type SubjectRef } from '../database/tenancy.js';
import { type Request } from './request.js';

/**
 * Only proven requests count as duplicates, so that nobody can lock somebody else out: a matter is claimed when
 * identity is proven and let go when the request closes. The primary key decides between two at once.
 * @returns undefined when the matter is now this request's, else the id of the request that has it
 */
export async function claimMatter(
  tx: UnitOfWork,
  request: Request,
  subjects: readonly SubjectRef[],
): Promise<string | undefined> {
  const wanted =
    request.scope === 'workspace' ? ['workspace'] : subjects.map(({ kind, key }) => `${kind}:${key}`).sort();
  const matter = [request.tenant, request.kind, request.scope, request.id, wanted];
  let claimed = 0;
  // Whoever has it may close between the insert and the look: then it is free, and is claimed again.
  for (let tries = 0; tries < 3; tries++) {
    claimed += (await tx.query(insertMatters, matter)).length;
    if (claimed === wanted.length) return undefined;
    const other = await tx.one<{ id: string }>(findMatter, matter);
    if (other) return other.id;
  }
  throw new DomainError(
    'request.in_progress',
    'The same matter is being opened and closed right now: try again.',
  );
}

// Sorted, so that two filings that share several people wait for each other in the same order.
const insertMatters = `
  insert into habeas.open_matters (tenant_id, kind, scope, subject, request_id)
  select $1, $2, $3, subject, $4 from unnest($5::text[]) with ordinality as wanted (subject, position) order by position
  on conflict do nothing returning 1`;

const findMatter = `
  select request_id as "id" from habeas.open_matters
  where (tenant_id, kind, scope) = ($1, $2, $3) and subject = any ($5::text[]) and request_id <> $4
  limit 1`;

export async function closeMatter(tx: UnitOfWork, requestId: string): Promise<void> {
  await tx.query('delete from habeas.open_matters where request_id = $1', [requestId]);
}

import { createHash } from 'node:crypto';
import { DomainError } from '../../errors.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { type SubjectRef } from '../../database/tenancy.js';
import { type Request } from '../request.js';

/**
 * Only proven requests count as duplicates, so that nobody can lock somebody else out: a matter is claimed when
 * identity is proven and let go when the request closes. Identical is what is about the same people: whoever has proven
 * one more identifier since may ask again. The primary key decides between two at once.
 * @param subjects all of the request; a claim of fewer, made before more were found, is let go
 * @returns undefined when the matter is now this request's, else the id of the request that has it
 */
export async function claimMatter(
  tx: UnitOfWork,
  request: Request,
  subjects: readonly SubjectRef[],
): Promise<string | undefined> {
  const about = request.scope === 'workspace' ? 'workspace' : setOf(subjects);
  if (about === undefined) return undefined;
  const matter = [request.tenant, request.kind, request.scope, about];
  // Whoever has it may close between the insert and the look: then it is free, and is claimed again.
  for (let tries = 0; tries < 3; tries++) {
    if (await tx.one(insertMatter, [...matter, request.id])) {
      await tx.query('delete from habeas.open_matters where request_id = $1 and subject <> $2', [
        request.id,
        about,
      ]);
      return undefined;
    }
    const other = await tx.one<{ id: string }>(findMatter, matter);
    if (other) return other.id === request.id ? undefined : other.id;
  }
  throw new DomainError(
    'request.in_progress',
    'The same matter is being opened and closed right now: try again.',
  );
}

/** These people, in whatever order, as one text that an index can hold. */
function setOf(subjects: readonly SubjectRef[]): string | undefined {
  const [first, ...more] = subjects.map(({ kind, key }) => `${kind}:${key}`).sort();
  if (first === undefined || more.length === 0) return first;
  return `set:${createHash('sha256')
    .update(JSON.stringify([first, ...more]))
    .digest('hex')}`;
}

const insertMatter = `
  insert into habeas.open_matters (tenant_id, kind, scope, subject, request_id) values ($1, $2, $3, $4, $5)
  on conflict do nothing returning 1`;

const findMatter = `
  select request_id as "id" from habeas.open_matters
  where (tenant_id, kind, scope, subject) = ($1, $2, $3, $4)`;

export async function closeMatter(tx: UnitOfWork, requestId: string): Promise<void> {
  await tx.query('delete from habeas.open_matters where request_id = $1', [requestId]);
}

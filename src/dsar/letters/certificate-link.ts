import { type UnitOfWork } from '../../database/unit-of-work.js';
import { issueToken } from '../../keys/tokens.js';
import { type Request } from '../request.js';

/** How long a link in a mail tells what became of a closed request, and hands out its certificate. */
export const HANDED_OUT = 30 * 86_400_000;

const insert = `
  insert into habeas.request_verifications (tenant_id, request_id, token_hash, sent_at, proven_at, expires_at)
  values ($1, $2, $3, $4, $4, $5)`;

const sweeps = `
  select max(t.swept_at) as last, count(*) filter (where t.swept_at is null)::int as pending
  from habeas.erasures e join habeas.tombstones t on t.erasure_id = e.id where e.job_id = $1`;

/**
 * A link to what became of the request, for the letter that tells of its end: whoever reads that letter has the
 * address, and nothing else is left to know them by. Only a hash of it stays, without anybody's name.
 */
export async function issueResultLink(tx: UnitOfWork, { id }: Request, now: Date): Promise<string> {
  const { token, hash } = issueToken(tx.tenant);
  await tx.query(insert, [tx.tenant, id, hash, now, new Date(now.getTime() + HANDED_OUT)]);
  return token;
}

/**
 * When the links of a closed request end: 30 days after its closing, or after its final certificate where that came
 * later. undefined: not yet, because rows are still to be swept and the final certificate is still to come.
 */
export async function handedOutUntil(
  tx: UnitOfWork,
  { id, closedAt }: Pick<Request, 'id'> & { closedAt: Date },
): Promise<Date | undefined> {
  const swept = await tx.one<{ last: Date | null; pending: number }>(sweeps, [id]);
  if (swept && swept.pending > 0) return undefined;
  return new Date(Math.max(closedAt.getTime(), swept?.last?.getTime() ?? 0) + HANDED_OUT);
}

import { type UnitOfWork } from '../../database/unit-of-work.js';
import { DomainError } from '../../errors.js';
import { type Channel, type Request } from '../request.js';

/** Links to one address within a day, so that nobody fills somebody's inbox by filing for them. */
const MOST_A_DAY = 5;
const DAY = 86_400_000;

/**
 * Counted apart: what a workspace or its host app files, what the person files, and what staff file. So the first can
 * use up neither a person's own way to prove themselves nor staff's, and learn nothing of the others' mails.
 */
const groups: readonly (readonly Channel[])[] = [['workspace', 'token'], ['settings'], ['desk']];

/**
 * When one more link may go to the address of this request; undefined: now. Counted in the tenant's own rows, one
 * sender at a time, so that all instances agree.
 */
export async function nextLinkAt(
  tx: UnitOfWork,
  { id, channel }: Request,
  now: Date,
): Promise<Date | undefined> {
  await tx.query(oneAtATime, [id]);
  const group = groupOf(channel);
  const since = new Date(now.getTime() - DAY);
  const first = await tx.one<{ at: Date }>(firstOfTheLast, [id, since, group, MOST_A_DAY - 1]);
  return first && new Date(first.at.getTime() + DAY);
}

/**
 * Another request to the same address still waits for its first link. A reminder lets it go before: else reminders would
 * take up each day's links, and somebody could never prove what they filed.
 */
export async function isFirstLinkWaiting(tx: UnitOfWork, { id, channel }: Request): Promise<boolean> {
  return (await tx.one(waitingForItsFirst, [id, groupOf(channel)])) !== undefined;
}

/** @throws DomainError `verification.too_often` with the seconds to wait */
export async function assertMayWrite(tx: UnitOfWork, request: Request, now: Date): Promise<void> {
  const next = await nextLinkAt(tx, request, now);
  if (next === undefined) return;
  const message = `At most ${MOST_A_DAY} links go to one address within a day. Each of them still works for its own request.`;
  const retryAfter = Math.ceil((next.getTime() - now.getTime()) / 1000);
  throw new DomainError('verification.too_often', message, { extra: { retryAfter } });
}

const groupOf = (channel: Channel): readonly Channel[] =>
  groups.find((channels) => channels.includes(channel)) ?? [channel];

const oneAtATime = `
  select pg_advisory_xact_lock(hashtextextended('proof-link:' || tenant_id || encode(mail_digest, 'hex'), 0))
  from habeas.requests where id = $1 and mail_digest is not null`;

const firstOfTheLast = `
  select v.sent_at as "at"
  from habeas.request_verifications v
  join habeas.requests r on r.id = v.request_id
  where r.mail_digest = (select mail_digest from habeas.requests where id = $1)
    and v.sent_at > $2 and r.channel = any ($3::text[])
  order by v.sent_at desc offset $4 limit 1`;

const waitingForItsFirst = `
  select 1 from habeas.requests r
  where r.mail_digest = (select mail_digest from habeas.requests where id = $1)
    and r.id <> $1 and r.status = 'verifying' and r.channel = any ($2::text[])
    and not exists (select 1 from habeas.request_verifications v where v.request_id = r.id)
  limit 1`;

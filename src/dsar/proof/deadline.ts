import { DateTime } from 'luxon';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { type Request } from '../request.js';

export const PROOF_LINK_DAYS = 7;
export const PROOF_DAYS = 30;
/** Of the law's last day, in its zone: what is decided then is mailed on the same day. */
const LAST_HOUR = 18;
const DAY = 86_400_000;

type Dated = Pick<Request, 'filedAt' | 'dueOn' | 'zone'>;

/**
 * Until when identity can be proven; then the request is refused (GDPR Art. 12(6)). After 30 days at the latest, and
 * before that on the evening of the law's last day, because reasons are owed within the same time as the answer (Art. 12(4)),
 * which runs from receipt however late the request was filed. But a person has the seven days of a link at least: who
 * files later than a week before that day is late himself, and the request shows as overdue.
 * @param paused the clock is stopped, so that its day is not known
 */
export function proofEndsAt({ filedAt, dueOn, zone }: Dated, paused = false): Date {
  const fair = filedAt.getTime() + PROOF_LINK_DAYS * DAY;
  const longest = filedAt.getTime() + PROOF_DAYS * DAY;
  const lawful =
    dueOn === null || paused
      ? longest
      : DateTime.fromISO(dueOn, { zone }).set({ hour: LAST_HOUR }).toMillis();
  return new Date(Math.max(fair, Math.min(longest, lawful)));
}

/** The same of a request as its rows say now. */
export async function proofEndOf(tx: UnitOfWork, request: Request): Promise<Date> {
  const open = 'select 1 from habeas.request_pauses where request_id = $1 and ended_at is null';
  return proofEndsAt(request, (await tx.one(open, [request.id])) !== undefined);
}

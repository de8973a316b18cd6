import { Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { Database } from '../../database/database.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { type JobRef } from '../../jobs/queue.js';
import { eachOnItsOwn } from '../../jobs/each-on-its-own.js';
import { proofEndOf } from './deadline.js';
import { IdentityProof } from './identity-proof.js';
import { dateIn, plusDays } from '../law/calendar.js';
import { Letters } from '../letters/letters.js';
import { isFirstLinkWaiting, nextLinkAt } from './link-limit.js';
import { type Request } from '../request.js';
import { Requests } from '../requests.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const unproven = `
  select tenant_id as "tenant", id from habeas.requests r
  where status = 'verifying' and id > $2
    and (filed_at <= $1 or acknowledge_by - 1 <= ($3::timestamptz at time zone zone)::date
         or not exists (select from habeas.request_verifications v where v.request_id = r.id))
  order by id limit 500`;

const linksSent =
  'select count(*)::int as n, max(sent_at) as "last" from habeas.request_verifications where request_id = $1';

/** Of one request. */
interface Links {
  n: number;
  last: Date | null;
}

/** Requests whose identity nobody has proven: a link that was postponed, one reminder after a day, an acknowledgement where the law wants one, the end in time (`proofEndsAt`). */
@Injectable()
export class IdentitySweep {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly requests: Requests,
    private readonly proof: IdentityProof,
    private readonly letters: Letters,
  ) {}

  async run(): Promise<void> {
    const now = this.clock.now();
    const since = new Date(now.getTime() - DAY);
    const page = (after: string) =>
      this.database.asSweep((tx) => tx.query<JobRef>(unproven, [since, after, now]));
    await eachOnItsOwn(page, ({ tenant, id }) =>
      this.database.asJob(tenant, 'identity-sweep', async (tx) =>
        this.look(tx, await this.requests.lock(tx, id)),
      ),
    );
  }

  private async look(tx: UnitOfWork, request: Request): Promise<void> {
    if (request.status !== 'verifying') return;
    const now = this.clock.now();
    const age = now.getTime() - request.filedAt.getTime();
    const links = (await tx.one<Links>(linksSent, [request.id])) ?? { n: 0, last: null };
    if (now >= (await proofEndOf(tx, request))) return this.end(tx, request, links);
    if (mayTell(links) && mustAcknowledge(request, age, dateIn(request.zone, now)))
      await this.letters.acknowledged(tx, request);
    const template = this.linkDue(links);
    if (!template || (await nextLinkAt(tx, request, now)) !== undefined) return;
    if (template === 'verify-reminder' && (await isFirstLinkWaiting(tx, request))) return;
    await this.proof.sendLink(tx, request, template);
  }

  /** The link that was postponed when the request was filed, or a day after the first the reminder. */
  private linkDue({ n, last }: Links): 'verify-identity' | 'verify-reminder' | undefined {
    if (last === null) return 'verify-identity';
    const aDayAgo = this.clock.now().getTime() - DAY;
    return n === 1 && last.getTime() <= aDayAgo ? 'verify-reminder' : undefined;
  }

  /** Art. 12(6): identity was not proven, and the person is told so with their rights. */
  private async end(tx: UnitOfWork, request: Request, links: Links): Promise<void> {
    const ground = 'identity_not_proven';
    const refused = await this.requests.move(tx, request, 'refused', {
      action: 'request.refused',
      metadata: { grounds: [ground] },
    });
    await tx.query(
      `insert into habeas.request_refusals (tenant_id, request_id, ground, created_by, created_at) values ($1, $2, $3, 'system', $4)`,
      [tx.tenant, request.id, ground, this.clock.now()],
    );
    if (mayTell(links)) await this.letters.identityRefused(tx, refused);
  }
}

/**
 * Whoever typed the address: it hears of a request only after a link for it, whose number a day is limited. Else a thousand
 * filings for a stranger would be a thousand letters to them; those that no link ever went out for end without a word.
 */
const mayTell = ({ n }: Links): boolean => n > 0;

/** Two days are enough to wait for a proof; what was filed long after its receipt has less than that. */
const mustAcknowledge = ({ acknowledgeBy }: Request, age: number, today: string): boolean =>
  acknowledgeBy !== null && (age >= 2 * DAY || plusDays(acknowledgeBy, -1) <= today);

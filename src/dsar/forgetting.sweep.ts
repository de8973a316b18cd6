import { Inject, Injectable } from '@nestjs/common';
import { DateTime, type Duration } from 'luxon';
import { AuditLog } from '../audit/events.js';
import { Clock } from '../clock.js';
import { CONFIG, type Config } from '../config.js';
import { Database } from '../database/database.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { Packages } from '../export/packages.js';
import { eachOnItsOwn, oneAfterTheOther } from '../jobs/each-on-its-own.js';
import { type JobRef } from '../jobs/queue.js';
import { Outbox } from '../mail/outbox.js';

const KEPT_AFTER_LAST_LINK = 30 * 86_400_000;

const toForget = `
  select r.tenant_id as "tenant", r.id from habeas.requests r
  where r.closed_at <= $1 and r.contact_wiped_at is null and r.id > $2
    and not exists (select from habeas.packages p where p.job_id = r.id and p.expires_at > $1)
    -- The link to a certificate lives until the final one has been there for as long.
    and not exists (select from habeas.erasures e join habeas.tombstones t on t.erasure_id = e.id
                    where e.job_id = r.id and (t.swept_at is null or t.swept_at > $1))
  order by r.id limit 500`;

const toRemove = `
  select tenant_id as "tenant", id from habeas.requests
  where closed_at <= $1 and contact_wiped_at is not null and id > $2 order by id limit 500`;

const wipe = `
  update habeas.requests
  set mail_sealed = null, details_sealed = null, language = null, failure = null, contact_wiped_at = $2
  where id = $1 and contact_wiped_at is null and closed_at is not null
  returning id`;

/** By the calendar: 36 months are three years, not 1,080 days. */
const periodAgo = (now: Date, period: Duration): Date =>
  DateTime.fromJSDate(now, { zone: 'utc' }).minus(period).toJSDate();

/** What staff wrote to the person; that they wrote, and when, stays. */
const freeTexts = [
  ['request_refusals', 'explanation_sealed'],
  ['request_extensions', 'reason_sealed'],
  ['request_pauses', 'reason_sealed'],
] as const;

/**
 * Forgets what a closed request knows of its person, 30 days after the last link ended; what proves compliance
 * (id, kind, dates, law, outcome, ground, keyed hash of the mail) stays for REQUEST_RETENTION.
 */
@Injectable()
export class ForgettingSweep {
  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Config,
    private readonly clock: Clock,
    private readonly audit: AuditLog,
    private readonly packages: Packages,
    private readonly outbox: Outbox,
  ) {}

  async run(): Promise<void> {
    const ended = new Date(this.clock.now().getTime() - KEPT_AFTER_LAST_LINK);
    const retained = periodAgo(this.clock.now(), this.config.requestRetention);
    await oneAfterTheOther(
      () => this.each(toForget, ended, (tx, id) => this.forget(tx, id)),
      () =>
        this.each(toRemove, retained, (tx, id) =>
          tx.query('delete from habeas.requests where id = $1 and closed_at <= $2', [id, retained]),
        ),
    );
  }

  /** Wipes one closed request, whether its time has come or its person is erased; once. */
  async forget(tx: UnitOfWork, id: string): Promise<void> {
    const wiped = await tx.query(wipe, [id, this.clock.now()]);
    if (wiped.length === 0) return;
    for (const table of ['request_subjects', 'request_notes', 'request_verifications']) {
      await tx.query(`delete from habeas.${table} where request_id = $1`, [id]);
    }
    for (const [table, words] of freeTexts) {
      await tx.query(`update habeas.${table} set ${words} = null where request_id = $1`, [id]);
    }
    await this.packages.forget(tx, id);
    await this.outbox.cancel(tx, id);
    await this.audit.record(tx, 'request.contact_wiped', { targets: [{ type: 'request', id }] });
  }

  private async each(
    sql: string,
    before: Date,
    work: (tx: UnitOfWork, id: string) => Promise<unknown>,
  ): Promise<void> {
    const page = (after: string) => this.database.asSweep((tx) => tx.query<JobRef>(sql, [before, after]));
    await eachOnItsOwn(page, ({ tenant, id }) =>
      this.database.asJob(tenant, 'forgetting', (tx) => work(tx, id)),
    );
  }
}

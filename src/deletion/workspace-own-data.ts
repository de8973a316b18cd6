/** What Habeas itself keeps of a workspace, apart from its requests: it goes with it. The events stay. */
import { DateTime, type Duration } from 'luxon';
import { type Clock } from '../clock.js';
import { type Database } from '../database/database.js';
import { type Directory } from '../database/directory.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { DomainError } from '../errors.js';
import { type ObjectStore } from '../storage/object-store.js';

/** Emptied of the workspace's rows, children first. A test holds this and `stays` against the tables there are. */
export const goes = [
  'api_tokens',
  'auditors',
  'holds',
  'suppressions',
  'retention_failures',
  'retention_rules',
  'retentions',
  'controllers',
  'idempotency_keys',
  'request_subjects',
  'request_notes',
  'request_verifications',
  'package_links',
] as const;

/** What becomes of the workspace's rows in all other tables. */
export const stays: Record<string, string> = {
  events: 'until the log ends; nothing in them is personal',
  event_disclosures: 'forgotten by habeas.forget_log',
  pseudonyms: 'forgotten by habeas.forget_log',
  requests: 'id, kind, dates, outcome, for REQUEST_RETENTION; what names anybody is wiped',
  request_parts: 'ended by WorkspaceMatters; those of the workspace’s own requests stay with them',
  open_matters: 'go when their requests are closed',
  request_extensions: 'dates, for REQUEST_RETENTION; the words are wiped',
  request_pauses: 'dates, for REQUEST_RETENTION; the words are wiped',
  request_refusals: 'grounds, for REQUEST_RETENTION; the words are wiped',
  packages: 'until their objects are gone, without their manifests',
  outbox: 'certificates on their way, wiped when sent; the rest is cancelled',
  erasures: 'certificates, without personal data',
  erasure_steps: 'counts',
  erasure_rows: 'empty once an erasure is over',
  erasure_files: 'empty once an erasure is over',
  tombstones: 'closed, because their rows went with the workspace',
  recipient_tasks: 'until whoever was handed the data has been told, then without what they were told',
  workspace_deletions: 'why and when it was deleted, for REQUEST_RETENTION',
  workspace_purges: 'until the log ends',
  workspace_purge_people: 'empty once the purge is over',
  webhooks: 'until the last delivery is made, then by PurgedWorkspacesSweep',
  webhook_secrets: 'as webhooks',
  webhook_deliveries: 'as webhooks',
  stuck_rows: 'ids only, until the sweep or job passes the row',
};

const ROWS = 5000;
const PACKAGES = 200;
const NIL = '00000000-0000-0000-0000-000000000000';

export class WorkspaceOwnData {
  constructor(
    private readonly database: Database,
    private readonly store: ObjectStore,
    private readonly clock: Clock,
    private readonly directory: Directory,
    /** How long a log is kept of which nobody has set an end. */
    readonly logKept: Duration,
  ) {}

  /** Tokens first, so that nobody is let in while the rest goes. In batches; safe to repeat. */
  async empty(tenant: string): Promise<void> {
    for (const table of goes) await this.untilNone(tenant, (tx) => deleteSome(tx, table));
  }

  /** Takes back what was not sent yet, except answers that the purge itself has written. */
  cancelMails(tenant: string): Promise<void> {
    return this.within(tenant, async (tx) => {
      await tx.query(cancelMails, [tenant]);
    });
  }

  /**
   * Ends every package of the workspace and takes its object out of the bucket now; one that a late worker may still
   * store is looked after by the expiry sweep.
   * @throws DomainError `erasure.files_left`, `storage.unavailable`: to be tried again
   */
  async removePackages(tenant: string): Promise<void> {
    await this.within(tenant, async (tx) => {
      await tx.query(endPackages, [tenant, this.clock.now()]);
    });
    for (let after = NIL; ;) {
      const page = await this.within(tenant, (tx) =>
        tx.query<{ id: string; path: string; wasReady: boolean }>(endedPackages, [tenant, after]),
      );
      const last = page.at(-1);
      if (!last) break;
      await this.store.remove(page.map(({ path }) => path));
      for (const { path } of page)
        if (await this.store.stat(path))
          throw new DomainError(
            'erasure.files_left',
            'A package is still in the bucket after it was removed.',
          );
      const done = page.filter(({ wasReady }) => wasReady).map(({ id }) => id);
      await this.within(tenant, (tx) =>
        tx.query('update habeas.packages set removed_at = $2 where id = any ($1::uuid[])', [
          done,
          this.clock.now(),
        ]),
      );
      after = last.id;
    }
    await this.within(tenant, (tx) =>
      tx.query('update habeas.packages set manifest = null where tenant_id = $1 and removed_at is not null', [
        tenant,
      ]),
    );
  }

  /** The log forgets everybody it knows. */
  forgetLog(tenant: string): Promise<void> {
    return this.untilNone(tenant, forgetSome);
  }

  /** As forgetLog, in the transaction of the end, for what came since: few rows. */
  async forgetRest(tx: UnitOfWork): Promise<void> {
    while ((await forgetSome(tx)) > 0);
  }

  /**
   * The directory keeps id and date, and when the log ends is written down: in the transaction of the end, or of its
   * repetition after a restore, in which the purge may be unknown.
   */
  async end(tx: UnitOfWork, requestId: string, purgedAt: Date, logEndsAt?: Date): Promise<void> {
    const ends = logEndsAt ?? DateTime.fromJSDate(purgedAt, { zone: 'utc' }).plus(this.logKept).toJSDate();
    await this.directory.forget(tx, purgedAt);
    await tx.query(endPurge, [tx.tenant, requestId, purgedAt, ends]);
  }

  private async untilNone(tenant: string, some: (tx: UnitOfWork) => Promise<number>): Promise<void> {
    while ((await this.within(tenant, some)) > 0);
  }

  private within<T>(tenant: string, work: (tx: UnitOfWork) => Promise<T>): Promise<T> {
    return this.database.asJob(tenant, 'workspace-purge', work);
  }
}

async function forgetSome(tx: UnitOfWork): Promise<number> {
  const row = await tx.one<{ gone: number }>('select habeas.forget_log($1) as gone', [ROWS]);
  return row?.gone ?? 0;
}

async function deleteSome(tx: UnitOfWork, table: (typeof goes)[number]): Promise<number> {
  const sql = `
    delete from habeas.${table} where ctid = any (array(
      select ctid from habeas.${table} where tenant_id = $1 limit ${ROWS})) and tenant_id = $1 returning 1`;
  return (await tx.query(sql, [tx.tenant])).length;
}

const endPurge = `
  insert into habeas.workspace_purges (tenant_id, request_id, begun_at, purged_at, log_ends_at) values ($1, $2, $3, $3, $4)
  on conflict (tenant_id) do update
    set told_sealed = null, purged_at = excluded.purged_at, log_ends_at = excluded.log_ends_at`;

const cancelMails = `
  update habeas.outbox set status = 'cancelled', recipient_sealed = null, params_sealed = null
  where tenant_id = $1 and status = 'pending' and template not in ('request-no-data', 'workspace-deleted')`;

const endPackages = `
  update habeas.packages set status = 'expired', ready_at = coalesce(ready_at, $2), expires_at = least(expires_at, $2)
  where tenant_id = $1 and status <> 'expired'`;

const endedPackages = `
  select id, object_path as "path", manifest is not null as "wasReady" from habeas.packages
  where tenant_id = $1 and removed_at is null and id > $2 order by id limit ${PACKAGES}`;

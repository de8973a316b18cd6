import { Logger } from '@nestjs/common';
import { type AuditLog } from '../audit/events.js';
import { type Clock } from '../clock.js';
import { systemTenancy } from '../database/tenancy.js';
import { type Database } from '../database/database.js';
import { type UnitOfWork } from '../database/unit-of-work.js';
import { type ObjectStore } from '../storage/object-store.js';

interface Due {
  id: string;
  tenant: string;
}

/** An ended package whose object may still be in the bucket. */
interface Ended {
  id: string;
  jobId: string;
  path: string;
  wasReady: boolean;
  endedAt: Date;
}

const PAGE = 200;
/** A worker that was given up may live on and store its object late; no run of the queue lasts longer. */
const LATE_WORKER_MS = 24 * 3_600_000;

/** An attempt that is still `building` belongs to a worker and is never due. By id, so that what fails is passed. */
const findDue = `
  select id, tenant_id as "tenant" from habeas.packages
  where removed_at is null and (status = 'expired' or (status = 'ready' and expires_at <= $1)) and id > $2
  order by id limit ${PAGE}`;

const end = `
  update habeas.packages set status = 'expired'
  where id = $1 and status = 'ready' and expires_at <= $2 and removed_at is null
  returning job_id as "jobId"`;

const findEnded = `
  select id, job_id as "jobId", object_path as "path", manifest is not null as "wasReady", expires_at as "endedAt"
  from habeas.packages where id = $1 and status = 'expired' and removed_at is null`;

const markRemoved =
  'update habeas.packages set removed_at = $2 where id = $1 and removed_at is null returning 1';

/** Ends packages whose time is over and takes their objects out of the bucket; the manifest stays. */
export class ExpirySweep {
  private readonly log = new Logger('ExpirySweep');

  constructor(
    private readonly database: Database,
    private readonly store: ObjectStore,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
  ) {}

  /** One round over everything that is due. @returns how many packages are done with; one that fails is left to the next round */
  async run(): Promise<number> {
    let done = 0;
    for await (const due of this.due()) {
      try {
        if (await this.remove(due)) done += 1;
      } catch (error) {
        this.log.warn({ packageId: due.id, tenant: due.tenant, err: error }, 'not removed; tried again');
      }
    }
    return done;
  }

  private async *due(): AsyncGenerator<Due> {
    for (let after = '00000000-0000-0000-0000-000000000000'; ;) {
      const page = await this.database.asSweep((tx) => tx.query<Due>(findDue, [this.clock.now(), after]));
      yield* page;
      if (page.length < PAGE) return;
      after = page.at(-1)?.id ?? after;
    }
  }

  /** Three steps, so that no transaction waits for the storage; a crash between them leaves work for the next round. */
  private async remove({ id, tenant }: Due): Promise<boolean> {
    const tenancy = systemTenancy(tenant, 'package-expiry');
    const ended = await this.database.within(tenancy, (tx) => this.endInTime(tx, id));
    if (!ended) return false;
    await this.store.remove([ended.path]);
    if (!ended.wasReady && this.clock.now().getTime() < ended.endedAt.getTime() + LATE_WORKER_MS)
      return false;
    return this.database.within(tenancy, (tx) => this.noteRemoved(tx, ended));
  }

  private async endInTime(tx: UnitOfWork, id: string): Promise<Ended | undefined> {
    const over = await tx.one<{ jobId: string }>(end, [id, this.clock.now()]);
    if (over) await this.tell(tx, 'package.expired', { id, jobId: over.jobId });
    return tx.one<Ended>(findEnded, [id]);
  }

  private async noteRemoved(tx: UnitOfWork, ended: Ended): Promise<boolean> {
    const removed = await tx.one(markRemoved, [ended.id, this.clock.now()]);
    if (removed && ended.wasReady) await this.tell(tx, 'package.removed', ended);
    return removed !== undefined;
  }

  private async tell(
    tx: UnitOfWork,
    action: 'package.expired' | 'package.removed',
    its: { id: string; jobId: string },
  ) {
    await this.audit.record(tx, action, {
      targets: [
        { type: 'package', id: its.id },
        { type: 'request', id: its.jobId },
      ],
    });
  }
}

/** A process of its own: the whole service, wired and idle, then one workspace purged in it, or many found due. */
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { demoPeople } from '../demo/people.js';
import { AppModule } from '../src/app.module.js';
import { openEnvironment } from '../src/app/environment.js';
import { layFoundation } from '../src/app/foundation.js';
import { readConfig } from '../src/config.js';
import { systemTenancy, type Tenancy } from '../src/database/tenancy.js';
import { type Database } from '../src/database/database.js';
import { WorkspaceDeletionFulfilment } from '../src/dsar/workspace-deletion/fulfilment.js';
import { WorkspaceDeletionSweep } from '../src/dsar/workspace-deletion/deletion.sweep.js';
import { WorkspaceDeletions } from '../src/dsar/workspace-deletion/deletions.js';
import { createApp } from '../src/http/bootstrap.js';
import { type Effort, measuring } from './measure.js';

export interface PurgeJob {
  home: string;
  /** As the service logs in, to the database that the workspace is in; and as its owner. */
  url: string;
  ownerUrl: string;
  workspace: string;
  /** The workspace's name, as its owner types it. */
  confirm: string;
}

export interface Purged extends Effort {
  status: string;
}

/** In this order; `due` as often as wanted. */
export type PurgeOrder = { open: PurgeJob } | { purge: true } | { due: true };

interface Service {
  /** Everything between the job's start and the request's end. */
  purge: () => Promise<void>;
  status: () => Promise<string>;
  sweep: () => Promise<void>;
}

let service: Service | undefined;

process.on('message', (order: PurgeOrder) => {
  void obey(order)
    .catch((error: unknown) => ({
      failed: error instanceof Error ? (error.stack ?? error.message) : String(error),
    }))
    .then((answer) => process.send?.(answer));
});
process.once('disconnect', () => process.exit(0));

async function obey(order: PurgeOrder): Promise<object> {
  if ('open' in order) {
    service = await serve(order.open);
    await sleep(1000); // what starting left to do
    return {};
  }
  if (!service) throw new Error('nothing is open');
  const { purge, sweep, status } = service;
  if ('due' in order) return measuring(sweep, 0);
  return { ...(await measuring(purge, 0)), status: await status() };
}

/** The service on this database, and a real request of the owner whose grace is over. */
async function serve({ home, url, ownerUrl, workspace, confirm }: PurgeJob): Promise<Service> {
  const config = readConfig({
    HABEAS_HOME: home,
    LOG_LEVEL: 'silent',
    DATABASE_URL: url,
    MIGRATION_DATABASE_URL: ownerUrl,
    GRACE_PERIOD: 'PT0S',
  });
  const log = pino({ enabled: false });
  const environment = await openEnvironment(layFoundation(config, log));
  const app = await createApp(AppModule.with(environment), { config, log });
  await app.init();
  await environment.queue.start({ work: false });
  const subject = { kind: 'user', key: demoPeople.owner.userId };
  const tenancy: Tenancy = { tenant: workspace, actor: { type: 'person', subject } };
  const owner = { type: 'person', subject, known: true, emailVerified: false, authTime: new Date() } as const;
  await app
    .get(WorkspaceDeletions, { strict: false })
    .schedule(tenancy, { ...owner, staff: [], roles: ['owner'] }, { reason: 'owner_request', confirm });
  const request = await requestOf(environment.database, workspace);
  const fulfilment = app.get(WorkspaceDeletionFulfilment, { strict: false });
  const sweep = app.get(WorkspaceDeletionSweep, { strict: false });
  return {
    purge: () => fulfilment.run({ tenant: workspace, id: request.id }),
    status: async () => (await requestOf(environment.database, workspace)).status,
    sweep: () => sweep.purges(),
  };
}

async function requestOf(database: Database, tenant: string): Promise<{ id: string; status: string }> {
  const sql = `select id, status || coalesce(' ' || (failure ->> 'code') || ' ' || (failure ->> 'message'), '') as status from habeas.requests where kind = 'deletion' and scope = 'workspace' order by received_at desc`;
  const found = await database.within(systemTenancy(tenant, 'bench'), (tx) =>
    tx.one<{ id: string; status: string }>(sql),
  );
  if (!found) throw new Error('the workspace has no deletion');
  return found;
}

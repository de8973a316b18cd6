import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Global, Module, type Type } from '@nestjs/common';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { AuditLog } from '../../src/audit/events.js';
import { Clock } from '../../src/clock.js';
import { CONFIG, type Config, readConfig } from '../../src/config.js';
import { Database } from '../../src/database/database.js';
import { systemTenancy } from '../../src/database/tenancy.js';
import { HostMap } from '../../src/datamap/host-map.js';
import { ExportModule } from '../../src/export/export.module.js';
import { type Manifest } from '../../src/export/manifest.js';
import { type IssuedLink, Packages } from '../../src/export/packages.js';
import { createApp } from '../../src/http/bootstrap.js';
import { createLog } from '../../src/http/log.js';
import { SweepRegistry } from '../../src/jobs/sweep-registry.js';
import { Sealing } from '../../src/keys/sealing.js';
import { LocalStores } from '../../src/storage/local-store.js';
import { HostStores } from '../../src/storage/host-stores.js';
import { OBJECT_STORES, type ObjectStore, type ObjectStores } from '../../src/storage/object-store.js';
import { TestClock } from '../support/clock.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

export const workspace = '10000000-0000-4000-8000-000000000001';
export const neighbour = '10000000-0000-4000-8000-000000000002';

export interface Stored {
  id: string;
  jobId: string;
  path: string;
  link: IssuedLink;
  content: Buffer;
}

export interface Event {
  tenant_id: string;
  action: string;
  outcome: string;
  targets: { type: string; id: string }[];
  metadata: Record<string, unknown>;
}

/** Delivery as people meet it: real HTTP, a real folder, a real database, and a clock to turn. */
export interface Delivery {
  db: TestDatabase;
  clock: TestClock;
  config: Config;
  app: NestFastifyApplication;
  url: string;
  store: ObjectStore;
  packages: Packages;
  log(): string;
  events(): Promise<Event[]>;
  /** A package that is ready, with its object and a link. */
  ready(options?: { tenant?: string; content?: Buffer; manifest?: Partial<Manifest> }): Promise<Stored>;
  row(id: string): Promise<Record<string, unknown>>;
  close(): Promise<void>;
}

/**
 * @param stores another object store than the local one
 * @param environment what is configured besides
 */
export async function delivery(
  stores?: (local: LocalStores) => ObjectStores,
  environment: NodeJS.ProcessEnv = {},
): Promise<Delivery> {
  const db = await createDatabase();
  const clock = new TestClock();
  const home = await mkdtemp(join(process.env.HABEAS_TEST_HOME ?? tmpdir(), 'delivery-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const config = readConfig({ HABEAS_HOME: home, PORT: String(port), LOG_LEVEL: 'trace', ...environment });
  const key = randomBytes(32);
  const local = new LocalStores({ root: join(home, 'objects'), publicUrl: url, key, now: () => clock.now() });
  const lines: string[] = [];
  const log = createLog({ logLevel: 'trace' }, { write: (line: string) => void lines.push(line) });
  const chosen = stores?.(local) ?? local;
  const store = local.bucket(config.storage.exportBucket);
  await store.ready();
  const app = await createApp(feature({ db, clock, config, stores: chosen }), { config, log });
  await app.listen(port, '127.0.0.1');
  const packages = app.get(Packages);

  const ready: Delivery['ready'] = async ({
    tenant = workspace,
    content = randomBytes(5000),
    manifest = {},
  } = {}) => {
    const jobId = randomUUID();
    return db.database.within(systemTenancy(tenant, 'test'), async (tx) => {
      const { id, path } = await packages.begin(tx, jobId, tenant);
      await store.put(path, Readable.from([content]), { contentType: 'application/zip' });
      await packages.finish(tx, id, { bytes: content.length }, manifestOf(jobId, tenant, manifest));
      return { id, jobId, path, link: await packages.issueLink(tx, id), content };
    });
  };
  return {
    ...{ db, clock, config, app, url, store, packages, ready },
    log: () => lines.join(''),
    events: () => db.behindTheScenes<Event>('select * from habeas.events order by id'),
    row: async (id) =>
      (await db.behindTheScenes('select * from habeas.packages where id = $1', [id]))[0] ?? {},
    close: async () => {
      await app.close();
      await db.drop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

function feature(its: { db: TestDatabase; clock: Clock; config: Config; stores: ObjectStores }): Type {
  const provided = [
    { provide: Database, useValue: its.db.database },
    { provide: Clock, useValue: its.clock },
    { provide: CONFIG, useValue: its.config },
    { provide: OBJECT_STORES, useValue: its.stores },
    { provide: HostStores, useValue: new HostStores(its.stores, its.config.storage.exportBucket) },
    { provide: Sealing, useValue: new Sealing(randomBytes(32)) },
    // Delivery asks nothing of the host; building does, and has tests of its own.
    { provide: HostMap, useValue: {} },
    { provide: AuditLog, useClass: AuditLog },
    { provide: SweepRegistry, useClass: SweepRegistry },
  ];
  @Global()
  @Module({ providers: provided, exports: provided.map(({ provide }) => provide) })
  class Core {}
  @Module({ imports: [Core, ExportModule] })
  class Feature {}
  return Feature;
}

export const manifestOf = (jobId: string, workspaceId: string, own: Partial<Manifest>): Manifest => ({
  format: 'habeas-package/1',
  id: randomUUID(),
  requestId: jobId,
  scope: 'person',
  workspaceId,
  region: { id: 'eu', name: 'European Union (Frankfurt)' },
  generatedAt: '2026-11-20T12:00:00.000Z',
  dataMapHash: 'ab'.repeat(32),
  subjects: [{ kind: 'user', key: 'SENTINEL-SUBJECT' }],
  legalInformation: [{ controller: { name: 'Acme <Bureau> & Söhne' }, workspaceId, items: [] }],
  leftOut: [],
  sealedValues: 12,
  data: [
    file('messages', 'Messages', 1234),
    file('invoices', 'Invoices', 3),
    file('integrations', 'Integrations', 0),
  ],
  files: [],
  missingFiles: [],
  ...own,
});

const file = (collection: string, title: string, rows: number): Manifest['data'][number] => ({
  ...{ collection, title, rows, path: `data/${collection}.json`, bytes: rows * 100, sha256: 'cd'.repeat(32) },
  ...{ sealedValues: 0, controller: 'workspace', purpose: 'To work together.' },
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

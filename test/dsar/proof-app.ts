import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Global, Module, type Type } from '@nestjs/common';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { AuditLog } from '../../src/audit/events.js';
import { Clock } from '../../src/clock.js';
import { CONFIG, readConfig } from '../../src/config.js';
import { Database } from '../../src/database/database.js';
import { HOST_TENANT, systemTenancy } from '../../src/database/tenancy.js';
import { HostMap } from '../../src/datamap/host-map.js';
import { DsarModule } from '../../src/dsar/dsar.module.js';
import { OpenAccessModule } from '../../src/dsar/access/open-access.module.js';
import { Filing } from '../../src/dsar/filing/filing.js';
import { IdentityProof } from '../../src/dsar/proof/identity-proof.js';
import { type Request } from '../../src/dsar/request.js';
import { Requests } from '../../src/dsar/requests.js';
import { createApp } from '../../src/http/bootstrap.js';
import { createLog } from '../../src/http/log.js';
import { OverdueWatch } from '../../src/jobs/overdue.js';
import { Queue } from '../../src/jobs/queue.js';
import { SweepRegistry } from '../../src/jobs/sweep-registry.js';
import { Sealing } from '../../src/keys/sealing.js';
import { Signing } from '../../src/keys/signing.js';
import { HostStores } from '../../src/storage/host-stores.js';
import { LocalStores } from '../../src/storage/local-store.js';
import { OBJECT_STORES } from '../../src/storage/object-store.js';
import { foreignHost, type ForeignHost } from '../datamap/host.js';
import { TestClock } from '../support/clock.js';

export interface Event {
  action: string;
  outcome: string;
  actor_type: string;
  targets: { type: string; id: string }[];
  metadata: Record<string, unknown>;
}

/** The desk of a newsletter that knows people by their mail alone, over real HTTP handling. */
export interface ProofApp {
  host: ForeignHost;
  clock: TestClock;
  app: NestFastifyApplication;
  requests: Requests;
  proof: IdentityProof;
  log(): string;
  /** Somebody wrote in; answers the request and the token of the link that was mailed. */
  wroteIn(mail: string, kind?: Request['kind']): Promise<{ request: Request; token: string }>;
  tokens(requestId: string): Promise<string[]>;
  events(requestId: string): Promise<Event[]>;
  within<T>(work: Parameters<Database['within']>[1]): Promise<T>;
  close(): Promise<void>;
}

export async function proofApp(): Promise<ProofApp> {
  const host = await foreignHost('post');
  const home = await mkdtemp(join(process.env.HABEAS_TEST_HOME ?? tmpdir(), 'proof-'));
  const config = readConfig({ HABEAS_HOME: home, LOG_LEVEL: 'trace' });
  const clock = new TestClock();
  const { database } = host.database;
  const sealing = new Sealing(randomBytes(32));
  const queue = new Queue(database, { onError: () => undefined });
  const stores = new LocalStores({
    root: join(home, 'objects'),
    publicUrl: config.publicUrl,
    key: randomBytes(32),
  });
  const module = feature([
    { provide: Database, useValue: database },
    { provide: Clock, useValue: clock },
    { provide: CONFIG, useValue: config },
    { provide: Sealing, useValue: sealing },
    { provide: Signing, useValue: new Signing(randomBytes(32)) },
    { provide: OBJECT_STORES, useValue: stores },
    { provide: HostStores, useValue: new HostStores(stores, config.storage.exportBucket) },
    { provide: Queue, useValue: queue },
    { provide: HostMap, useValue: new HostMap(host.map, host.catalogue) },
    { provide: AuditLog, useClass: AuditLog },
    { provide: SweepRegistry, useClass: SweepRegistry },
    { provide: OverdueWatch, useClass: OverdueWatch },
  ]);
  const lines: string[] = [];
  const log = createLog({ logLevel: 'trace' }, { write: (line: string) => void lines.push(line) });
  const app = await createApp(module, { config, log, limits: [] });
  await app.init();
  await queue.start({ work: false });

  const tokens: ProofApp['tokens'] = async (requestId) => {
    const mails = await host.database.behindTheScenes<{ params_sealed: Buffer }>(
      `select params_sealed from habeas.outbox where about = $1 and template like 'verify-%' order by created_at, id`,
      [requestId],
    );
    return mails.map(({ params_sealed }) => {
      const { link } = sealing.open<{ link: string }>('outbox.params', params_sealed);
      return link.slice(`${config.publicUrl}/p/`.length);
    });
  };
  return {
    ...{ host, clock, app, tokens },
    requests: app.get(Requests),
    proof: app.get(IdentityProof),
    log: () => lines.join(''),
    wroteIn: async (mail, kind = 'access') => {
      const tenancy = { ...systemTenancy(HOST_TENANT, 'test') };
      const filing = { kind, scope: 'account', channel: 'desk', mail, jurisdiction: 'DE' } as const;
      const request = await app.get(Filing).file(tenancy, filing);
      return { request, token: (await tokens(request.id))[0] ?? '' };
    },
    events: (requestId) =>
      host.database.behindTheScenes<Event>(
        `select * from habeas.events where targets @> jsonb_build_array(jsonb_build_object('type', 'request', 'id', $1::text))
         order by id`,
        [requestId],
      ),
    within: <T>(work: Parameters<Database['within']>[1]) =>
      database.within(systemTenancy(HOST_TENANT, 'test'), work) as Promise<T>,
    close: async () => {
      await queue.stop();
      await app.close();
      await host.drop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

interface Provided {
  provide: symbol | Type | typeof Database | typeof Queue;
  useValue?: unknown;
  useClass?: Type;
}

function feature(provided: Provided[]): Type {
  @Global()
  @Module({ providers: provided as never[], exports: provided.map(({ provide }) => provide as never) })
  class Core {}
  @Module({ imports: [Core, OpenAccessModule, DsarModule] })
  class Feature {}
  return Feature;
}

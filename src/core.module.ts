import { Global, Inject, Module, type DynamicModule, type OnModuleInit } from '@nestjs/common';
import { demoPeople } from '../demo/people.js';
import { type Environment } from './app/environment.js';
import { HostWatch } from './app/host-watch.js';
import { AuditLog } from './audit/events.js';
import { HostKinds } from './audit/host-kinds.js';
import { Clock } from './clock.js';
import { CONFIG, type Config } from './config.js';
import { Database } from './database/database.js';
import { versionWarning } from './database/server-version.js';
import { HostMap } from './datamap/host-map.js';
import { ReadinessChecks } from './http/readiness.js';
import { DEMO_PEOPLE } from './identity/demo-tokens.js';
import { OverdueWatch } from './jobs/overdue.js';
import { Queue } from './jobs/queue.js';
import { SweepRegistry } from './jobs/sweep-registry.js';
import { Sealing } from './keys/sealing.js';
import { Signing } from './keys/signing.js';
import { HostStores } from './storage/host-stores.js';
import { OBJECT_STORES, type ObjectStores } from './storage/object-store.js';

/** Hands what was opened before Nest started to whoever asks for it, everywhere. */
@Global()
@Module({})
export class CoreModule implements OnModuleInit {
  constructor(
    private readonly readiness: ReadinessChecks,
    private readonly database: Database,
    private readonly hostMap: HostMap,
    @Inject(OBJECT_STORES) private readonly stores: ObjectStores,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  static with({ config, clock, database, sealing, stores, queue, watch }: Environment): DynamicModule {
    const given = [
      { provide: CONFIG, useValue: config },
      { provide: Clock, useValue: clock },
      { provide: Database, useValue: database },
      { provide: Sealing, useValue: sealing },
      { provide: Signing, useValue: Signing.of(config) },
      { provide: OBJECT_STORES, useValue: stores },
      { provide: HostStores, useValue: new HostStores(stores, config.storage.exportBucket) },
      { provide: Queue, useValue: queue },
      { provide: HostWatch, useValue: watch },
      { provide: HostMap, useValue: watch.hostMap },
      { provide: HostKinds, useValue: kindsOf(watch.hostMap) },
      { provide: DEMO_PEOPLE, useValue: config.demoHost ? demoPeople : {} },
      { provide: OverdueWatch, useValue: new OverdueWatch(database, clock) },
    ];
    const own = [AuditLog, SweepRegistry];
    return {
      module: CoreModule,
      providers: [...given, ...own],
      exports: [...given.map(({ provide }) => provide), ...own],
    };
  }

  onModuleInit(): void {
    this.readiness.register('database', async () => {
      const warning = versionWarning(await this.database.serverVersion());
      return { ok: true, ...(warning && { warning }) };
    });
    // In what follows filing, the clock and the desk go on, so this instance is ready nevertheless. Public: no names of tables.
    this.readiness.register('datamap', () => {
      const count = this.hostMap.problems.length;
      return Promise.resolve({
        ok: true,
        ...(count > 0 && { warning: `The data map does not fit the database (${count}): packages wait.` }),
      });
    });
    this.readiness.register('storage', () =>
      this.stores
        .bucket(this.config.storage.exportBucket)
        .ready()
        .then(
          () => ({ ok: true }),
          () => ({ ok: true, warning: 'The object storage does not answer: packages wait.' }),
        ),
    );
  }
}

const kindsOf = ({ map: { subjects } }: HostMap): HostKinds =>
  new HostKinds(Object.keys(subjects), Object.values(subjects).find((kind) => kind.signIn)?.name);

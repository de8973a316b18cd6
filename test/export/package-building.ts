import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import pino from 'pino';
import yauzl from 'yauzl';
import { readDataMap } from '../../src/app/data-map.js';
import { HostWatch } from '../../src/app/host-watch.js';
import { openStores } from '../../src/app/stores.js';
import { type Config, readConfig } from '../../src/config.js';
import { Database } from '../../src/database/database.js';
import { HOST_TENANT, type SubjectRef } from '../../src/database/tenancy.js';
import { type Manifest } from '../../src/export/manifest.js';
import { PackageBuilder, type PackageJob } from '../../src/export/package-builder.js';
import { Sealing } from '../../src/keys/sealing.js';
import { HostStores } from '../../src/storage/host-stores.js';
import { type ObjectStore } from '../../src/storage/object-store.js';
import { TestClock } from '../support/clock.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

/** A package as its reader has it. */
export interface Opened {
  manifest: Manifest;
  files: Map<string, Buffer>;
  zip: Buffer;
  rows(collection: string): Record<string, any>[];
  /** Everything but the attachments, as one text. */
  text: string;
}

/** The builder on the demo host app, with a bucket of its own. */
export class PackageBuilding {
  private constructor(
    readonly db: TestDatabase,
    readonly database: Database,
    readonly watch: HostWatch,
    readonly store: ObjectStore,
    readonly sealing: Sealing,
    private readonly config: Config,
  ) {}

  static async open(): Promise<PackageBuilding> {
    const db = await createDatabase('atelier_template');
    const config = readConfig({ HABEAS_HOME: await mkdtemp(join(tmpdir(), 'habeas-building-')) });
    const store = openStores(config).bucket('dsar-exports');
    await store.ready();
    const database = await Database.connect(db.url, 4);
    const watch = await HostWatch.open(database, readDataMap(config), pino({ enabled: false }));
    return new PackageBuilding(db, database, watch, store, new Sealing(Buffer.alloc(32, 7)), config);
  }

  /** @param store where packages go, if not into the bucket */
  builder(store: ObjectStore = this.store): PackageBuilder {
    const hosts = new HostStores(
      openStores({ ...this.config, home: process.env.HABEAS_TEST_HOME ?? '' }),
      this.store.bucket,
    );
    return new PackageBuilder(this.database, this.watch.hostMap, store, hosts, this.sealing, new TestClock());
  }

  /** Everything about these subjects, in all workspaces that they touch. */
  async job(subjects: SubjectRef[], more: Partial<PackageJob> = {}): Promise<PackageJob> {
    const { people, workspaces } = this.watch.hostMap;
    const touched = await this.database.asHost(async (host) => {
      const known = [];
      for (const { kind, key } of subjects)
        known.push(...[(await people.byKey(host, kind, key)) ?? []].flat());
      return workspaces.workspacesTouched(host, known);
    });
    return {
      id: '11111111-1111-4111-8111-111111111111',
      packageId: '22222222-2222-4222-8222-222222222222',
      tenant: HOST_TENANT,
      scope: 'account',
      subjects,
      workspaces: touched,
      leftOut: [],
      region: null,
      legalInformation: () => [],
      ...more,
    };
  }

  async build(job: PackageJob, store?: ObjectStore): Promise<Opened> {
    await this.builder(store).build(job, 'account/test.zip');
    return open(await buffer(await this.store.get('account/test.zip')));
  }

  async close(): Promise<void> {
    await this.database.close();
    await this.db.drop();
    await rm(this.config.home, { recursive: true, force: true });
  }
}

async function open(zip: Buffer): Promise<Opened> {
  const files = await unzip(zip);
  const text = (path: string) => files.get(path)?.toString() ?? '';
  const manifest = JSON.parse(text('manifest.json')) as Manifest;
  return {
    manifest,
    files,
    zip,
    rows: (collection) => JSON.parse(text(`data/${collection}.json`) || '[]') as Record<string, any>[],
    text: [...files.keys()]
      .filter((path) => !path.startsWith('files/'))
      .map(text)
      .join('\n'),
  };
}

/** yauzl refuses absolute paths, `..` and backslashes by itself. */
function unzip(zip: Buffer): Promise<Map<string, Buffer>> {
  return new Promise((resolve, reject) => {
    const files = new Map<string, Buffer>();
    yauzl.fromBuffer(zip, { lazyEntries: true, strictFileNames: true }, (error, file) => {
      if (error) {
        reject(error);
        return;
      }
      file.on('error', reject);
      file.on('end', () => resolve(files));
      file.on('entry', (entry: yauzl.Entry) => {
        file.openReadStream(entry, (failed, stream) => {
          if (failed) {
            reject(failed);
            return;
          }
          buffer(stream).then((content) => {
            files.set(entry.fileName, content);
            file.readEntry();
          }, reject);
        });
      });
      file.readEntry();
    });
  });
}

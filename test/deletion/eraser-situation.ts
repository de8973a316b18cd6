import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { type Database } from '../../src/database/database.js';
import { HOST_TENANT, systemTenancy } from '../../src/database/tenancy.js';
import { readCatalogue } from '../../src/datamap/catalogue.js';
import { HostMap } from '../../src/datamap/host-map.js';
import { type DataMap } from '../../src/datamap/map.js';
import { type Subject } from '../../src/datamap/settings.js';
import { Eraser } from '../../src/deletion/eraser.js';
import { type EraserOptions } from '../../src/deletion/step/context.js';
import { ErasureFiles } from '../../src/deletion/files/erasure-files.js';
import { ErasurePlans } from '../../src/deletion/erasure-plan.js';
import { Erasures } from '../../src/deletion/erasures.js';
import { type ErasureJob, type StepOutcome, subjectId } from '../../src/deletion/erasure.js';
import { Sealing } from '../../src/keys/sealing.js';
import { type ObjectStores } from '../../src/storage/object-store.js';
import { TestClock } from '../support/clock.js';
import { type TestDatabase } from '../support/database.js';

/** Everything an erasure needs, on a database of the test's own. */
export class Situation {
  readonly clock = new TestClock();
  readonly erasures: Erasures;
  readonly plans: ErasurePlans;
  readonly files: ErasureFiles;
  readonly eraser: Eraser;

  private constructor(
    readonly db: TestDatabase,
    readonly host: HostMap,
    readonly stores: ObjectStores,
    database: Database,
  ) {
    this.erasures = new Erasures(new Sealing(Buffer.alloc(32, 7)), this.clock);
    this.plans = new ErasurePlans(host);
    this.files = new ErasureFiles(database, host, stores);
    this.eraser = new Eraser({
      database,
      host,
      plans: this.plans,
      erasures: this.erasures,
      files: this.files,
      tombstoneDue: () => new Date(this.clock.now().getTime() + 30 * 86_400_000),
    });
  }

  static async of(
    db: TestDatabase,
    map: DataMap,
    stores: ObjectStores,
    database = db.database,
  ): Promise<Situation> {
    const owner = {
      query: (sql: string, values?: readonly unknown[]) => db.behindTheScenes(sql, values && [...values]),
    };
    return new Situation(db, new HostMap(map, await readCatalogue(owner as never)), stores, database);
  }

  person(kind: string, key: string): Promise<Subject> {
    return this.db.database.asHost(async (db) => {
      const found = await this.host.people.byKey(db, kind, key);
      if (!found) throw new Error('there is no such person');
      return found;
    });
  }

  job(subjects: Subject[], more: Partial<ErasureJob> = {}): ErasureJob {
    return {
      id: randomUUID(),
      tenant: HOST_TENANT,
      jobId: randomUUID(),
      scope: 'account',
      subjects,
      workspaces: [],
      pseudonyms: Object.fromEntries(subjects.map((subject) => [subjectId(subject), randomUUID()])),
      ...more,
    };
  }

  plan(job: ErasureJob) {
    return this.db.database.within(systemTenancy(job.tenant, 'test'), (tx) => this.plans.plan(tx, job));
  }

  async begin(job: ErasureJob): Promise<void> {
    await this.db.database.within(systemTenancy(job.tenant, 'test'), (tx) => this.eraser.begin(tx, job));
  }

  async erase(job: ErasureJob, options: EraserOptions = {}): Promise<StepOutcome[]> {
    await this.begin(job);
    return this.eraser.run(job, options);
  }

  /** Every row of every host table as text: what a neighbour's bytes are compared by. */
  async rows(...schemas: string[]): Promise<Map<string, Set<string>>> {
    const tables = await this.db.behindTheScenes<{ name: string }>(
      `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname = any ($1) and c.relkind in ('r', 'p') and not c.relispartition`,
      [schemas],
    );
    const all = new Map<string, Set<string>>();
    for (const { name } of tables) {
      const rows = await this.db.behindTheScenes<{ row: string }>(`select t::text as row from ${name} as t`);
      all.set(name, new Set(rows.map(({ row }) => row)));
    }
    return all;
  }
}

/** What is not as it was: rows gone and rows new, by table. */
export function difference(before: Map<string, Set<string>>, after: Map<string, Set<string>>) {
  const changes: Record<string, { gone: number; come: number }> = {};
  for (const [table, rows] of before) {
    const now = after.get(table) ?? new Set();
    const gone = [...rows].filter((row) => !now.has(row)).length;
    const come = [...now].filter((row) => !rows.has(row)).length;
    if (gone + come > 0) changes[table] = { gone, come };
  }
  return changes;
}

export const putText = (stores: ObjectStores, bucket: string, path: string): Promise<unknown> =>
  stores.bucket(bucket).put(path, Readable.from([Buffer.from(path)]), { contentType: 'text/plain' });

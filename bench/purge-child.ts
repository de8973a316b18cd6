/** A process of its own for each purge: wired and idle, then one workspace erased in it. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { readDataMap } from '../src/app/data-map.js';
import { openStores } from '../src/app/stores.js';
import { Clock } from '../src/clock.js';
import { Database } from '../src/database/database.js';
import { systemTenancy } from '../src/database/tenancy.js';
import { type UnitOfWork } from '../src/database/unit-of-work.js';
import { readCatalogue } from '../src/datamap/catalogue.js';
import { HostMap } from '../src/datamap/host-map.js';
import { Eraser } from '../src/deletion/eraser.js';
import { ErasureFiles } from '../src/deletion/erasure-files.js';
import { ErasurePlans } from '../src/deletion/erasure-plan.js';
import { type ErasureJob, type StepOutcome } from '../src/deletion/erasure.js';
import { Erasures } from '../src/deletion/erasures.js';
import { Sealing } from '../src/keys/sealing.js';
import { keyOf } from '../src/keys/key-files.js';
import { type Effort, measuring } from './measure.js';
import { configOf } from './throwaway.js';

export interface PurgeJob {
  home: string;
  /** As the service logs in, to the database that the workspace is in. */
  url: string;
  workspace: string;
}

export interface Purged extends Effort {
  /** Deleted or changed, of all collections. */
  rows: number;
  steps: Pick<StepOutcome, 'collection' | 'done'>[];
}

export type PurgeOrder = { open: PurgeJob } | { purge: true };

let open: { erase: () => Promise<StepOutcome[]>; close: () => Promise<void> } | undefined;

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
    open = await wire(order.open);
    await sleep(1000); // what starting left to do
    return {};
  }
  if (!open) throw new Error('nothing is open');
  return purge(open);
}

async function purge({ erase, close }: NonNullable<typeof open>): Promise<Purged> {
  let steps: StepOutcome[] = [];
  const effort = await measuring(async () => (steps = await erase()), 0);
  await close();
  return {
    ...effort,
    rows: steps.reduce((sum, { rule, done }) => sum + (rule === 'keep' ? 0 : done), 0),
    steps: steps.map(({ collection, done }) => ({ collection, done })),
  };
}

async function wire({ home, url, workspace }: PurgeJob): Promise<NonNullable<typeof open>> {
  const config = configOf(home);
  const database = await Database.connect(url);
  const clock = new Clock();
  const host = new HostMap(readDataMap(config), await database.asHost(readCatalogue));
  const erasures = new Erasures(new Sealing(keyOf(home, 'master')), clock);
  const eraser = new Eraser({
    database,
    host,
    plans: new ErasurePlans(host),
    erasures,
    files: new ErasureFiles(database, host, openStores(config)),
    tombstoneDue: () => clock.now(),
  });
  const job: ErasureJob = {
    id: randomUUID(),
    tenant: workspace,
    jobId: randomUUID(),
    scope: 'workspace',
    subjects: [],
    workspaces: [workspace],
    pseudonyms: { [`workspace:${workspace}`]: randomUUID() },
  };
  const erase = async () => {
    const begin = (tx: UnitOfWork) => eraser.begin(tx, job);
    await database.within(systemTenancy(workspace, 'bench'), begin, { statementTimeout: 0 });
    return eraser.run(job);
  };
  return { erase, close: () => database.close() };
}

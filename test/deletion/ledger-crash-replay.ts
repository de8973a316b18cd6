/**
 * A replay as a process of its own, which kills itself (SIGKILL) at the n-th end of a transaction or the n-th time that
 * it takes files away. Run by ledger-crash.deep.test.ts.
 */
import { writeSync } from 'node:fs';
import pino from 'pino';
import { AppModule } from '../../src/app.module.js';
import { readDataMap } from '../../src/app/data-map.js';
import { ledgerEraserOf } from '../../src/app/erasure-ledger.js';
import { HostWatch } from '../../src/app/host-watch.js';
import { openStores } from '../../src/app/stores.js';
import { readConfig } from '../../src/config.js';
import { Database } from '../../src/database/database.js';
import { ErasureLedger } from '../../src/deletion/ledger/ledger.js';
import { replayReport } from '../../src/deletion/ledger/ledger.cli.js';
import { LedgerDigests } from '../../src/deletion/ledger/entry.js';
import { LedgerReplay } from '../../src/deletion/ledger/replay.js';
import { createApp } from '../../src/http/bootstrap.js';
import { Queue } from '../../src/jobs/queue.js';
import { Sealing } from '../../src/keys/sealing.js';
import { TestClock } from '../support/clock.js';

const { url, home, since, killAt, now } = JSON.parse(process.argv[2] ?? '') as Record<string, string>;
let steps = 0;
const step = (name: string): void => {
  steps += 1;
  writeSync(1, `${steps} ${name}\n`);
  if (steps === Number(killAt)) process.kill(process.pid, 'SIGKILL');
};

const config = readConfig({ HABEAS_HOME: home, PORT: '1' });
const log = pino({ level: 'silent' });
const clock = new TestClock();
clock.set(now ?? '');
const database = await Database.connect(url ?? '');
const within = database.within.bind(database);
database.within = async (tenancy, work, options) => {
  const what = 'id' in tenancy.actor ? tenancy.actor.id : tenancy.actor.type;
  const result = await within(
    tenancy,
    async (tx) => {
      const done = await work(tx);
      if (what !== 'residue') step(`${what}: before COMMIT`);
      return done;
    },
    options,
  );
  if (what !== 'residue') step(`${what}: after COMMIT`);
  return result;
};
const stores = openStores(config);
const watch = await HostWatch.open(database, readDataMap(config), log);
const app = await createApp(
  AppModule.with({
    ...{ config, log, clock, database, stores, watch },
    sealing: new Sealing(Buffer.alloc(32, 7)),
    queue: new Queue(database, { onError: () => undefined }),
    close: () => Promise.resolve(),
  }),
  { config, log },
);
const replay = new LedgerReplay(
  database,
  watch.hostMap,
  app.get(ErasureLedger, { strict: false }),
  app.get(LedgerDigests, { strict: false }),
);
const write = (text: string): void => void writeSync(1, `said ${text}`);
const exitCode = await replayReport(replay, ledgerEraserOf(app), { since: since ?? '', write });
await app.close();
await database.close();
process.exit(exitCode);

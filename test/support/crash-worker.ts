/**
 * A real worker as a process of its own, which kills itself (SIGKILL) at the n-th step of its work. The steps are
 * not a list that somebody keeps: every transaction's begin, last moment and end, every COPY, every piece that
 * goes into a store, every attachment, every mail, and the end of every job is one.
 *
 * Run by crashing-worker.ts: `node --import ./scripts/typescript-loader.js test/support/crash-worker.ts '<situation>'`
 */
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import pino from 'pino';
import { AppModule } from '../../src/app.module.js';
import { readDataMap } from '../../src/app/data-map.js';
import { HostWatch } from '../../src/app/host-watch.js';
import { openStores } from '../../src/app/stores.js';
import { readConfig } from '../../src/config.js';
import { Database } from '../../src/database/database.js';
import { UnitOfWork } from '../../src/database/unit-of-work.js';
import { createApp } from '../../src/http/bootstrap.js';
import { Queue } from '../../src/jobs/queue.js';
import { Sealing } from '../../src/keys/sealing.js';
import { MAIL_TRANSPORT, type MailTransport } from '../../src/mail/transport.js';
import { type ObjectStore } from '../../src/storage/object-store.js';
import { TestClock } from './clock.js';
import { type Orders, type Situation } from './crashing-worker.js';

const { databaseUrl, home, hostHome, grain, dataMap, only } = JSON.parse(process.argv[2] ?? '') as Situation;

let killAt: Orders['killAt'] = Infinity;
let steps = 0;
const seen = new Map<string, number>();

/** Dies here if it is this step's turn; what it wrote before says how far it came. */
function step(name: string, { repeats = false } = {}): void {
  if (killAt === Infinity || (repeats && grain === 'coarse' && seen.has(name))) return;
  seen.set(name, (seen.get(name) ?? 0) + 1);
  steps += 1;
  writeSync(1, `${steps} ${name}\n`);
  const turn =
    typeof killAt === 'number' ? steps === killAt : killAt.name === name && killAt.nth === seen.get(name);
  if (turn) process.kill(process.pid, 'SIGKILL');
}

function stepsOfDatabase(database: Database): void {
  const within = database.within.bind(database);
  database.within = async (tenancy, work, options) => {
    const what = 'id' in tenancy.actor ? tenancy.actor.id : tenancy.actor.type;
    // The residue search reads one table after the other and writes nothing.
    const once = { repeats: what === 'residue' };
    // The state of the world is that of the step before.
    if (grain === 'fine') step(`${what}: before the transaction`, once);
    const result = await within(
      tenancy,
      async (tx) => {
        const done = await work(tx);
        step(`${what}: before COMMIT`, once);
        return done;
      },
      options,
    );
    step(`${what}: after COMMIT`, once);
    return result;
  };
  const prototype = UnitOfWork.prototype;
  const copyOut = Reflect.get<UnitOfWork, 'copyOut'>(prototype, 'copyOut');
  prototype.copyOut = async function (statement) {
    const stream = await copyOut.call(this, statement);
    step('in the middle of a COPY', { repeats: true });
    return stream;
  };
}

function stepsOfStore(real: ObjectStore): ObjectStore {
  const store = Object.create(real) as ObjectStore;
  store.put = async (path, source, options) => {
    step('store: before the first byte');
    const stored = await real.put(path, Readable.from(halfWay(source), { objectMode: false }), options);
    step('store: stored, and nobody told');
    return stored;
  };
  store.remove = async (paths) => {
    step('store: before files go', { repeats: true });
    await real.remove(paths);
    step('store: files gone, and nobody told', { repeats: true });
  };
  store.get = (path, range) => {
    step('store: an attachment', { repeats: true });
    return real.get(path, range);
  };
  return store;
}

async function* halfWay(source: Readable): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    step('store: in the middle of the upload', { repeats: true });
    yield chunk as Buffer;
  }
  step('store: everything read, not yet stored');
}

function stepsOfMail(transport: MailTransport): void {
  const send = transport.send.bind(transport);
  transport.send = async (mail) => {
    step('mail: before it is sent');
    const handover = await send(mail);
    step('mail: sent, and nobody told');
    return handover;
  };
}

// Retention looks at every workspace each hour, beside the work that is watched: its steps would come now here, now there.
const leftAlone = new Set(['retention']);

function stepsOfQueue(queue: Queue): void {
  const register = queue.register.bind(queue);
  queue.register = (name, handler, options) => {
    if (only ? !only.includes(name) : leftAlone.has(name)) return;
    register(
      name,
      async (job) => {
        await handler(job);
        step(`${name}: done, and the queue not told`);
      },
      options,
    );
  };
}

const config = readConfig({ HABEAS_HOME: home, PORT: '1', DATAMAP: dataMap });
const own = openStores(config);
const hosts = openStores({ ...config, home: hostHome });
const stores = Object.assign(Object.create(own) as typeof own, {
  bucket: (name: string) => stepsOfStore((name === config.storage.exportBucket ? own : hosts).bucket(name)),
});
const log = pino({ level: 'warn' });
const clock = new TestClock();
const database = await Database.connect(databaseUrl);
stepsOfDatabase(database);
const queue = new Queue(database, { onError: () => undefined });
stepsOfQueue(queue);
const app = await createApp(
  AppModule.with({
    config,
    log,
    clock,
    database,
    sealing: new Sealing(Buffer.alloc(32, 7)),
    stores,
    queue,
    watch: await HostWatch.open(database, readDataMap(config), log),
    close: () => Promise.resolve(),
  }),
  { config, log },
);
await app.init();
stepsOfMail(app.get<MailTransport>(MAIL_TRANSPORT, { strict: false }));
writeSync(1, 'booted\n');

for await (const line of createInterface({ input: process.stdin })) {
  const told = JSON.parse(line) as Orders;
  clock.set(told.now);
  killAt = told.killAt;
  await queue.start();
}

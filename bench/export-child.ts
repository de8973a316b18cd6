/** A process of its own for each measurement: the service, wired and idle, then one request fulfilled in it. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import pino from 'pino';
import { demoPeople } from '../demo/people.js';
import { AppModule } from '../src/app.module.js';
import { openEnvironment } from '../src/app/environment.js';
import { layFoundation } from '../src/app/foundation.js';
import { HOST_TENANT, systemTenancy } from '../src/database/tenancy.js';
import { type Database } from '../src/database/database.js';
import { AccessFulfilment } from '../src/dsar/access/fulfilment.js';
import { OwnRequests } from '../src/dsar/filing/own-requests.js';
import { PackageWriter } from '../src/export/package-writer.js';
import { createApp } from '../src/http/bootstrap.js';
import { type Effort, measuring } from './measure.js';
import { copiesDuring, inline, isCopy, type Statement } from './statements.js';
import { configOf } from './throwaway.js';

type Person = keyof typeof demoPeople;

export type Job =
  | { way: 'package' | 'record'; home: string; person: Person }
  | { way: 'obvious'; home: string; url: string; person: Person }
  | { way: 'read'; url: string; statements: Statement[] };

/** What a fresh process measured of itself. */
export interface Measured extends Effort {
  rows: number;
  bytes: number;
  /** Where the package lies. */
  output?: string;
  /** Of each data file, in order: its name, and how long its rows took from the first byte to the last. */
  fileSeconds?: [name: string, seconds: number][];
  statements?: Statement[];
  /** Instead of the figures where the way does not get there. */
  failed?: string;
}

process.once('message', (job: Job) => {
  void perform(job)
    .catch((error: unknown) => ({
      failed: error instanceof Error ? (error.stack ?? error.message) : String(error),
    }))
    .then((measured) => process.send?.(measured, () => process.exit(0)));
});

function perform(job: Job): Promise<Measured> {
  if (job.way === 'obvious') return obvious(job);
  return job.way === 'read' ? read(job) : fulfil(job);
}

/** The whole service, one real account request: everything between the job and the letter with the link. */
async function fulfil({ way, home, person }: Extract<Job, { way: 'package' | 'record' }>): Promise<Measured> {
  const config = configOf(home);
  const log = pino({ enabled: false });
  const environment = await openEnvironment(layFoundation(config, log));
  const app = await createApp(AppModule.with(environment), { config, log });
  try {
    await app.init();
    await environment.queue.start({ work: false });
    const id = await file(app.get(OwnRequests, { strict: false }), person);
    const fulfilment = app.get(AccessFulfilment, { strict: false });
    const fulfilled = () => fulfilment.run({ tenant: HOST_TENANT, id });
    if (way === 'record')
      return {
        seconds: NaN,
        cpuSeconds: NaN,
        rssAboveIdleMb: NaN,
        rows: 0,
        bytes: 0,
        statements: await copiesDuring(fulfilled),
      };
    const fileSeconds = timeFiles();
    const measured = await measuring(fulfilled);
    return {
      ...measured,
      ...(await packageOf(environment.database, home, config.storage.exportBucket, id)),
      fileSeconds,
    };
  } finally {
    await environment.queue.stop();
    await app.close();
    await environment.close();
  }
}

async function file(requests: OwnRequests, person: Person): Promise<string> {
  const subject = { kind: 'user', key: demoPeople[person].userId };
  const request = await requests.file(
    { tenant: HOST_TENANT, actor: { type: 'person', subject } },
    { type: 'person', subject, known: true, emailVerified: false, staff: [], roles: ['person'] },
    { kind: 'access', scope: 'account' },
  );
  return request.id;
}

async function packageOf(database: Database, home: string, bucket: string, request: string) {
  const found = await database.within(systemTenancy(HOST_TENANT, 'bench'), (tx) =>
    tx.one<{ path: string; bytes: string; rows: string }>(
      `select object_path as path, bytes, (select sum((f ->> 'rows')::bigint) from jsonb_array_elements(manifest -> 'data') as f) as rows
       from habeas.packages where job_id = $1 and status = 'ready'`,
      [request],
    ),
  );
  if (!found?.bytes) throw new Error('the request was not fulfilled');
  return {
    rows: Number(found.rows),
    bytes: Number(found.bytes),
    output: join(home, 'objects', bucket, found.path),
  };
}

/** How long each file's rows take, from outside. */
function timeFiles(): [string, number][] {
  const times: [string, number][] = [];
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its own writer below
  const rows = PackageWriter.prototype.rows;
  PackageWriter.prototype.rows = async function (name, source) {
    const begun = performance.now();
    const written = await rows.call(this, name, source);
    times.push([name, (performance.now() - begun) / 1000]);
    return written;
  };
  return times;
}

/** What one writes first: all rows into memory, all of it into one string. */
async function obvious({ home, url, person }: Extract<Job, { way: 'obvious' }>): Promise<Measured> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  let counted = { rows: 0, bytes: 0 };
  const measured = await measuring(async () => {
    const { rows } = await client.query('select * from atelier.messages where author_id = $1 order by id', [
      demoPeople[person].userId,
    ]);
    const text = JSON.stringify(rows);
    await writeFile(join(home, 'obvious.json'), text);
    counted = { rows: rows.length, bytes: text.length };
  });
  return { ...measured, ...counted };
}

/** The yardstick where there is no psql: the same statements, every byte thrown away. */
async function read({ url, statements }: Extract<Job, { way: 'read' }>): Promise<Measured> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const counted = { rows: 0, bytes: 0 };
  const fileSeconds: [string, number][] = [];
  const measured = await measuring(async () => {
    for (const statement of statements) {
      const begun = performance.now();
      if (!isCopy(statement)) {
        await client.query(inline(statement));
        continue;
      }
      const rows = client.query(copyTo(statement.text, { highWaterMark: 1024 * 1024 }));
      for await (const chunk of rows as AsyncIterable<Buffer>) counted.bytes += chunk.length;
      counted.rows += rows.rowCount;
      fileSeconds.push(['', (performance.now() - begun) / 1000]);
    }
  });
  return { ...measured, ...counted, fileSeconds };
}

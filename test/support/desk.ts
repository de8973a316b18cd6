import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import pino from 'pino';
import PostalMime, { type Email } from 'postal-mime';
import { AppModule } from '../../src/app.module.js';
import { readDataMap } from '../../src/app/data-map.js';
import { type Environment } from '../../src/app/environment.js';
import { HostWatch } from '../../src/app/host-watch.js';
import { openStores } from '../../src/app/stores.js';
import { type Config, readConfig } from '../../src/config.js';
import { createApp } from '../../src/http/bootstrap.js';
import { createLog } from '../../src/http/log.js';
import { type RateLimit } from '../../src/http/rate-limits.js';
import { Queue } from '../../src/jobs/queue.js';
import { SweepRegistry } from '../../src/jobs/sweep-registry.js';
import { Sealing } from '../../src/keys/sealing.js';
import { type ObjectStores } from '../../src/storage/object-store.js';
import { type demoPeople } from '../../demo/people.js';
import { TestClock } from './clock.js';
import { createDatabase, type TestDatabase } from './database.js';
import { eventually } from './eventually.js';

type DemoName = keyof typeof demoPeople;

/** One answer: its status, its JSON (or text), its headers. */
export interface Answer<Body = any> {
  status: number;
  body: Body;
  headers: Headers;
}

/** HTTP as one caller. */
export interface Caller {
  get<Body = any>(path: string): Promise<Answer<Body>>;
  post<Body = any>(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer<Body>>;
  put<Body = any>(path: string, body: unknown): Promise<Answer<Body>>;
  delete<Body = any>(path: string): Promise<Answer<Body>>;
}

interface DeskOptions {
  environment?: Record<string, string>;
  /** Wraps the object stores, to make them fail. */
  stores?: (real: ObjectStores) => ObjectStores;
  /** false: jobs are only queued. */
  work?: boolean;
  /** How many calls a minute; those of the service when absent. */
  limits?: readonly RateLimit[];
  /** What the service logs. */
  log?: NodeJS.WritableStream;
}

/** The whole service in this process, on the demo host app, with a clock that stands still. */
export class TestDesk {
  private constructor(
    readonly db: TestDatabase,
    readonly clock: TestClock,
    readonly config: Config,
    readonly app: NestFastifyApplication,
    private readonly environment: Environment,
  ) {}

  static async open(options: DeskOptions = {}): Promise<TestDesk> {
    const db = await createDatabase('atelier_template');
    const home = await mkdtemp(join(tmpdir(), 'habeas-desk-'));
    const port = await freePort();
    const config = readConfig({
      HABEAS_HOME: home,
      PORT: String(port),
      LOG_LEVEL: 'info',
      ...options.environment,
    });
    const log = options.log ? createLog(config, options.log) : pino({ enabled: false });
    const clock = new TestClock();
    // The demo's attachments too are its own: an erasure here must not take them from the tests beside it.
    await cp(join(process.env.HABEAS_TEST_HOME ?? '', 'objects'), join(home, 'objects'), { recursive: true });
    const own = openStores(config);
    const bucket = (name: string) => own.bucket(name);
    const wrapped = options.stores?.({ bucket }) ?? { bucket };
    // Still the local store in all else: it is the one that serves the addresses it signs.
    const stores = Object.assign(Object.create(own) as ObjectStores, {
      bucket: wrapped.bucket.bind(wrapped),
    });
    await own.bucket(config.storage.exportBucket).ready();
    const queue = new Queue(db.database, { onError: () => undefined });
    const watch = await HostWatch.open(db.database, readDataMap(config), pino({ enabled: false }));
    const sealing = new Sealing(Buffer.alloc(32, 7));
    const environment: Environment = {
      config,
      log,
      clock,
      database: db.database,
      sealing,
      stores,
      queue,
      watch,
      close: () => Promise.resolve(),
    };
    const app = await createApp(AppModule.with(environment), {
      config,
      log,
      ...(options.limits && { limits: options.limits }),
    });
    await app.init();
    await queue.start({ work: options.work ?? true });
    await app.listen(port, '127.0.0.1');
    return new TestDesk(db, clock, config, app, environment);
  }

  /** Looks at the host's schema anew, as the service does every minute. */
  lookAtHost(): Promise<void> {
    return this.environment.watch.look();
  }

  /** One round of every sweep; throws what any of them threw. */
  async sweep(): Promise<void> {
    for (const { error } of await this.app.get(SweepRegistry).runAll()) if (error) throw error as Error;
  }

  /** Signed in as one of the demo people. */
  async as(person: DemoName): Promise<Caller> {
    const { body } = await this.anybody().post('/demo/sessions', { person });
    return this.bearer((body as { token: string }).token);
  }

  bearer(token: string): Caller {
    return this.caller({ authorization: `Bearer ${token}` });
  }

  anybody(): Caller {
    return this.caller({});
  }

  /** Every mail sent so far, oldest first. */
  async mails(): Promise<(Email & { raw: string })[]> {
    const folder = join(this.config.home, 'outbox');
    const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.eml')).sort();
    return Promise.all(
      names.map(async (name) => {
        const raw = await readFile(join(folder, name), 'utf8');
        return { ...(await PostalMime.parse(raw)), raw };
      }),
    );
  }

  /** The certificate that came with a mail, as its reader saves it. */
  enclosed(mail: Email | undefined): string {
    const file = mail?.attachments.find(({ filename }) => filename === 'erasure-certificate.json');
    return file ? new TextDecoder().decode(file.content as ArrayBuffer) : '';
  }

  /** The newest mail to this address with a link of this kind in it, once it is there: its token. */
  linkTo(mail: string, kind: 'd' | 'p'): Promise<string> {
    const link = new RegExp(`/${kind}/([A-Za-z0-9_-]{64})`);
    return eventually(async () => {
      const theirs = (await this.mails()).filter(({ to }) =>
        to?.some(({ address }) => address?.toLowerCase() === mail.toLowerCase()),
      );
      return theirs.map(({ text }) => link.exec(text ?? '')?.[1]).findLast((token) => token !== undefined);
    });
  }

  /** The request in this state, once it is. */
  async reached(reader: Caller, path: string, status: string): Promise<any> {
    return eventually(async () => {
      const { body } = await reader.get(path);
      return (body as { status: string }).status === status && body;
    }, 20_000);
  }

  async close(): Promise<void> {
    await this.environment.queue.stop();
    await this.app.close();
    await this.db.drop();
    await rm(this.config.home, { recursive: true, force: true });
  }

  private caller(headers: Record<string, string>): Caller {
    const call = async (
      method: string,
      path: string,
      body?: unknown,
      more: Record<string, string> = {},
    ): Promise<Answer> => {
      const json = body === undefined ? {} : { 'content-type': 'application/json' };
      const response = await fetch(`${this.config.publicUrl}${path}`, {
        method,
        redirect: 'manual',
        headers: { ...headers, ...json, ...more },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      const isJson = /json/.test(response.headers.get('content-type') ?? '');
      return {
        status: response.status,
        body: isJson && text ? JSON.parse(text) : text,
        headers: response.headers,
      };
    };
    return {
      get: (path) => call('GET', path),
      post: (path, body = {}, more) => call('POST', path, body, more),
      put: (path, body) => call('PUT', path, body),
      delete: (path) => call('DELETE', path),
    };
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

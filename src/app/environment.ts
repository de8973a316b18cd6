import { type Logger } from 'pino';
import { Clock } from '../clock.js';
import { type Config } from '../config.js';
import { Database } from '../database/database.js';
import { versionWarning } from '../database/server-version.js';
import { DomainError, messageOf } from '../errors.js';
import { Queue } from '../jobs/queue.js';
import { keyOf } from '../keys/key-files.js';
import { Sealing } from '../keys/sealing.js';
import { type ObjectStores } from '../storage/object-store.js';
import { type DatabaseServer } from './database-server.js';
import { loadDemoHost } from './demo-host.js';
import { type Foundation } from './foundation.js';
import { HostWatch } from './host-watch.js';
import { configuredStores } from './stores.js';

/** Everything that must stand before Nest starts, and is closed after it has ended. */
export interface Environment {
  config: Config;
  log: Logger;
  clock: Clock;
  database: Database;
  sealing: Sealing;
  stores: ObjectStores;
  queue: Queue;
  watch: HostWatch;
  /** Ends what this process started, Postgres too unless others use it. */
  close(): Promise<void>;
}

/**
 * Opens the rest on a foundation: schema, demo host app, keys, object stores, the host's catalogue.
 * @throws DomainError with a sentence for the operator; whatever was opened before is closed again
 */
export async function openEnvironment(foundation: Foundation): Promise<Environment> {
  const { config, log, map } = foundation;
  const server = await foundation.server;
  const closing = [() => server.stop()];
  const close = async () => {
    for (const step of closing.splice(0).reverse()) await step();
  };
  try {
    const stores = await configuredStores(config);
    if (server.applied.length > 0) log.info({ migrations: server.applied }, 'migrated');
    await packagesBucket(config, stores, log);
    if (config.demoHost) await loadDemoHost(server.ownerUrl, map, stores);
    const database = await connect(server);
    closing.push(() => database.close());
    await warnOfServer(database, log);
    const watch = await HostWatch.open(database, map, log);
    const sealing = new Sealing(keyOf(config.home, 'master', config.masterKey));
    const queue = new Queue(database, {
      onError: (error) => log.warn({ err: error, component: 'queue' }, 'the queue has trouble'),
    });
    return { config, log, clock: new Clock(), database, sealing, stores, queue, watch, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function connect({ url }: DatabaseServer): Promise<Database> {
  try {
    return await Database.connect(url);
  } catch (error) {
    throw new DomainError(
      'database.unusable',
      `The database does not let the service in: ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  }
}

/** A public bucket stops the start; a storage that is away does not, since filing and the clock can go on. */
async function packagesBucket({ storage }: Config, stores: ObjectStores, log: Logger): Promise<void> {
  try {
    await stores.bucket(storage.exportBucket).ready();
  } catch (error) {
    if (!(error instanceof DomainError) || error.code !== 'storage.unavailable') throw error;
    log.warn({ code: error.code }, 'The object storage does not answer: packages wait until it does.');
  }
}

const loginRights = `
  select rolsuper as "super", rolbypassrls as "bypasses", rolinherit as "inherits"
  from pg_roles where rolname = session_user`;

async function warnOfServer(database: Database, log: Logger): Promise<void> {
  const version = versionWarning(await database.serverVersion());
  if (version) log.warn({ code: 'database.version' }, version);
  const { rows } = await database.queueSql(loginRights);
  const login = rows[0] as { super: boolean; bypasses: boolean; inherits: boolean } | undefined;
  if (login?.super || login?.bypasses || login?.inherits)
    log.warn(
      { code: 'database.login_too_mighty' },
      'DATABASE_URL logs in as a role that is a superuser, bypasses row-level security or inherits rights: ' +
        'make it one that owns nothing (create role … login noinherit).',
    );
}

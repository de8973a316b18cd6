import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { type Config } from '../config.js';
import { EmbeddedPostgres } from '../database/embedded-postgres.js';
import { DomainError, messageOf } from '../errors.js';

/** A database server that is up and migrated. */
export interface DatabaseServer {
  /** As the service's login, which owns nothing. */
  url: string;
  /** As whoever migrates. */
  ownerUrl: string;
  /** The migrations that were run just now. */
  applied: string[];
  embedded: boolean;
  stop(): Promise<void>;
}

/** The configured server, or an embedded one under HABEAS_HOME; migrated either way. */
export async function openServer(config: Config): Promise<DatabaseServer> {
  return config.databaseUrl ? await openConfigured(config, config.databaseUrl) : await openEmbedded(config);
}

const LOGIN = 'habeas_login';

async function openEmbedded({ home }: Config): Promise<DatabaseServer> {
  const server = await EmbeddedPostgres.start(home);
  try {
    const password = passwordOf(home);
    const { migrate } = await import('../database/migrations.js');
    const applied = await migrate(server.url, LOGIN, password);
    const url = new URL(server.url);
    [url.username, url.password] = [LOGIN, password];
    return { url: url.href, ownerUrl: server.url, applied, embedded: true, stop: () => server.stop() };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

async function openConfigured(config: Config, url: string): Promise<DatabaseServer> {
  const ownerUrl = config.migrationDatabaseUrl ?? url;
  const { migrate } = await import('../database/migrations.js');
  const login = await reaching('DATABASE_URL', url, () => sessionUser(url));
  const applied = await reaching('MIGRATION_DATABASE_URL', ownerUrl, () => migrate(ownerUrl, login));
  return { url, ownerUrl, applied, embedded: false, stop: () => Promise.resolve() };
}

/** A pooler's URL names `user.project`: only the server itself knows who logged in. */
async function sessionUser(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    const { rows } = await client.query<{ login: string }>('select session_user::text as login');
    return rows[0]?.login ?? LOGIN;
  } finally {
    await client.end();
  }
}

/** Says which variable a connection error is about, without the password that its URL may hold. */
export async function reaching<T>(variable: string, url: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof DomainError) throw error;
    const { hostname, port, pathname } = new URL(url);
    const place = `${hostname}:${port || 5432}${pathname}`;
    const reason =
      error instanceof AggregateError ? error.errors.map(messageOf).join(', ') : messageOf(error);
    throw new DomainError('database.unusable', `The database at ${place} (${variable}): ${reason}`, {
      cause: error,
    });
  }
}

function passwordOf(home: string): string {
  const file = join(home, 'login.password');
  try {
    writeFileSync(file, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return readFileSync(file, 'utf8').trim();
}

import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { Database } from '../../src/database/database.js';

export interface TestDatabase {
  /** As the service itself: a role that owns nothing. */
  url: string;
  /** As the superuser: only to arrange and to look behind the scenes. */
  ownerUrl: string;
  database: Database;
  /** One statement as the superuser. */
  behindTheScenes<Row = Record<string, unknown>>(sql: string, values?: unknown[]): Promise<Row[]>;
  drop(): Promise<void>;
}

const urlOf = (name: string, user?: { name: string; password: string }): string => {
  const url = new URL(process.env.HABEAS_TEST_POSTGRES ?? '');
  url.pathname = `/${name}`;
  if (user) [url.username, url.password] = [user.name, user.password];
  return url.href;
};

/**
 * A database of its own, cloned from a template in some thirty milliseconds.
 * @param template `atelier_template` holds the demo host app as well
 */
export async function createDatabase(
  template: 'habeas_template' | 'atelier_template' = 'habeas_template',
): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  // Copied as files, past the WAL: a tenth of the time where nothing needs to survive a crash.
  await statement(urlOf('habeas'), `create database ${name} template ${template} strategy file_copy`);
  const url = urlOf(name, { name: 'habeas_login', password: 'test' });
  const ownerUrl = urlOf(name);
  const database = await Database.connect(url);
  const owner = new pg.Pool({ connectionString: ownerUrl, max: 2 });
  // Dropping the database by force cuts connections that are on their way home.
  owner.on('error', () => undefined);
  return {
    url,
    ownerUrl,
    database,
    behindTheScenes: async <Row>(sql: string, values?: unknown[]) =>
      (await owner.query(sql, values)).rows as Row[],
    drop: async () => {
      await database.close();
      await owner.end();
      await statement(urlOf('habeas'), `drop database if exists ${name} with (force)`);
    },
  };
}

async function statement(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { EmbeddedPostgres } from '../../src/database/embedded-postgres.js';
import { migrate } from '../../src/database/migrations.js';

/** Durability is of no use to a cluster that lives as long as the run. */
const forTests = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '200' };

/**
 * Starts the one real Postgres of a test run, with a migrated database that each test file clones.
 * @returns what stops it and removes its folder
 */
export async function startTestPostgres(): Promise<() => Promise<void>> {
  const home = await mkdtemp(join(process.env.TMPDIR ?? '/tmp', 'habeas-test-'));
  const server = await EmbeddedPostgres.start(home, forTests);
  process.env.HABEAS_TEST_HOME = home;
  process.env.HABEAS_TEST_POSTGRES = server.url;

  const template = new URL(server.url);
  template.pathname = '/habeas_template';
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  await client.query('create database habeas_template');
  await client.end();
  await migrate(template.href, 'habeas_login', 'test');
  return async () => {
    await server.stop();
    await rm(home, { recursive: true, force: true });
  };
}

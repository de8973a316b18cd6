import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { readDataMap } from '../../src/app/data-map.js';
import { loadDemoHost } from '../../src/app/demo-host.js';
import { openStores } from '../../src/app/stores.js';
import { readConfig } from '../../src/config.js';
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
  await prepareAtelier(server.url, home);
  return async () => {
    await server.stop();
    await rm(home, { recursive: true, force: true });
  };
}

/** The demo host app, loaded once: files that need it clone `atelier_template` and read its attachments in place. */
async function prepareAtelier(url: string, home: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('create database atelier_template template habeas_template');
  await client.end();
  const atelier = new URL(url);
  atelier.pathname = '/atelier_template';
  const config = readConfig({ HABEAS_HOME: home });
  await loadDemoHost(atelier.href, readDataMap(config), openStores(config));
}

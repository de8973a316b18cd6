import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { EmbeddedPostgres } from '../../src/database/embedded-postgres.js';
import { migrate } from '../../src/database/migrations.js';

/** A server of its own: what is asked about are roles, and those of the test run's server are there already. */
let home: string;
let server: EmbeddedPostgres;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'habeas-rights-'));
  server = await EmbeddedPostgres.start(home, { fsync: 'off' });
  await asSuperuser(`create role shop_service login noinherit password 'test'`);
}, 60_000);
afterAll(async () => {
  await server.stop();
  await rm(home, { recursive: true, force: true });
});

const urlOf = (database: string, user?: string) => {
  const url = new URL(server.url);
  url.pathname = `/${database}`;
  if (user !== undefined) [url.username, url.password] = [user, 'test'];
  return url.href;
};

async function asSuperuser(...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  try {
    for (const sql of statements) await client.query(sql);
  } finally {
    await client.end();
  }
}

/** The statements that a refused migration asks for. */
async function askedFor(database: string, user: string): Promise<string[]> {
  const refused = await migrate(urlOf(database, user), 'shop_service').catch((error: unknown) => error);
  if (!(refused instanceof Error)) throw new Error('it was not refused');
  expect(refused.message).toMatch(
    /^permission denied .*\. A superuser lets the migrating role do it with:\n/,
  );
  return refused.message
    .split('\n')
    .slice(1)
    .map((line) => line.trim());
}

test('a role that may make nothing is told all that it lacks, and migrates once it has that', async () => {
  await asSuperuser(`create role "shop-owner" login password 'test'`, 'create database shop');
  const cures = await askedFor('shop', 'shop-owner');
  expect(cures).toEqual([
    'grant create on database shop to "shop-owner";',
    'alter role "shop-owner" createrole;',
  ]);
  await asSuperuser(...cures);
  expect((await migrate(urlOf('shop', 'shop-owner'), 'shop_service')).length).toBeGreaterThan(0);
  expect(await migrate(urlOf('shop', 'shop-owner'), 'shop_service')).toEqual([]);
});

test('where another made the roles before, it is told to have them given, and no more than that', async () => {
  await asSuperuser(
    `create role bakery_owner login createrole password 'test'`,
    'create database bakery owner bakery_owner',
  );
  const cures = await askedFor('bakery', 'bakery_owner');
  expect(cures).toEqual([
    'grant habeas_app, habeas_desk, habeas_host, habeas_owner, habeas_residue, habeas_self, habeas_sweep ' +
      'to bakery_owner with admin option;',
  ]);
  await asSuperuser(...cures);
  expect((await migrate(urlOf('bakery', 'bakery_owner'), 'shop_service')).length).toBeGreaterThan(0);
});

test('a refusal of something else is told as it came', async () => {
  await asSuperuser('create database attic owner "shop-owner"');
  const client = new pg.Client({ connectionString: urlOf('attic') });
  await client.connect();
  // A schema of that name that somebody else has made, and keeps.
  await client.query('create schema habeas_migrations');
  await client.end();
  await expect(migrate(urlOf('attic', 'shop-owner'), 'shop_service')).rejects.toThrow(
    /^permission denied for schema habeas_migrations$/,
  );
});

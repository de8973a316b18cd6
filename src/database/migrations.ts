import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { getConstructionPlans, PgBoss } from 'pg-boss';
import { DataSource, type MigrationInterface, type QueryRunner } from 'typeorm';
import { projectFile } from '../config.js';
import { withCure } from './migration-rights.js';

const folder = projectFile('migrations');

/** Every role that the service's login may take on; it inherits none of them. */
const roles = ['habeas_app', 'habeas_self', 'habeas_desk', 'habeas_sweep', 'habeas_residue', 'habeas_host'];

/**
 * Brings a database to the newest schema; harmless when it is there. Several may call it at once: the first one
 * works while the others wait.
 * @param ownerUrl who migrates: a superuser, or a role that may create roles and schemas
 * @param loginName the service's login role, made if missing when `loginPassword` is given
 * @returns the names of the migrations that were run
 * @throws Error that names what to grant, where the migrating role lacks a right
 */
export async function migrate(
  ownerUrl: string,
  loginName: string,
  loginPassword?: string,
): Promise<string[]> {
  const lock = new pg.Client({ connectionString: ownerUrl });
  await lock.connect();
  try {
    await lock.query(`select pg_advisory_lock(hashtext('habeas.migrate'))`);
    await lock.query(readFileSync(join(folder, 'roles.sql'), 'utf8'));
    const applied = await runMigrations(ownerUrl);
    // Whatever tables the migrations have made.
    await lock.query('set role habeas_owner; select habeas.open_to_residue_search(); reset role');
    await installQueue(lock, ownerUrl);
    await admit(lock, loginName, loginPassword);
    return applied;
  } catch (error) {
    throw await withCure(error, lock, ['habeas_owner', ...roles]);
  } finally {
    await lock.end();
  }
}

async function runMigrations(ownerUrl: string): Promise<string[]> {
  const source = new DataSource({
    type: 'postgres',
    url: ownerUrl,
    schema: 'habeas_migrations',
    migrationsTableName: 'applied',
    migrations: sqlFiles().map(asMigration),
    migrationsTransactionMode: 'each',
  });
  await source.initialize();
  try {
    return (await source.runMigrations()).map(({ name }) => name);
  } finally {
    await source.destroy();
  }
}

const sqlFiles = () =>
  readdirSync(folder)
    .filter((name) => /^\d{4}-[a-z0-9-]+\.sql$/.test(name))
    .sort();

/** TypeORM orders by a 13-digit number at the end of the name; ours are counted, not dated. */
function asMigration(file: string): new () => MigrationInterface {
  const sql = readFileSync(join(folder, file), 'utf8');
  return class implements MigrationInterface {
    name = `${file.replace(/\.sql$/, '')}-${1_000_000_000_000 + Number(file.slice(0, 4))}`;

    async up(runner: QueryRunner): Promise<void> {
      await runner.query('set local role habeas_owner');
      await runner.query(sql);
      await runner.query('reset role');
    }

    down(): Promise<void> {
      return Promise.reject(new Error('Migrations only go forward: restore a backup instead.'));
    }
  };
}

async function installQueue(owner: pg.Client, ownerUrl: string): Promise<void> {
  const { rowCount } = await owner.query(
    `select from pg_tables where schemaname = 'habeas_jobs' and tablename = 'version'`,
  );
  if (!rowCount) await owner.query(getConstructionPlans('habeas_jobs', { createSchema: false }));
  else {
    const boss = new PgBoss({
      connectionString: ownerUrl,
      schema: 'habeas_jobs',
      supervise: false,
      schedule: false,
      max: 2,
    });
    await boss.start();
    await boss.stop({ graceful: false });
  }
}

/** Lets the service in: it may take on the narrow roles, and work the queue, and nothing else. */
async function admit(owner: pg.Client, login: string, password?: string): Promise<void> {
  const name = owner.escapeIdentifier(login);
  const { rows } = await owner.query<{ rolsuper: boolean }>(
    'select rolsuper from pg_roles where rolname = $1',
    [login],
  );
  if (password !== undefined) {
    const verb = rows.length ? 'alter' : 'create';
    await owner.query(`${verb} role ${name} login noinherit password ${owner.escapeLiteral(password)}`);
  }
  if (!rows[0]?.rolsuper) {
    await owner.query(`grant ${roles.join(', ')} to ${name}`);
  }
  const who = `${name}, habeas_app`;
  await owner.query(`
    grant usage on schema habeas_jobs to ${who};
    grant select, insert, update, delete on all tables in schema habeas_jobs to ${who};
    grant usage on all sequences in schema habeas_jobs to ${who};
    grant execute on all functions in schema habeas_jobs to ${who};
  `);
}

import { readFile } from 'node:fs/promises';
import pg from 'pg';
import { type SqlRunner } from '../../src/database/unit-of-work.js';
import { type Catalogue, readCatalogue } from '../../src/datamap/catalogue.js';
import { grantsFor } from '../../src/datamap/grants.js';
import { type DataMap } from '../../src/datamap/map.js';
import { parseDataMap } from '../../src/datamap/parse.js';
import { type Selection, settingsStatement } from '../../src/datamap/settings.js';
import { collectionQuery } from '../../src/datamap/walk.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

const foreign = (file: string) => new URL(`./foreign/${file}`, import.meta.url);

/** A foreign schema in a database of its own, with its map, as the service meets it. */
export interface ForeignHost {
  database: TestDatabase;
  map: DataMap;
  catalogue: Catalogue;
  yaml: string;
  /** One transaction as the service reads host tables: as habeas_host, with row_security off; rolled back. */
  asHost<T>(work: (db: SqlRunner) => Promise<T>): Promise<T>;
  /** One transaction as the superuser, rolled back: roles are the whole server's, so other tests must not see it. */
  asOwner<T>(work: (db: SqlRunner) => Promise<T>): Promise<T>;
  /** The rows of a collection's export, as they leave. */
  lines(collection: string, selection: Selection): Promise<string[]>;
  drop(): Promise<void>;
}

export async function foreignHost(name: string, granted = true): Promise<ForeignHost> {
  const [sql, yaml] = [`${name}.sql`, `${name}.yaml`].map((file) => readFile(foreign(file), 'utf8'));
  return hostOf((await sql) ?? '', (await yaml) ?? '', `${name}.yaml`, granted);
}

/** The same of a schema and a map that stand in the test itself. */
export async function hostOf(sql: string, yaml: string, file: string, granted = true): Promise<ForeignHost> {
  const database = await createDatabase();
  await database.behindTheScenes(sql);
  const map = parseDataMap(yaml, { file });
  const service = new pg.Pool({ connectionString: database.url, max: 2 });
  const superuser = new pg.Pool({ connectionString: database.ownerUrl, max: 2 });
  for (const pool of [service, superuser]) pool.on('error', () => undefined);
  const owner: SqlRunner = { query: (sql, values) => database.behindTheScenes(sql, values && [...values]) };
  if (granted) await database.behindTheScenes(grantsFor(map, await readCatalogue(owner)));
  const catalogue = await readCatalogue(owner);
  const within = async <T>(pool: pg.Pool, begin: string, work: (db: SqlRunner) => Promise<T>) => {
    const client = await pool.connect();
    const query = async <R>(sql: string, values?: readonly unknown[]) => {
      const result = await client.query(sql, values && [...values]);
      return result.rows as R[];
    };
    try {
      await client.query(begin);
      return await work({ query });
    } finally {
      await client.query('rollback');
      client.release();
    }
  };
  const asHost: ForeignHost['asHost'] = (work) =>
    within(service, 'begin; set local role habeas_host; set local row_security = off', work);
  return {
    database,
    map,
    catalogue,
    yaml,
    asHost,
    asOwner: (work) => within(superuser, 'begin', work),
    lines: (collection, selection) =>
      asHost(async (db) => {
        const settings = settingsStatement(selection);
        await db.query(settings.sql, settings.values);
        const { sql } = collectionQuery(map, catalogue, collection, selection);
        const rows = await db.query<Record<string, string>>(sql);
        return rows.map((row) => Object.values(row)[0] ?? '');
      }),
    drop: async () => {
      await service.end();
      await superuser.end();
      await database.drop();
    },
  };
}

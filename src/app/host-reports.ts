import pg from 'pg';
import { type Config } from '../config.js';
import { Database } from '../database/database.js';
import { type SqlRunner } from '../database/unit-of-work.js';
import { checkReport, grantsReport, type Report } from '../datamap/datamap.cli.js';
import { type DataMap } from '../datamap/map.js';
import { DomainError, messageOf } from '../errors.js';
import { readDataMap } from './data-map.js';
import { openServer, reaching } from './database-server.js';
import { loadDemoHost } from './demo-host.js';
import { configuredStores } from './stores.js';

/** `datamap check`, as the service itself would meet the host's tables. */
export const checkHost = (config: Config): Promise<Report> =>
  withHost(config, async (url, map) => {
    const database = await reaching('DATABASE_URL', url, () => Database.connect(url, 1));
    try {
      return await database.asHost((host) => checkReport(host, map));
    } catch (error) {
      // 42704: no such role; 42501: not granted to this login.
      const { code } = error as { code?: string };
      if (code !== '42704' && code !== '42501' && code !== '22023') throw error;
      throw new DomainError(
        'database.not_migrated',
        `The service's login may not take on the role habeas_host yet (${messageOf(error)}). Run: npx habeas migrate`,
      );
    } finally {
      await database.close();
    }
  });

/** `datamap grants`: works before the first migration too, since it only reads the catalogue. */
export const grantsForHost = (config: Config, options: { residue?: boolean } = {}): Promise<Report> =>
  withHost(config, async (url, map) => {
    const client = new pg.Client({ connectionString: url });
    await reaching('DATABASE_URL', url, () => client.connect());
    try {
      await client.query('begin read only');
      const runner: SqlRunner = {
        query: async <Row>(sql: string, values?: readonly unknown[]) =>
          (await client.query(sql, values && [...values])).rows as Row[],
      };
      return await grantsReport(runner, map, options);
    } finally {
      await client.end();
    }
  });

/** A real database is only read; the embedded one is brought up first, with the demo host if that is the map's. */
async function withHost<T>(config: Config, work: (url: string, map: DataMap) => Promise<T>): Promise<T> {
  const map = readDataMap(config);
  if (config.databaseUrl) return work(config.databaseUrl, map);
  const server = await openServer(config);
  try {
    if (config.demoHost) await loadDemoHost(server.ownerUrl, map, await configuredStores(config));
    return await work(server.url, map);
  } finally {
    await server.stop();
  }
}

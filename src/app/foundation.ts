import { type Logger } from 'pino';
import { type Config } from '../config.js';
import { type DataMap } from '../datamap/map.js';
import { assertRecipients } from './recipient-secrets.js';
import { readDataMap } from './data-map.js';
import { type DatabaseServer, openServer } from './database-server.js';
import { makeHome } from './home.js';

/** What the service stands on, on its way: the database server starts while our own modules still load. */
export interface Foundation {
  config: Config;
  log: Logger;
  map: DataMap;
  server: Promise<DatabaseServer>;
}

/** @throws DomainError `home.unusable`, `datamap.invalid`, `config.invalid` before anything is started */
export function layFoundation(config: Config, log: Logger): Foundation {
  makeHome(config);
  const map = readDataMap(config);
  assertRecipients(map, config);
  const server = openServer(config);
  // Whoever waits for it gets the error; until then it must not count as one that nobody caught.
  server.catch(() => undefined);
  return { config, log, map, server };
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { loadManyMessages } from '../demo/bulk.js';
import { demoPeople } from '../demo/people.js';
import { readDataMap } from '../src/app/data-map.js';
import { openServer } from '../src/app/database-server.js';
import { loadDemoHost } from '../src/app/demo-host.js';
import { openStores } from '../src/app/stores.js';
import { type Config, readConfig } from '../src/config.js';

/** The configuration of a home that a bench made for itself; nothing of this shell's own environment counts. */
export const configOf = (home: string): Config => readConfig({ HABEAS_HOME: home, LOG_LEVEL: 'silent' });

/** A database server and a demo host app of a bench's own. */
export interface Throwaway {
  home: string;
  /** As the service logs in. */
  url: string;
  /** As the superuser. */
  ownerUrl: string;
  /** Stops the server and removes everything; with `keep` it leaves both as they are. */
  close(keep: boolean): Promise<void>;
}

/**
 * Starts an embedded Postgres as `npm start` would (durable, default settings), loads the demo host app, and lets
 * each of these demo people write so many messages more.
 */
export async function openThrowaway(
  messages: Partial<Record<keyof typeof demoPeople, number>>,
): Promise<Throwaway> {
  const home = await mkdtemp(join(tmpdir(), 'habeas-bench-'));
  const config = configOf(home);
  const server = await openServer(config).catch(async (error: unknown) => {
    await rm(home, { recursive: true, force: true });
    throw error;
  });
  let closing = false;
  const close = async (keep: boolean) => {
    if (keep || closing) return;
    closing = true;
    await server.stop();
    await rm(home, { recursive: true, force: true });
  };
  // Whatever ends the bench ends the server here, so that none is left behind.
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)
    process.once(signal, () => void close(false).finally(() => process.exit(code)));
  try {
    const stores = openStores(config);
    await loadDemoHost(server.ownerUrl, readDataMap(config), stores);
    await writeMessages(server.ownerUrl, messages);
    return { home, url: server.url, ownerUrl: server.ownerUrl, close };
  } catch (error) {
    await close(false);
    throw error;
  }
}

async function writeMessages(ownerUrl: string, messages: Record<string, number>): Promise<void> {
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    for (const [person, count] of Object.entries(messages)) {
      const author = demoPeople[person as keyof typeof demoPeople].userId;
      await loadManyMessages(client, { author, count });
    }
    // Writing back what the load left behind would otherwise fall into the first runs.
    await client.query('vacuum (freeze, analyze)');
    await client.query('checkpoint');
  } finally {
    await client.end();
  }
}

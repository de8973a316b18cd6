import { Readable } from 'node:stream';
import pg from 'pg';
import { loadAtelier } from '../../demo/load.js';
import { demoPeople } from '../../demo/people.js';
import { systemTenancy } from '../database/tenancy.js';
import { readCatalogue } from '../datamap/catalogue.js';
import { grantsFor } from '../datamap/grants.js';
import { type DataMap } from '../datamap/map.js';
import { DomainError } from '../errors.js';
import { type Auditors } from '../identity/auditors.js';
import { type ObjectStores } from '../storage/object-store.js';

/**
 * Puts the demo host app beside our schema and gives habeas_host its grants. A real host's owner does the second
 * themselves, with what `datamap grants` prints: nothing here ever touches a real host's tables.
 */
export async function loadDemoHost(ownerUrl: string, map: DataMap, stores: ObjectStores): Promise<void> {
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    // A real host has its buckets; the demo's are made where nobody has made them.
    const made = new Map<string, Promise<void>>();
    await loadAtelier(client, {
      putObject: async (bucket, path, bytes) => {
        if (!made.has(bucket)) made.set(bucket, stores.bucket(bucket).ready());
        await made.get(bucket);
        const type = { contentType: 'application/octet-stream' };
        await stores.bucket(bucket).put(path, Readable.from([bytes]), type);
      },
    });
    await client.query('begin');
    // Two services that start at once would change the same rows of the catalogue.
    await client.query(`select pg_advisory_xact_lock(hashtext('atelier.load'))`);
    const runner = {
      query: async (sql: string, values?: readonly unknown[]) =>
        (await client.query(sql, values && [...values])).rows as never,
    };
    await client.query(grantsFor(map, await readCatalogue(runner)));
    await client.query('commit');
  } finally {
    await client.end();
  }
}

/** Lets the demo's auditor look at Acme's log, as an owner would; once, so that who takes it back is not overruled. */
export async function letDemoAuditorIn(auditors: Auditors): Promise<void> {
  const { workspaceId, userId } = demoPeople.auditor;
  const tenancy = systemTenancy(workspaceId, 'demo');
  const before = await auditors.list(tenancy, 100);
  if (before.some((grant) => grant.userId === userId)) return;
  await auditors.grant(tenancy, { userId }).catch((error: unknown) => {
    // Another service that started at the same moment was first.
    if (!(error instanceof DomainError && error.code === 'auditor.already_granted')) throw error;
  });
}

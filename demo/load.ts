import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClientBase } from 'pg';
import { generateAtelier, type AtelierSize } from './generate.js';
import type { StoredObject } from './rows.js';

export interface AtelierLoad extends AtelierSize {
  /** Stores one file; called several times at once, and again with the same bytes after a failed load. */
  putObject: (bucket: string, path: string, bytes: Buffer) => Promise<void>;
}

/**
 * Creates schema `atelier` and fills it, in one transaction; a database that has it is left alone, also when
 * two processes try at once. Needs a superuser, or a role that may create schemas and is a member of
 * atelier_owner. Files are stored first, so that no row is ever without a file that it should have.
 */
export async function loadAtelier(client: ClientBase, { putObject, ...size }: AtelierLoad): Promise<void> {
  await client.query('begin');
  try {
    await client.query(`select pg_advisory_xact_lock(hashtext('atelier.load'))`);
    if (!(await isLoaded(client))) {
      const atelier = generateAtelier(size);
      await storeAll(atelier.objects, putObject);
      await client.query(await sqlFile('schema.sql'));
      for (const [table, rows] of Object.entries(atelier.tables)) await insertAll(client, table, rows);
      await client.query(await sqlFile('keys.sql'));
      await client.query(advanceIdentities);
    }
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}

async function isLoaded(client: ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ there: boolean }>(
    `select to_regnamespace('atelier') is not null as there`,
  );
  return rows[0]?.there === true;
}

/** Rows that came with their ids leave an identity column where it was. */
const advanceIdentities = `
  select setval(pg_get_serial_sequence('atelier.messages', 'id'), coalesce(max(id), 4611686018427387905))
    from atelier.messages;
  select setval(pg_get_serial_sequence('atelier.workroom_invitations', 'id'), coalesce(max(id), 1))
    from atelier.workroom_invitations;
`;

/** Large enough that round trips do not count, small enough that a million messages need no memory. */
const batchSize = 5000;

async function insertAll(client: ClientBase, table: string, rows: Iterable<object>): Promise<void> {
  const insert = `insert into atelier.${table} select * from json_populate_recordset(null::atelier.${table}, $1)`;
  let batch: object[] = [];
  for (const row of rows) {
    batch.push(row);
    if (batch.length < batchSize) continue;
    await client.query(insert, [JSON.stringify(batch)]);
    batch = [];
  }
  if (batch.length > 0) await client.query(insert, [JSON.stringify(batch)]);
}

async function storeAll(
  objects: readonly StoredObject[],
  putObject: AtelierLoad['putObject'],
): Promise<void> {
  const queue = objects.values();
  // One shared iterator: each of the eight takes the next file when it is done with its last.
  const worker = async (): Promise<void> => {
    for (const { bucket, path, bytes } of queue) await putObject(bucket, path, bytes);
  };
  await Promise.all(Array.from({ length: 8 }, worker));
}

/** From demo/ in the sources, which the compiled file in dist/demo/ has no copy of. */
async function sqlFile(name: string): Promise<string> {
  const folders = [import.meta.dirname, join(import.meta.dirname, '..', '..', 'demo')];
  return Promise.any(folders.map((folder) => readFile(join(folder, name), 'utf8')));
}

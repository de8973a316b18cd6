import { createHash } from 'node:crypto';
import { type Client } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { writePackage } from '../src/export/package-writer.js';
import { LocalStores } from '../src/storage/local-store.js';

/** One line of JSON and a comma a row: the very statement that psql runs too. */
export const copyStatement = (author: number): string => `copy (
  select row_to_json(r)::text || ','
  from (
    select id, room_id, sent_at, language, nonce, body, edited_at
    from bench_export.messages
    where author_id = ${author}
    order by author_id, id
  ) r
) to stdout (format csv, quote e'\\x01', delimiter e'\\x02')`;

export interface Job {
  way: 'package' | 'obvious' | 'read';
  databaseUrl: string;
  author: number;
  /** The store's root; the package becomes `<folder>/bench/person-<author>.zip`. */
  folder: string;
}

export interface Outcome {
  rows: number;
  bytes: number;
}

type Way = (client: Client, job: Job) => Promise<Outcome>;

const makePackage: Way = async (client, { author, folder }) => {
  const key = createHash('sha256').update('bench').digest();
  const store = new LocalStores({ root: folder, key, publicUrl: 'http://127.0.0.1' }).bucket('bench');
  await store.ready();
  const { bytes, result } = await writePackage(
    store,
    `person-${author}.zip`,
    { at: new Date() },
    async (files) => {
      const rows = client.query(copyTo(copyStatement(author), { highWaterMark: 1024 * 1024 }));
      const written = await files.rows('data/messages.json', rows);
      if (written.rows !== rows.rowCount)
        throw new Error(`${written.rows} rows written, ${rows.rowCount} sent`);
      return written;
    },
  );
  return { rows: result.rows, bytes };
};

/** What one writes first: all rows into memory, all of it into one string. */
const obvious: Way = async (client, { author, folder }) => {
  const { rows } = await client.query(
    `select * from bench_export.messages where author_id = ${author} order by author_id, id`,
  );
  const text = JSON.stringify(rows);
  const { writeFile } = await import('node:fs/promises');
  await writeFile(`${folder}/obvious.json`, text);
  return { rows: rows.length, bytes: text.length };
};

/** The yardstick where there is no psql: the same statement, every byte thrown away. */
const read: Way = async (client, { author }) => {
  const rows = client.query(copyTo(copyStatement(author), { highWaterMark: 1024 * 1024 }));
  let bytes = 0;
  for await (const chunk of rows as AsyncIterable<Buffer>) bytes += chunk.length;
  return { rows: rows.rowCount, bytes };
};

export const ways: Record<Job['way'], Way> = { package: makePackage, obvious, read };

import { EventEmitter } from 'node:events';
import { buffer } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import pg, { type Connection } from 'pg';
import { CopyOut } from '../../src/database/copy-out.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';

describe('rows copied out', () => {
  let db: TestDatabase;
  let client: pg.Client;
  beforeAll(async () => {
    db = await createDatabase();
    client = new pg.Client({ connectionString: db.url });
    client.on('error', () => undefined);
    await client.connect();
  });
  afterAll(async () => {
    await client.end();
    await db.drop();
  });

  test('are what the query answers, byte for byte, and as many as it says', async () => {
    const values = `select repeat(md5(n::text) || 'é🕊', 1 + n % 400) as v from generate_series(1, 3000) as n`;
    const copy = client.query(new CopyOut(`copy (${values}) to stdout`));
    const copied = (await buffer(copy)).toString();
    const { rows } = await client.query<{ v: string }>(values);
    expect(copied === rows.map(({ v }) => `${v}\n`).join('')).toBe(true);
    expect(copy.rowCount).toBe(3000);
    expect(copy.over).toBe(true);
  });

  test('may be none, or one that is larger than all buffers, and the connection goes on', async () => {
    const none = client.query(new CopyOut('copy (select 1 where false) to stdout'));
    expect([(await buffer(none)).length, none.rowCount]).toEqual([0, 0]);
    const large = client.query(new CopyOut(`copy (select repeat('x', 20000000)) to stdout`));
    expect([(await buffer(large)).length, large.rowCount]).toEqual([20_000_001, 1]);
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });

  test('come past notices of the server', async () => {
    await client.query(`create function pg_temp.noisy(n int) returns int language plpgsql as
      $$ begin raise notice 'row %', n; return n; end $$`);
    const copy = client.query(
      new CopyOut('copy (select pg_temp.noisy(n) from generate_series(1, 3) n) to stdout'),
    );
    expect((await buffer(copy)).toString()).toBe('1\n2\n3\n');
  });

  test('end with the error that ends the query, at once or midway, and the connection goes on', async () => {
    for (const [sql, code] of [
      ['copy (select * from nowhere) to stdout', '42P01'],
      ['copy (select 1 / (200000 - n) from generate_series(1, 300000) n) to stdout', '22012'],
    ] as const) {
      const copy = client.query(new CopyOut(sql));
      await expect(buffer(copy)).rejects.toMatchObject({ code });
      expect(copy.over).toBe(true);
      expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    }
  });

  test('wait for a reader who takes time', async () => {
    const copy = client.query(
      new CopyOut(`copy (select repeat('x', 1000) from generate_series(1, 100000)) to stdout`),
    );
    let bytes = 0;
    for await (const piece of copy as AsyncIterable<Buffer>) {
      bytes += piece.length;
      await turn();
      expect(copy.readableLength).toBeLessThan(12);
    }
    expect(bytes).toBe(100_100_000);
  });

  test('end with an error where the connection breaks', async () => {
    const other = new pg.Client({ connectionString: db.url });
    other.on('error', () => undefined);
    await other.connect();
    const copy = other.query(new CopyOut('copy (select n from generate_series(1, 100000000) n) to stdout'));
    const reading = buffer(copy);
    const pid = await eventually(async () => {
      const copying = `select pid from pg_stat_activity where query like 'copy (select n%'`;
      return (await client.query<{ pid: number }>(copying)).rows[0]?.pid;
    });
    await db.behindTheScenes('select pg_terminate_backend($1)', [pid]);
    await expect(reading).rejects.toThrow();
    expect(copy.over).toBe(true);
  });

  test('are the same however the network cuts what the server says', async () => {
    const message = (kind: string, body: Buffer) => {
      const head = Buffer.alloc(5);
      head.write(kind);
      head.writeInt32BE(body.length + 4, 1);
      return Buffer.concat([head, body]);
    };
    const cuts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ maxLength: 8 })), cuts, async (rows, lengths) => {
        const end = message('C', Buffer.from(`COPY ${rows.length}\0`));
        const said = Buffer.concat([
          message('H', Buffer.alloc(3)),
          ...rows.map((row) => message('d', Buffer.from(row))),
          message('c', Buffer.alloc(0)),
          end,
        ]);
        const socket = Object.assign(new EventEmitter(), { pause: () => socket, resume: () => socket });
        const toPg: Buffer[] = [];
        socket.on('data', (chunk: Buffer) => toPg.push(chunk));
        const copy = new CopyOut('copy');
        copy.submit({ stream: socket, query: () => undefined } as unknown as Connection);
        for (let at = 0, n = 0; at < said.length; n += 1) {
          const length = lengths[n % lengths.length] ?? 1;
          socket.emit('data', Buffer.from(said.subarray(at, at + length)));
          at += length;
        }
        expect(Buffer.concat(toPg).equals(end)).toBe(true);
        copy.handleReadyForQuery();
        expect((await buffer(copy)).toString()).toBe(Buffer.from(rows.join('')).toString());
      }),
    );
  });
});

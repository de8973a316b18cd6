import { createHash } from 'node:crypto';
import { type Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { type Catalogue, readCatalogue } from '../../src/datamap/catalogue.js';
import { checkDataMap } from '../../src/datamap/check.js';
import { grantsFor } from '../../src/datamap/grants.js';
import { type DataMap } from '../../src/datamap/map.js';
import { parseDataMap } from '../../src/datamap/parse.js';
import { type Selection, settingsStatement, type Subject } from '../../src/datamap/settings.js';
import { collectionQuery, copyStatement } from '../../src/datamap/walk.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

const big = `
create table person (id uuid primary key, email text not null);
create table room (id bigint primary key, owner_id uuid not null, team integer not null);
create table message (
  id bigint primary key, room_id bigint not null, author_id uuid not null, mail text,
  seen_by uuid[], meta jsonb, body text not null);
insert into person select md5('p' || n)::uuid, 'p' || n || '@example.org' from generate_series(1, 5000) n;
insert into room select n, md5('p' || n % 5000)::uuid, n % 500 from generate_series(1, 10000) n;
insert into message
  select n, 1 + n % 10000, md5('p' || n % 4999)::uuid, 'P' || n % 5001 || '@example.org',
         array[md5('p' || n % 5003)::uuid], jsonb_build_object('to', jsonb_build_object('id', md5('p' || n % 5005)::uuid)),
         repeat('text ', 4)
    from generate_series(1, 60000) n;
create index on room (owner_id);
create index on message (author_id);
create index on message (room_id);
create index on message using gin (seen_by);
create index on message ((meta #>> '{to,id}'));
analyze;`;

const yaml = `
version: 1
subjects:
  person: { table: person, key: id, identifiers: { mail: { column: email, normalise: mail } } }
workspaces: { table: room, key: team }
controller: { name: Big }
collections:
  messages:
    table: message
    subject:
      person:
        - author_id
        - { column: owner_id, join: [{ table: room, on: { room_id: id } }] }
        - { column: seen_by, array: true }
        - { column: meta, json: [to, id] }
        - { column: mail, as: mail }
    workspace: { column: team, join: [{ table: room, on: { room_id: id } }] }
    controller: workspace
    purpose: Talk
    legalBasis: Contract
    retention: P1Y
    columns:
      id: { category: technical }
      room_id: { category: reference }
      author_id: { category: reference }
      mail: { category: contact }
      seen_by: { category: reference, party: other, of: person }
      meta: { category: technical }
      body: { category: content }
    erasure: { rule: delete }
exempt: [{ table: person, reason: Tested elsewhere }, { table: room, reason: Tested elsewhere }]
`;

const maskKey = Buffer.alloc(32, 1);

describe('a big table', () => {
  let database: TestDatabase;
  let client: pg.Client;
  let catalogue: Catalogue;
  const map: DataMap = parseDataMap(yaml, { file: 'big.yaml' });
  const uuid = (n: number) =>
    createHash('md5')
      .update(`p${n}`)
      .digest('hex')
      .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  const person: Subject = { kind: 'person', key: uuid(7), identifiers: { mail: 'p7@example.org' } };
  const query = async <R>(sql: string, values?: readonly unknown[]) =>
    (await client.query(sql, values && [...values])).rows as R[];

  beforeAll(async () => {
    database = await createDatabase();
    client = new pg.Client({ connectionString: database.ownerUrl });
    client.on('error', () => undefined);
    await client.connect();
    await client.query(big);
    await client.query(grantsFor(map, await readCatalogue({ query })));
    catalogue = await readCatalogue({ query });
  });
  afterAll(async () => {
    await client.end();
    await database.drop();
  });

  const within = async <T>(selection: Selection, work: () => Promise<T>): Promise<T> => {
    await client.query('begin');
    try {
      const settings = settingsStatement({ maskKey, ...selection });
      await client.query(settings.sql, settings.values);
      return await work();
    } finally {
      await client.query('rollback');
    }
  };
  const planOf = async (sql: string) =>
    (await query<{ 'QUERY PLAN': string }>(`explain ${sql}`)).map((row) => row['QUERY PLAN']).join('\n');

  test('that people are found in by five ways is read by index, and the check names the index that is missing', async () => {
    const statement = collectionQuery(map, catalogue, 'messages', { subjects: [person], maskKey }).sql;
    const scans = async () => {
      const { warnings } = await within({}, () => checkDataMap({ query }, map));
      return warnings.filter((f) => f.code === 'query.scans');
    };
    const [warning, ...others] = await scans();
    expect(warning?.where).toBe('public.message.mail');
    expect(others).toEqual([]);
    expect(await within({ subjects: [person] }, () => planOf(statement))).toContain('Seq Scan on message');

    await client.query(/create index.*;/.exec(warning?.message ?? '')?.[0] ?? '');
    await client.query('analyze message');
    expect(await scans()).toEqual([]);
    const plan = await within({ subjects: [person] }, () => planOf(statement));
    expect(plan).not.toContain('Seq Scan');
    expect(plan).toContain('BitmapOr');
  });

  test('that old rows are looked for by index too, and the check names the index that is missing', async () => {
    await client.query(
      `create table stamp (id bigint primary key, team integer not null, at timestamp not null);
       insert into stamp select n, n % 500, '2026-01-01'::timestamp + n * interval '1 minute' from generate_series(1, 60000) n;
       analyze stamp`,
    );
    const stamps = parseDataMap(
      yaml.replace(
        'exempt: [',
        `  stamps:
    table: stamp
    subject: none
    workspace: team
    controller: workspace
    purpose: Stamps
    legalBasis: Contract
    retention: { keep: P1Y, after: at }
    columns: { id: { category: technical }, team: { category: technical }, at: { category: technical } }
    erasure: { rule: delete }
exempt: [`,
      ),
      { file: 'big.yaml' },
    );
    await client.query(grantsFor(stamps, await readCatalogue({ query })));
    const scans = async () => {
      const { warnings } = await within({}, () => checkDataMap({ query }, stamps));
      return warnings.filter((f) => f.code === 'query.scans' && f.where.startsWith('public.stamp'));
    };
    const [warning] = await scans();
    expect(warning?.where).toBe('public.stamp.at');
    await client.query(/create index.*;/.exec(warning?.message ?? '')?.[0] ?? '');
    expect(await scans()).toEqual([]);
    await client.query('drop table stamp');
  });

  test('needs no sort for one person where an index has the order of the key', async () => {
    await client.query('create index on room (team, id); analyze room');
    const rooms = parseDataMap(
      yaml.replace(
        'exempt: [',
        `  rooms:
    table: room
    subject: none
    workspace: team
    controller: workspace
    purpose: Talk
    legalBasis: Contract
    retention: P1Y
    columns: { id: { category: technical }, owner_id: { category: reference }, team: { category: technical } }
    erasure: { rule: delete }
exempt: [`,
      ),
      { file: 'big.yaml' },
    );
    const plan = (workspaces: string[]) =>
      within({ workspaces }, async () => {
        // For a few rows a sort is cheaper; the question is whether it can be done without.
        await client.query('set local enable_sort = off');
        return planOf(collectionQuery(rooms, catalogue, 'rooms', { workspaces }).sql);
      });
    expect(await plan(['7'])).not.toContain('Sort');
  });

  test('gives exactly the rows that a plain reading of the map gives', async () => {
    const rows = await within({ subjects: [person] }, () =>
      query<Record<string, string>>(
        collectionQuery(map, catalogue, 'messages', { subjects: [person], maskKey }).sql,
      ),
    );
    const ids = rows.map(
      (row) => (JSON.parse((Object.values(row)[0] ?? '').slice(0, -1)) as { id: number }).id,
    );
    const plain = await query<{ id: string }>(
      `select m.id from message m join room r on r.id = m.room_id
        where m.author_id = $1::text::uuid or r.owner_id = $1::text::uuid or $1::text::uuid = any (m.seen_by)
           or m.meta -> 'to' ->> 'id' = $1::text or lower(m.mail) = 'p7@example.org' order by 1`,
      [uuid(7)],
    );
    expect(ids).toEqual(plain.map((row) => Number(row.id)));
    expect(ids.length).toBeGreaterThan(40);
  });

  test('of a workspace is found through a join without gathering its keys first', async () => {
    const selection = { workspaces: ['7'] };
    const statement = collectionQuery(map, catalogue, 'messages', selection).sql;
    expect(await within(selection, () => planOf(statement))).toMatch(/Join|Nested Loop/);
    const [counted] = await query<{ n: string }>(
      'select count(*) as n from message m join room r on r.id = m.room_id where r.team = 7',
    );
    const rows = await within(selection, () => query(statement));
    expect(rows).toHaveLength(Number(counted?.n));
  });

  test('that leads to no workspace is found as such, together with a workspace or alone', async () => {
    const keys = (selection: Selection) =>
      within(selection, async () => {
        await client.query(`insert into message values (-1, -1, '${uuid(7)}', null, null, null, 'nowhere')`);
        const rows = await query<Record<string, string>>(
          collectionQuery(map, catalogue, 'messages', selection).sql,
        );
        return rows.map(
          (row) => (JSON.parse((Object.values(row)[0] ?? '').slice(0, -1)) as { id: number }).id,
        );
      });
    expect(await keys({ subjects: [person], maskKey, unplaced: true })).toEqual([-1]);
    expect(await keys({ workspaces: ['7'] })).not.toContain(-1);
    expect(await keys({ workspaces: ['7'], unplaced: true })).toContain(-1);
  });

  test('of a person, in a workspace or in none, is never compared with all rows of the workspace', async () => {
    const selection = { subjects: [person], workspaces: ['7'], unplaced: true };
    const statement = collectionQuery(map, catalogue, 'messages', { ...selection, maskKey }).sql;
    const plan = await within(selection, async () => {
      // As it is where a workspace's rows are too many for a hash.
      await client.query(`set local work_mem = '64kB'`);
      return planOf(statement);
    });
    // A sub-select that does not depend on the row and is no hash is looked through from its beginning, row by row.
    expect(plan).not.toMatch(/ANY \(\(?[^)]* = \(SubPlan/);
  });

  test('leaves by COPY as JSON, one row a line, byte for byte', async () => {
    await client.query(
      `insert into message values (0, 0, '${uuid(7)}', null, null, '{"a": "b\\nc"}',
         E'"quoted" \\\\ back\\\\\\\\slash\\ttab\\nline\\r\\nend\\x01\\x02\\\\. , 😀 \\u2028 ' || repeat('ü', 100000))`,
    );
    const selection = { subjects: [person], maskKey };
    const { sql } = collectionQuery(map, catalogue, 'messages', selection);
    const [copied, selected] = await within(selection, async () => {
      const stream = client.query(copyTo(copyStatement(sql))) as Readable;
      return [await text(stream), await query<Record<string, string>>(sql)] as const;
    });
    expect(copied).toBe(selected.map((row) => `${Object.values(row)[0] ?? ''}\n`).join(''));
    const rows = JSON.parse(`[${copied.trimEnd().slice(0, -1)}]`) as { id: number; body: string }[];
    expect(rows[0]?.body).toMatch(/^"quoted" \\ back\\\\slash\ttab\nline\r\nend\x01\x02\\\. , 😀 \u2028 ü+$/);
  });
});

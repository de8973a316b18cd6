import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { loadManyMessages } from '../../demo/bulk.js';
import { generateAtelier } from '../../demo/generate.js';
import { loadAtelier } from '../../demo/load.js';
import { demoPeople, workspaceIds } from '../../demo/people.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

const size = { scale: 0.2, messages: 2000 };
const member = demoPeople.member.userId;

let database: TestDatabase;
let client: pg.Client;
const stored = new Map<string, Buffer>();
const putObject = (bucket: string, path: string, bytes: Buffer): Promise<void> => {
  stored.set(`${bucket}/${path}`, bytes);
  return Promise.resolve();
};

beforeAll(async () => {
  database = await createDatabase();
  client = new pg.Client({ connectionString: database.ownerUrl });
  await client.connect();
  await loadAtelier(client, { ...size, putObject });
});

afterAll(async () => {
  await client.end();
  await database.drop();
});

const one = async <Value>(sql: string, values?: unknown[]): Promise<Value> => {
  const { rows } = await client.query<{ value: Value }>(sql, values);
  return rows[0]?.value as Value;
};

describe('loading Atelier', () => {
  const atelier = generateAtelier(size);

  test.each(Object.keys(atelier.tables))(
    'brings every row of %s, to the last digit and byte',
    async (table) => {
      const rows = [...atelier.tables[table as keyof typeof atelier.tables]];
      // Postgres itself reads the generated rows back: JavaScript would round what it should compare.
      const differing = await one<string>(
        `select count(*) as value from (
         select to_jsonb(t) from atelier.${table} as t
         except all
         select to_jsonb(g) from json_populate_recordset(null::atelier.${table}, $1) as g
       ) as differences`,
        [JSON.stringify(rows)],
      );
      expect(differing).toBe('0');
      expect(await one(`select count(*) as value from atelier.${table}`)).toBe(String(rows.length));
    },
  );

  test('keeps numbers that JavaScript would round', async () => {
    expect(
      await one(`select settings ->> 'quota' as value from atelier.users where settings ? 'quota' limit 1`),
    ).toBe('12345678901234567890123');
    expect(await one(`select max(amount)::text as value from atelier.invoices`)).toBe('90071992547409931.10');
    expect(await one(`select min(id)::text as value from atelier.messages`)).toBe('4611686018427387905');
  });

  test('stores every file that a row names, but for the few that were lost', async () => {
    expect(stored.size).toBe(atelier.objects.length);
    const { rows } = await client.query<{ bucket: string; path: string; bytes: string }>(
      'select bucket, path, bytes from atelier.attachments',
    );
    const found = rows.filter(({ bucket, path }) => stored.has(`${bucket}/${path}`));
    expect(rows.length - found.length).toBe(1);
    expect(
      found.every(({ bucket, path, bytes }) => stored.get(`${bucket}/${path}`)?.length === Number(bytes)),
    ).toBe(true);
  });

  test('does nothing the second time', async () => {
    await loadAtelier(client, {
      scale: 0.2,
      seed: 'another',
      putObject: () => Promise.reject(new Error('The second load stored a file.')),
    });
    expect(await one(`select count(*) as value from atelier.messages`)).toBe('2000');
  });

  test('takes an id beyond the loaded ones for the next message', async () => {
    await client.query('begin');
    const next = await one<string>(
      `insert into atelier.messages (workroom_id, workspace_id, body_sealed, body_nonce, sent_at)
       select id, workspace_id, '\\x00', '\\x00', now() from atelier.workrooms limit 1 returning id as value`,
    );
    await client.query('rollback');
    expect(BigInt(next)).toBe(4611686018427387905n + 2000n);
  });

  test('leaves the tables to an owner of their own, with policies on all that is about people', async () => {
    const { rows } = await client.query<{ name: string; owner: string; secured: boolean }>(
      `select relname as name, relowner::regrole::text as owner, relrowsecurity as secured
       from pg_class where relnamespace = 'atelier'::regnamespace and relkind = 'r'`,
    );
    expect(new Set(rows.map(({ owner }) => owner))).toEqual(new Set(['atelier_owner']));
    expect(
      rows
        .filter(({ secured }) => !secured)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['feature_flags', 'plans']);
  });

  test('has an index that begins with the columns of each foreign key', async () => {
    const { rows } = await client.query(
      `select conrelid::regclass, conkey from pg_constraint as key
       where contype = 'f' and connamespace = 'atelier'::regnamespace and not exists (
         select from pg_index
         where indrelid = conrelid and (indkey::int2[])[0:cardinality(conkey) - 1] = conkey)`,
    );
    expect(rows).toEqual([]);
  });

  test('shows a signed-in person the workspaces they belong to, and nobody anything', async () => {
    await client.query('begin');
    try {
      await client.query(`create role atelier_reader; grant usage on schema atelier to atelier_reader;
        grant select on all tables in schema atelier to atelier_reader; set local role atelier_reader`);
      expect(await one(`select count(*) as value from atelier.messages`)).toBe('0');
      await client.query(`select set_config('request.jwt.claims', $1, true)`, [
        JSON.stringify({ sub: member }),
      ]);
      expect(await one(`select array_agg(distinct workspace_id) as value from atelier.messages`)).toEqual([
        workspaceIds.acme,
      ]);
      expect(await one(`select array_agg(name) as value from atelier.workspaces`)).toEqual(['Acme']);
    } finally {
      await client.query('rollback');
    }
  });
});

describe('loading many messages of one person', () => {
  test('adds as many as asked, all theirs, in rooms they know, about 500 bytes each, all indexes kept', async () => {
    const indexes = `select array_agg(indexdef order by indexname) as value from pg_indexes where schemaname = 'atelier'`;
    const before = await one<string[]>(indexes);
    expect(await loadManyMessages(client, { author: member, count: 5000 })).toBe(5000);
    expect(await one(indexes)).toEqual(before);

    const added = `from atelier.messages as m where id > 4611686018427387905 + 2000 - 1`;
    expect(await one(`select count(*) as value ${added} and author_id = $1`, [member])).toBe('5000');
    expect(await one(`select count(distinct workroom_id)::int > 1 as value ${added}`)).toBe(true);
    const average = Number(await one(`select avg(octet_length(row_to_json(m)::text)) as value ${added}`));
    expect(average).toBeGreaterThan(450);
    expect(average).toBeLessThan(600);
    expect(
      await one(`select bool_and(m.workspace_id = r.workspace_id) as value
                 from atelier.messages as m join atelier.workrooms as r on r.id = m.workroom_id`),
    ).toBe(true);
  });

  test('adds none for somebody who knows no room', async () => {
    expect(await loadManyMessages(client, { author: demoPeople.support.userId, count: 10 })).toBe(0);
  });
});

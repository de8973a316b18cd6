import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import pg from 'pg';
import { loadAtelier } from '../../demo/load.js';
import { demoPeople } from '../../demo/people.js';
import { readCatalogue } from '../../src/datamap/catalogue.js';
import { parseDataMap } from '../../src/datamap/parse.js';
import { settingsStatement, type Subject } from '../../src/datamap/settings.js';
import { collectionQuery, reaches } from '../../src/datamap/walk.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

const file = 'demo/datamap.yaml';
const map = parseDataMap(readFileSync(file, 'utf8'), { file });
const collections = Object.values(map.collections);

let database: TestDatabase;
let client: pg.Client;
/** table → column → may it be null */
const live = new Map<string, Map<string, boolean>>();

beforeAll(async () => {
  database = await createDatabase();
  client = new pg.Client({ connectionString: database.ownerUrl });
  await client.connect();
  await loadAtelier(client, { scale: 0.2, messages: 100, putObject: () => Promise.resolve() });
  const rows = await database.behindTheScenes<{ table: string; column: string; nullable: string }>(
    `select table_name as table, column_name as column, is_nullable as nullable
     from information_schema.columns where table_schema = 'atelier'`,
  );
  for (const { table, column, nullable } of rows) {
    const columns = live.get(table) ?? new Map<string, boolean>();
    live.set(table, columns.set(column, nullable === 'YES'));
  }
});

afterAll(async () => {
  await client.end();
  await database.drop();
});

describe('the data map of Atelier', () => {
  test('maps or exempts every table, and no other', () => {
    const named = [...collections, ...map.exempt].map(({ table }) => table.name);
    expect([...new Set(named)].sort()).toEqual([...live.keys()].sort());
  });

  test.each(Object.keys(map.collections))('classifies every column of %s, and no other', (name) => {
    const collection = map.collections[name];
    const columns = [...(live.get(collection?.table.name ?? '')?.keys() ?? [])];
    expect(Object.keys(collection?.columns ?? {}).sort()).toEqual(columns.sort());
  });

  test('never lets a hash, a token or a key of somebody out, and calls bodies sealed', () => {
    const withFlag = (flag: 'secret' | 'sealed') =>
      collections.flatMap(({ name, columns }) =>
        Object.keys(columns)
          .filter((column) => columns[column]?.[flag])
          .map((column) => `${name}.${column}`),
      );
    expect(withFlag('secret').sort()).toEqual([
      'integrations.access_token_nonce',
      'integrations.access_token_sealed',
      'integrations.refresh_token_nonce',
      'integrations.refresh_token_sealed',
      'users.byok_key_nonce',
      'users.byok_key_sealed',
      'users.password_hash',
    ]);
    expect(withFlag('sealed')).toEqual(['messages.body_sealed']);
  });

  test('empties only columns that may be empty', () => {
    const emptied = collections.flatMap(({ table, erasure }) => {
      if (erasure.rule === 'clear') return erasure.columns.map((column) => ({ table, column }));
      if (erasure.rule !== 'pseudonymise') return [];
      const nulls = Object.entries(erasure.set).filter(([, value]) => value === null);
      return nulls.map(([column]) => ({ table, column }));
    });
    expect(emptied.length).toBeGreaterThan(8);
    expect(emptied.filter(({ table, column }) => live.get(table.name)?.get(column) !== true)).toEqual([]);
  });

  test('pseudonymises the user row with values that its columns take', async () => {
    const { erasure } = map.collections.users ?? {};
    if (erasure?.rule !== 'pseudonymise') throw new Error('The users row is pseudonymised in place.');
    const uuid = '5b0f3c1e-0000-4000-8000-000000000000';
    const values = Object.values(erasure.set).map((value) =>
      value === 'pseudonym-mail' ? `deleted-${uuid}@deleted.invalid` : value,
    );
    const set = Object.keys(erasure.set).map((column, index) => `${column} = $${index + 1}`);
    const rows = await database.behindTheScenes(
      `update atelier.users set ${set.join(', ')}
       where id = (select min(id::text)::uuid from atelier.users) returning email, display_name, language`,
      values,
    );
    expect(rows).toEqual([
      { email: `deleted-${uuid}@deleted.invalid`, display_name: 'Deleted User', language: null },
    ]);
  });
});

describe('walking the map', () => {
  const mail = 'guest2@elsewhere.example';
  const guest: Subject = { kind: 'guest', key: mail, identifiers: { mail } };
  const { userId, mail: memberMail } = demoPeople.member;
  const member: Subject = {
    kind: 'user',
    key: userId,
    identifiers: { id: userId, mail: memberMail, phone: null },
  };

  test('finds what is held about a member, with nothing of it missing and no other person by name', async () => {
    const found = await walk(member);
    const held = async (sql: string) =>
      Number((await database.behindTheScenes<{ n: string }>(sql, [userId]))[0]?.n);
    const written = await held('select count(*) as n from atelier.messages where author_id = $1');
    expect(written).toBeGreaterThan(0);
    expect(found.messages).toHaveLength(written);
    expect(found.users).toHaveLength(1);
    expect(found.workspaces).toHaveLength(1);
    expect(found.workrooms).toHaveLength(
      await held(
        `select count(*) as n from atelier.workrooms where owner_id = $1
         or id in (select workroom_id from atelier.messages where author_id = $1)`,
      ),
    );
    const text = JSON.stringify(found);
    const others = await database.behindTheScenes<{ email: string; id: string }>(
      `select email, id from atelier.users where id <> $1`,
      [userId],
    );
    expect(others.filter(({ email, id }) => text.includes(email) || text.includes(id))).toEqual([]);
  });

  test('finds somebody who was only ever invited, by their address, and does not say who invited them', async () => {
    const { invitations_received: invitations, ...rest } = await walk(guest);
    expect(rest).toEqual({});
    expect(invitations).toHaveLength(1);
    expect(invitations?.[0]).toHaveProperty('invited_email', mail);
    expect(invitations?.[0]).toHaveProperty('invited_by', expect.stringMatching(/^person:[0-9a-f]{32}$/));
  });

  async function walk(subject: Subject): Promise<Record<string, unknown[]>> {
    const run = async <Row>(sql: string, values?: unknown[]) =>
      (await client.query(sql, values)).rows as Row[];
    const catalogue = await readCatalogue({ query: run });
    const selection = { subjects: [subject], maskKey: Buffer.alloc(32, 7) };
    await client.query('begin');
    try {
      const { sql, values } = settingsStatement(selection);
      await client.query(sql, values);
      const found: Record<string, unknown[]> = {};
      for (const collection of collections.filter((each) => reaches(each, selection))) {
        const query = collectionQuery(map, catalogue, collection.name, selection);
        const { rows } = await client.query<[string]>({ text: query.sql, rowMode: 'array' });
        found[collection.name] = rows.map(([line]) => JSON.parse(line.replace(/,$/, '')) as unknown);
      }
      return found;
    } finally {
      await client.query('rollback');
    }
  }
});

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { People } from '../../src/datamap/people.js';
import { maskOf, type Selection, settingsStatement, type Subject } from '../../src/datamap/settings.js';
import { collectionQuery, countQuery, filesQuery } from '../../src/datamap/walk.js';
import { workspaceId } from '../../src/datamap/workspace-id.js';
import { HostWorkspaces } from '../../src/datamap/workspaces.js';
import { type ForeignHost, foreignHost } from './host.js';

const maskKey = Buffer.alloc(32, 7);

/** The rows as a reader of the package parses them. */
const parsed = async (host: ForeignHost, collection: string, selection: Selection) =>
  JSON.parse(`[${(await host.lines(collection, selection)).join('').replace(/,$/, '')}]`) as Record<
    string,
    unknown
  >[];

describe('a grown schema with composite keys, mixed case, reserved words, partitions and a view', () => {
  let host: ForeignHost;
  let ada: Subject;
  beforeAll(async () => {
    host = await foreignHost('works');
    const found = await host.asHost((db) =>
      new People(host.map, host.catalogue).byKey(db, 'user', '["1","1"]'),
    );
    if (!found) throw new Error('Ada is in the schema');
    ada = found;
  });
  afterAll(() => host.drop());

  const of = (collection: string, selection?: Partial<Selection>) =>
    parsed(host, collection, { subjects: [ada], maskKey, ...selection });

  test('one mail may be several people, found whatever its case and spaces', async () => {
    const found = await host.asHost((db) =>
      new People(host.map, host.catalogue).find(db, 'mail', ' ADA@alpha.EXAMPLE'),
    );
    expect(found).toEqual([
      { kind: 'user', key: '["1","1"]', identifiers: { mail: 'ada@alpha.example' } },
      { kind: 'user', key: '["2","1"]', identifiers: { mail: 'ada@alpha.example' } },
    ]);
  });

  test('many are looked up at once, each by their own key, and whom nobody knows stays a key', async () => {
    const keys = ['["1","2"]', '["1","1"]', '["1","1"]', '["77","1"]', '["x","y"]', 'constructor'];
    const queries: string[] = [];
    const found = await host.asHost((db) =>
      new People(host.map, host.catalogue).named(
        {
          query: (sql, values) => {
            queries.push(sql);
            return db.query(sql, values);
          },
        },
        [...keys.map((key) => ({ kind: 'user', key })), { kind: 'nobody', key: '1' }],
      ),
    );
    expect(queries).toHaveLength(1);
    expect(found).toEqual([
      ada,
      { kind: 'user', key: '["1","2"]', identifiers: { mail: 'bob@alpha.example' } },
      ...['["77","1"]', '["x","y"]', 'constructor'].map((key) => ({ kind: 'user', key, identifiers: {} })),
      { kind: 'nobody', key: '1', identifiers: {} },
    ]);
  });

  test('a composite key leads to its own rows, not to rows that match only in part', async () => {
    expect(await of('users')).toEqual([
      {
        CompanyNo: 1,
        UserNo: 1,
        'E-Mail': 'Ada@Alpha.example',
        'First Name': 'Ada',
        'Last Name': 'Ärmel',
        Rank: 'BOSS  ',
        group: 'a',
      },
    ]);
    expect((await of('log')).map((row) => row.id)).toEqual([1, 2]);
    expect((await of('badges')).map((row) => row.code)).toEqual(['A1      ']);
    expect((await of('directory')).map((row) => row.mail)).toEqual(['Ada@Alpha.example']);
  });

  test('two columns that point at two people both lead to the row, once', async () => {
    const orders = await of('orders');
    expect(orders.map((row) => row.no)).toEqual([10, 11]);
    expect(orders[1]).toMatchObject({ buyer_no: 2, approver_no: 1, select: 'quote " and\nnewline' });
  });

  test('a join over several columns reaches only rows of the very same joined row', async () => {
    expect(await of('order_notes')).toEqual([
      { company_no: 1, order_no: 10, seq: 1, body: 'for ada', scan: 'AP8Q' },
    ]);
  });

  test('a secret column never leaves, nor one that is not exported', async () => {
    const [user] = await of('users');
    const [entry] = await of('directory');
    expect(user).not.toHaveProperty('Pass');
    expect(entry).not.toHaveProperty('shout');
  });

  test('a workspace’s rows are all its rows, whoever’s, and nobody else’s', async () => {
    const everything = { subjects: undefined, workspaces: ['1'] };
    expect((await of('orders', everything)).map((row) => [row.company_no, row.no])).toEqual([
      [1, 10],
      [1, 11],
    ]);
    expect((await of('order_notes', everything)).map((row) => row.body)).toEqual(['for ada', 'for bob']);
    expect(await of('orders', { workspaces: ['2'] })).toEqual([]);
    expect(await of('orders', { workspaces: ['no such key'] })).toEqual([]);
  });

  test('several people at once get what each of them gets, no more', async () => {
    const bob = { ...ada, key: '["1","2"]' };
    const beta = { ...ada, key: '["2","1"]' };
    const keys = async (subjects: Subject[]) =>
      (await of('order_notes', { subjects })).map((row) => row.body);
    expect(await keys([ada, bob])).toEqual(['for ada', 'for bob']);
    expect(await keys([bob, beta])).toEqual(['for bob', 'for the other ada']);
    expect((await of('log', { subjects: [bob, beta] })).map((row) => row.id)).toEqual([3, 4]);
  });

  test('rows and sealed values are counted without being rendered', async () => {
    const selection = { workspaces: ['1'] };
    const counts = await host.asHost(async (db) => {
      const settings = settingsStatement(selection);
      await db.query(settings.sql, settings.values);
      return db.query(countQuery(host.map, host.catalogue, 'order_notes', selection));
    });
    expect(counts).toEqual([{ rows: '2', sealed: '3' }]);
    expect(filesQuery(host.map, host.catalogue, 'order_notes', selection)).toBeUndefined();
  });

  test('roles, members, names and the workspaces touched are read through the map', async () => {
    const workspaces = new HostWorkspaces(host.map, host.catalogue);
    await host.asHost(async (db) => {
      expect(await workspaces.memberships(db, ada)).toEqual([{ workspace: '1', role: 'owner' }]);
      expect(await workspaces.role(db, ada, '1')).toBe('owner');
      expect(await workspaces.role(db, ada, '2')).toBeUndefined();
      // A rank that the map does not name is no membership: this one has left.
      expect(await workspaces.role(db, { kind: 'user', key: '["2","2"]' }, '2')).toBeUndefined();
      expect((await workspaces.members(db, '1')).map((m) => [m.key, m.role])).toEqual([
        ['["1","1"]', 'owner'],
        ['["1","2"]', 'member'],
      ]);
      expect((await workspaces.members(db, '1', ['owner'])).map((m) => m.key)).toEqual(['["1","1"]']);
      expect(await workspaces.workspaceName(db, '2')).toBe(`Beta's "Works"`);
      expect(await workspaces.workspaceName(db, '99')).toBeUndefined();
      expect(await workspaces.workspaceName(db, "1'; drop table x")).toBeUndefined();
      expect(await workspaces.workspacesTouched(db, [ada])).toEqual(['1']);
    });
  });

  test('whoever signs in is found by their claim, and a claim that fits two people proves neither', async () => {
    const people = new People(host.map, host.catalogue);
    await host.asHost(async (db) => {
      expect((await people.bySignIn(db, { mail: 'bob@alpha.example' }))?.key).toBe('["1","2"]');
      expect(await people.bySignIn(db, { mail: { evil: true } })).toBeUndefined();
      expect(await people.bySignIn(db, {})).toBeUndefined();
    });
  });

  test('a key of another shape is nobody’s, and fails nothing', async () => {
    const people = new People(host.map, host.catalogue);
    await host.asHost(async (db) => {
      for (const key of [
        '',
        '1',
        '["1"]',
        '["x","y"]',
        '["99999999999999999999","1"]',
        '{"a":1}',
        'constructor',
      ])
        expect(await people.byKey(db, 'user', key)).toBeUndefined();
      expect(await people.byKey(db, 'constructor', '1')).toBeUndefined();
      expect(await people.profile(db, ada)).toEqual({
        display: 'Ada Ärmel',
        language: null,
        jurisdiction: null,
      });
    });
    expect(await of('users', { subjects: [{ ...ada, key: '["x","99999999999"]' }] })).toEqual([]);
  });
});

describe('a schema without tenants where people are only a mail', () => {
  let host: ForeignHost;
  const eva: Subject = { kind: 'reader', key: 'eva@example.org', identifiers: { mail: 'eva@example.org' } };
  beforeAll(async () => {
    host = await foreignHost('post');
  });
  afterAll(() => host.drop());

  const of = (collection: string) => parsed(host, collection, { subjects: [eva], maskKey });

  test('somebody exists who is mentioned in any collection, and nobody else', async () => {
    const people = new People(host.map, host.catalogue);
    await host.asHost(async (db) => {
      expect(await people.find(db, 'mail', 'Eva@EXAMPLE.org')).toEqual([eva]);
      expect(await people.find(db, 'mail', 'x@Y.z')).toHaveLength(1);
      expect(await people.find(db, 'mail', 'nobody@example.org')).toEqual([]);
      expect(await people.find(db, 'mail', '  ')).toEqual([]);
      expect(await people.byKey(db, 'reader', 'EVA@example.org')).toEqual(eva);
      expect(await people.named(db, [{ kind: 'reader', key: eva.key }])).toEqual([eva]);
    });
  });

  test('text keys are ordered by code point, the same everywhere', async () => {
    expect((await of('threads')).map((row) => row.key)).toEqual(['Alpha', 'zeta']);
    expect((await of('notes')).map((row) => row.note)).toEqual(['a', 'b']);
    expect((await of('subscriptions')).map((row) => row.Mail)).toEqual(['Eva@Example.org']);
  });

  test('json and array paths are walked, with mails folded wherever they stand', async () => {
    expect((await of('bounces')).map((row) => row.id)).toEqual([1, 2]);
  });

  test('json with line breaks of its own leaves as one line and means the same', async () => {
    const [line] = await host.lines('bounces', { subjects: [eva], maskKey });
    expect(line).not.toMatch(/[\n\r]/);
    expect((await of('bounces'))[0]?.report).toEqual({ to: 'Eva@example.org', code: 550, say: 'a\nb' });
  });

  test('another person is masked, consistently, and the subject stays readable', async () => {
    const adam = maskOf(maskKey, 'adam@example.org');
    const [comment] = await of('comments');
    expect(comment).toMatchObject({ id: 1, reply_to_mail: adam, cc: [adam, 'Eva@example.org'] });
    expect((await of('threads'))[1]).toMatchObject({ participants: ['eva@example.org', adam] });
    expect(adam).toMatch(/^person:[0-9a-f]{32}$/);
  });

  test('a column of another person that is null or empty stays so', async () => {
    const adam = { kind: 'reader', key: 'adam@example.org', identifiers: { mail: 'adam@example.org' } };
    const rows = await parsed(host, 'comments', { subjects: [adam], maskKey });
    expect(rows.map((row) => [row.id, row.cc])).toEqual([
      [2, null],
      [3, []],
    ]);
    expect(rows[1]?.reply_to_mail).toBeNull();
  });

  test('a self-reference and a circle of tables neither widen nor repeat what a person gets', async () => {
    expect((await of('comments')).map((row) => row.id)).toEqual([1]);
    expect((await of('revisions')).map((row) => row.id)).toEqual([1]);
  });

  test('a forgotten mask key or a forgotten setting raises, also on a connection that had them before', async () => {
    await expect(host.lines('comments', { subjects: [eva] })).rejects.toThrow('mask key');
    const { sql } = collectionQuery(host.map, host.catalogue, 'comments', { subjects: [eva], maskKey });
    await expect(host.asHost((db) => db.query(sql))).rejects.toThrow();
    const forgotten = settingsStatement({ subjects: [eva] });
    await expect(
      host.asHost(async (db) => {
        await db.query(forgotten.sql, forgotten.values);
        return db.query(sql);
      }),
    ).rejects.toThrow();
  });

  test('nobody asked about means no rows', async () => {
    expect(await host.lines('comments', { subjects: [], maskKey })).toEqual([]);
  });
});

describe('a schema of odd names and types', () => {
  let host: ForeignHost;
  let someone: Subject[];
  beforeAll(async () => {
    host = await foreignHost('odd');
    someone = await host.asHost((db) => new People(host.map, host.catalogue).find(db, 'mail', 'b@X.y'));
  });
  afterAll(() => host.drop());

  test('people with keys of enums and big integers are found, and their workspaces', async () => {
    expect(someone.map((subject) => subject.key)).toEqual(['["free","9007199254740993"]']);
    const workspaces = new HostWorkspaces(host.map, host.catalogue);
    await host.asHost(async (db) => {
      const people = new People(host.map, host.catalogue);
      expect(await people.find(db, 'number', '9007199254740993')).toHaveLength(2);
      expect((await people.profile(db, someone[0] as Subject)).display).toBe('odd');
      expect(await workspaces.members(db, 'T/1')).toMatchObject([
        { key: '["free","9007199254740993"]', role: 'member' },
      ]);
      expect(await workspaces.workspacesTouched(db, someone)).toEqual(['T/1']);
    });
  });

  test('every type leaves as one line of JSON that keeps its digits', async () => {
    const [line, ...others] = await host.lines('things', {
      subjects: someone,
      workspaces: ['T/1', 'x'],
      maskKey,
    });
    expect(others).toEqual([]);
    expect(line).not.toMatch(/[\n\r]/);
    expect(line).toContain('"big":9007199254740993');
    expect(JSON.parse((line ?? '').slice(0, -1))).toMatchObject({
      t: 'T/1',
      r: 'free',
      v: { street: 's', extra: { a: 1 } },
      s: [{ street: 'q', extra: [1, 2] }],
      j: { a: 1 },
      w: [[1, 2]],
      b: 'AAH/',
      n: 'NaN',
      f: 'Infinity',
      at: '2026-01-01T10:00:00+00:00',
      local: '2020-01-01T00:00:00',
      interval: 'P1DT2H',
      x: '<a>\n</a>',
      made: 'x',
      tags: ['free', 'paid'],
    });
  });

  test('files name their bucket, their path and the row they belong to', async () => {
    const selection = { subjects: someone };
    const files = await host.asHost(async (db) => {
      const settings = settingsStatement(selection);
      await db.query(settings.sql, settings.values);
      return db.query(filesQuery(host.map, host.catalogue, 'things', selection) ?? '');
    });
    expect(files).toMatchObject([
      { bucket: "it's", path: 'x', key: '["0190f3a0-0000-7000-8000-000000000001"]' },
    ]);
  });
});

test('a workspace’s id is the host’s key where that is a uuid, else always the same uuid made of it', () => {
  expect(workspaceId('0190F3A0-0000-7000-8000-000000000001')).toBe('0190f3a0-0000-7000-8000-000000000001');
  expect(workspaceId('42')).toBe(workspaceId('42'));
  expect(workspaceId('42')).not.toBe(workspaceId('43'));
  expect(workspaceId('42')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5/);
});

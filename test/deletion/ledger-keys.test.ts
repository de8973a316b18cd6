import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readCatalogue } from '../../src/datamap/catalogue.js';
import { grantsFor } from '../../src/datamap/grants.js';
import { parseDataMap } from '../../src/datamap/parse.js';
import { LocalStores } from '../../src/storage/local-store.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { Situation } from './eraser-situation.js';
import { LedgerSituation } from './ledger-situation.js';

/** Keys that are given out again, and keys that say who somebody is. */
const sql = `
  create schema shop;
  create table shop.buyers (id bigint primary key, mail text, name text);
  create table shop.orders (id bigint primary key, buyer bigint references shop.buyers, note text);
  create table shop.readers (mail text primary key, name text);
  create table shop.letters (id bigint primary key, reader text references shop.readers, body text);`;

const about = `
    workspace: none
    controller: host
    purpose: To sell.
    legalBasis: Contract
    recipients: [Nobody]
    retention: A year.`;
const yaml = `
version: 1
schema: shop
subjects:
  buyer:
    table: buyers
    key: id
    identifiers: { mail: { column: mail, normalise: mail } }
  reader:
    table: readers
    key: mail
    identifiers: { mail: { column: mail, normalise: mail } }
workspaces: none
controller: { name: Shop }
collections:
  buyers:
    table: buyers
    title: Buyers
    subject: { buyer: id }${about}
    columns: { id: { category: identity }, mail: { category: contact }, name: { category: identity } }
    erasure: { rule: delete }
  orders:
    table: orders
    title: Orders
    subject: { buyer: buyer }${about}
    columns: { id: { category: reference }, buyer: { category: identity }, note: { category: content } }
    erasure: { rule: delete }
  readers:
    table: readers
    title: Readers
    subject: { reader: mail }${about}
    columns: { mail: { category: contact }, name: { category: identity } }
    erasure: { rule: delete }
  letters:
    table: letters
    title: Letters
    subject: { reader: reader }${about}
    columns: { id: { category: reference }, reader: { category: contact }, body: { category: content } }
    erasure: { rule: delete }
`;

describe('keys in the erasure ledger', () => {
  const since = new Date('2026-11-20T04:00:00Z');
  let db: TestDatabase;
  let home: string;
  let it: LedgerSituation;
  let buyer: string;
  let reader: string;

  beforeAll(async () => {
    db = await createDatabase();
    home = await mkdtemp(join(tmpdir(), 'habeas-ledger-'));
    const stores = new LocalStores({ root: home, publicUrl: 'http://localhost', key: Buffer.alloc(32) });
    await db.behindTheScenes(sql);
    await db.behindTheScenes(
      `insert into shop.buyers values (5, 'Bea@x.example', 'Bea'), (6, 'kim@x.example', 'Kim')`,
    );
    await db.behindTheScenes(`insert into shop.orders values (1, 5, 'a hat'), (2, 6, 'a coat')`);
    await db.behindTheScenes(
      `insert into shop.readers values ('Rea@x.example', 'Rea'), ('lou@x.example', 'Lou')`,
    );
    await db.behindTheScenes(
      `insert into shop.letters values (1, 'Rea@x.example', 'hello'), (2, 'lou@x.example', 'hi')`,
    );
    const map = parseDataMap(yaml, { file: 'shop.yaml' });
    const runner = {
      query: <Row>(text: string, values?: readonly unknown[]) =>
        db.behindTheScenes<Row>(text, values && [...values]),
    };
    await db.behindTheScenes(grantsFor(map, await readCatalogue(runner)));
    it = new LedgerSituation(await Situation.of(db, map, stores));
    buyer = await erase('buyer', '5', 8);
    reader = await erase('reader', 'Rea@x.example', 9);
  });
  afterAll(async () => {
    await db.drop();
    await rm(home, { recursive: true });
  });

  async function erase(kind: string, key: string, hour: number): Promise<string> {
    const job = it.situation.job([await it.situation.person(kind, key)]);
    await it.situation.erase(job);
    await it.enter(job, new Date(Date.UTC(2026, 10, 20, hour)));
    return job.id;
  }
  const outcomes = async (only?: string[]) => {
    const all: Record<string, string> = {};
    for await (const { erasureId, outcome } of it.replay.replay(it.eraser, since, only))
      all[erasureId] = outcome;
    return all;
  };
  const orders = async () =>
    (await db.behindTheScenes<{ note: string }>('select note from shop.orders order by id')).map(
      ({ note }) => note,
    );

  test('are hashed where they are a mail, and plain where they are a number', async () => {
    const entries: Record<string, string> = {};
    for await (const { path } of it.ledger.entries())
      entries[path.slice(-41, -5)] = await readFile(join(home, 'dsar-exports-ledger', path), 'utf8');
    expect(JSON.parse(entries[buyer] ?? '').subjects[0]).toMatchObject({ kind: 'buyer', key: '5' });
    expect(JSON.parse(entries[reader] ?? '').subjects[0]).toMatchObject({ keyDigest: expect.any(String) });
    for (const text of Object.values(entries)) expect(text).not.toMatch(/rea@|bea@/i);
  });

  test('that are a mail are found again by their hash', async () => {
    await db.behindTheScenes(`insert into shop.readers values ('Rea@x.example', 'Rea')`);
    await db.behindTheScenes(`insert into shop.letters values (1, 'Rea@x.example', 'hello')`);
    expect(await outcomes()).toEqual({ [reader]: 'repeated' });
    expect(await db.behindTheScenes('select mail from shop.readers')).toEqual([{ mail: 'lou@x.example' }]);
    expect(await db.behindTheScenes('select id from shop.letters')).toEqual([{ id: '2' }]);
  });

  test('that are a number prove a person together with a hashed mail', async () => {
    await db.behindTheScenes(`insert into shop.buyers values (5, 'bea@X.example', 'Bea')`);
    await db.behindTheScenes(`insert into shop.orders values (1, 5, 'a hat')`);
    expect(await outcomes()).toEqual({ [buyer]: 'repeated' });
    expect(await orders()).toEqual(['a coat']);
  });

  test('that were given to somebody else since are left alone until somebody has looked', async () => {
    await db.behindTheScenes(`insert into shop.buyers values (5, 'new@x.example', 'Nia')`);
    await db.behindTheScenes(`insert into shop.orders values (3, 5, 'a scarf')`);
    const { recurrences } = await it.replay.plan(since);
    expect(recurrences.map(({ doubtful }) => doubtful)).toEqual([true]);
    expect(await outcomes()).toEqual({ [buyer]: 'doubtful' });
    expect(await orders()).toEqual(['a coat', 'a scarf']);
    expect(await outcomes([reader])).toEqual({});
    expect(await outcomes([buyer])).toEqual({ [buyer]: 'repeated' });
    expect(await orders()).toEqual(['a coat']);
  });
});

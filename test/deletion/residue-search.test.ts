import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { demoPeople } from '../../demo/people.js';
import { readDataMap } from '../../src/app/data-map.js';
import { readConfig } from '../../src/config.js';
import { HOST_TENANT, systemTenancy } from '../../src/database/tenancy.js';
import { readCatalogue } from '../../src/datamap/catalogue.js';
import { grantsFor } from '../../src/datamap/grants.js';
import { type Subject } from '../../src/datamap/settings.js';
import { countsOf, isClean, type ResidueReport, type Sought } from '../../src/deletion/residue/report.js';
import { ResidueSearch } from '../../src/deletion/residue/search.js';
import { LocalStores } from '../../src/storage/local-store.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { Situation } from './eraser-situation.js';

const map = readDataMap(readConfig({ HABEAS_HOME: '.habeas' }));
const acme = demoPeople.owner.workspaceId;

let db: TestDatabase;
let home: string;
let situation: Situation;

beforeEach(async () => {
  db = await createDatabase('atelier_template');
  home = await mkdtemp(join(tmpdir(), 'residue-'));
  const stores = new LocalStores({ root: home, publicUrl: 'http://localhost', key: Buffer.alloc(32) });
  situation = await Situation.of(db, map, stores);
});
afterEach(async () => {
  await db.drop();
  await rm(home, { recursive: true, force: true });
});

const sql = (text: string, ...values: unknown[]) => db.behindTheScenes(text, values);
const search = (...sought: Sought[]) => new ResidueSearch(db.database, situation.host).search(sought);
const one = async (sought: Sought): Promise<ResidueReport> => (await search(sought))[0] as ResidueReport;
const at = (places: ResidueReport['residues']) =>
  places.map(({ schema, table, column, kind, rows }) => `${schema}.${table}.${column} ${kind} ${rows}`);

const member = (): Promise<Subject> => situation.person('user', demoPeople.member.userId);

async function erase(subject: Subject): Promise<void> {
  const workspaces = await db.database.asHost((host) =>
    situation.host.workspaces.workspacesTouched(host, [subject]),
  );
  const job = situation.job([subject], { workspaces });
  await situation.erase(job);
}

/** A table of the host's beside Atelier, in a schema that the map does not know. */
async function beside(text: string): Promise<void> {
  await sql(`create schema if not exists beside; ${text}; grant usage on schema beside to habeas_host;
             grant select on all tables in schema beside to habeas_host`);
}

describe('after an erasure', () => {
  test('nothing is left of a member but what the map keeps, and the certificate may say so', async () => {
    const me = await member();
    const { display } = await db.database.asHost((host) => situation.host.people.profile(host, me));
    const before = await one({ id: 'before', subjects: [me] });
    expect(isClean(before)).toBe(false);
    expect(at(before.residues)).toContain('atelier.users.email mail 1');
    await erase(me);
    const after = await one({ id: 'after', subjects: [me], names: [display ?? ''] });
    expect({ ...after, residues: at(after.residues) }).toMatchObject({ residues: [], unreadable: [] });
    expect(isClean(after)).toBe(true);
    expect(after.rowsSearched).toBeGreaterThan(30_000);
  });

  test('what somebody else wrote about them is a mention, and no failure', async () => {
    const me = await member();
    await erase(me);
    const mail = (me.identifiers.mail ?? '').toUpperCase();
    await sql(
      `update atelier.customers set notes = 'asked for ' || $1 || ', twice: ' || $1, profile = jsonb_build_object('by', array[$1])
        where id in (select id from atelier.customers where workspace_id = $2 order by id limit 3)`,
      mail,
      acme,
    );
    const report = await one({ id: 'x', subjects: [me] });
    // The same address wrote to a workspace as a customer: a person of another kind, unless it is proven to be theirs.
    expect(at(report.mentions)).toEqual([
      'atelier.customers.email mail 1',
      'atelier.customers.notes mail 3',
      'atelier.customers.profile mail 3',
    ]);
    expect(isClean(report)).toBe(true);
    expect(countsOf(report)).toEqual({ residues: 0, mentions: 7, kept: 0, unreadable: 0 });
  });

  test('an identifier in a row that is nobody’s fails it, and is not told', async () => {
    const me = await member();
    await erase(me);
    const mail = me.identifiers.mail ?? '';
    await beside(`create table beside.log (line text); insert into beside.log values ('sent to ${mail}')`);
    const report = await one({ id: 'x', subjects: [me] });
    expect(at(report.residues)).toEqual(['beside.log.line mail 1']);
    expect(isClean(report)).toBe(false);
    expect(JSON.stringify(report)).not.toContain(mail);
  });

  test('a name counts in the person’s own rows, and in nobody else’s', async () => {
    const me = await member();
    const profile = await db.database.asHost((host) => situation.host.people.profile(host, me));
    const name = profile.display ?? '';
    await erase(me);
    await sql(`update atelier.customers set notes = $1`, `Met ${name}.`);
    expect(at((await one({ id: 'x', subjects: [me], names: [name] })).residues)).toEqual([]);
    await sql(
      `update atelier.users set tags = array['x', $1] where id = $2`,
      name.toUpperCase().replace(' ', '  '),
      me.key,
    );
    expect(at((await one({ id: 'x', subjects: [me], names: [name] })).residues)).toEqual([
      'atelier.users.tags name 1',
    ]);
  });

  test('what a law keeps is kept, and told apart', async () => {
    const me = await situation.person('user', demoPeople.owner.userId);
    await sql(
      `update atelier.invoices set line_items = jsonb_build_array($1::text) where billed_user_id = $2`,
      me.identifiers.mail,
      me.key,
    );
    const report = await one({ id: 'x', subjects: [me] });
    expect(at(report.kept).some((place) => place.startsWith('atelier.invoices.line_items mail'))).toBe(true);
    expect(at(report.residues).some((place) => place.startsWith('atelier.invoices'))).toBe(false);
  });

  test('the erasure of one workspace is not failed by another workspace’s rows', async () => {
    const [row] = await db.behindTheScenes<{ id: string }>(
      `select id from atelier.customers where workspace_id = $1 order by id limit 1`,
      [acme],
    );
    const customer = await situation.person('customer', row?.id ?? '');
    const mail = customer.identifiers.mail;
    await sql(
      `update atelier.workrooms set topic = $1 where id in (select id from atelier.workrooms where workspace_id <> $2 limit 2)`,
      mail,
      acme,
    );
    await sql(
      `delete from atelier.customers where id = $1 and not exists (select from atelier.messages where customer_id = $1)`,
      customer.key,
    );
    const whole = await one({ id: 'x', subjects: [customer] });
    const part = await one({ id: 'x', subjects: [customer], workspaces: [acme] });
    const topics = (report: ResidueReport) =>
      at([...report.residues, ...report.mentions]).filter((place) => place.includes('topic'));
    expect(topics(whole)).toEqual(['atelier.workrooms.topic mail 2']);
    expect(topics(part)).toEqual([]);
  });
});

describe('wherever it stands', () => {
  const nobody = (more: Partial<Subject['identifiers']> = {}): Sought => ({
    id: randomUUID(),
    subjects: [
      {
        kind: 'user',
        key: randomUUID(),
        identifiers: { mail: 'lena@nowhere.example', phone: '+49301234567', ...more },
      },
    ],
  });

  test('in every type that holds text, in mixed case names, views that store, partitions and inheriting tables', async () => {
    const sought = nobody();
    const key = sought.subjects[0]?.key ?? '';
    await beside(`
      create extension if not exists citext;
      create domain beside.line as varchar(200);
      create type beside."Pair" as (a text, b jsonb[]);
      create table beside."Odd ""Table" (
        "Id" bigint primary key, "Ünï code" text, v varchar(90), c char(60), ci citext, l beside.line, j json, jb jsonb, x xml,
        ta text[], ua uuid[], p beside."Pair", pa beside."Pair"[], la beside.line[], u uuid, made text generated always as (upper(v)) stored,
        n numeric, b bytea, d date, e boolean, ts tsvector, null_ text);
      insert into beside."Odd ""Table" ("Id", "Ünï code", v, c, ci, l, j, jb, x, ta, ua, p, pa, la, u, n, b, d, e, ts)
        select 1, s, s, s, s, s, to_json(s || E'\\n'), jsonb_build_object(s, 1),
        xmlelement(name a, s), array[null, 'x"' || s || '"'], array['${key}'::uuid], row(s, array[to_jsonb(s)])::beside."Pair",
        array[row(null, array[jsonb_build_array(jsonb_build_array(s))])::beside."Pair"], array[s]::beside.line[], '${key}',
        1, s::bytea, now(), true, to_tsvector('simple', s)
        from (values ('<Lena@Nowhere.example>')) as v(s);
      insert into beside."Odd ""Table" ("Id") select generate_series(2, 5);
      create materialized view beside.stored as select v as w from beside."Odd ""Table";
      create table beside.parts (k int, t text) partition by range (k);
      create table beside.parts_a partition of beside.parts for values from (0) to (10) partition by range (k);
      create table beside.parts_aa partition of beside.parts_a for values from (0) to (5);
      create table beside.parts_b partition of beside.parts for values from (10) to (20);
      insert into beside.parts values (1, 'lena@nowhere.example'), (2, 'x'), (11, 'lena@nowhere.example'), (12, '+49 (30) 123 45 67');
      create table beside.base (t text); create table beside.child (more text) inherits (beside.base);
      insert into beside.child values ('lena@nowhere.example', 'lena@nowhere.example')`);
    const report = await one(sought);
    const mails = ['Ünï code', 'c', 'ci', 'j', 'jb', 'l', 'la', 'made', 'p', 'pa', 'ta', 'ts', 'v', 'x'];
    expect(at(report.residues).sort()).toEqual(
      [
        ...mails.map((column) => `beside.Odd "Table.${column} mail 1`),
        'beside.Odd "Table.u uuid 1',
        'beside.Odd "Table.ua uuid 1',
        'beside.child.more mail 1',
        'beside.child.t mail 1',
        'beside.parts.t mail 2',
        'beside.parts.t phone 1',
        'beside.stored.w mail 1',
      ].sort(),
    );
  });

  test('a long number is found in columns of numbers, and a short key in no other than the map names', async () => {
    await beside(`create table beside.numbers (big bigint, exact numeric(30, 2), list bigint[], t text);
      insert into beside.numbers values (123456789012345, 123456789012345.00, '{123456789012345}', 'no. 123456789012345'), (4711, 4711, '{4711}', '4711')`);
    const report = await one({
      id: 'x',
      subjects: [{ kind: 'user', key: '123456789012345', identifiers: {} }],
    });
    expect(at(report.residues)).toEqual(
      ['big', 'exact', 'list', 't'].map((column) => `beside.numbers.${column} id 1`),
    );
    expect(
      at((await one({ id: 'x', subjects: [{ kind: 'user', key: '4711', identifiers: {} }] })).residues),
    ).toEqual([]);
  });

  test('what the role cannot read is named and fails; what is exempt is not looked at', async () => {
    await beside('create table beside.seen (t text)');
    await sql(`create table beside.unseen (t text); create schema closed; create table closed.room (t text);
               create table closed.numbers (n int); update atelier.plans set name = 'lena@nowhere.example'`);
    const report = await one(nobody());
    expect(report.unreadable).toEqual([
      { schema: 'beside', table: 'unseen', why: 'no_grant' },
      { schema: 'closed', table: 'room', why: 'no_grant' },
    ]);
    expect(report.residues).toEqual([]);
    expect(isClean(report)).toBe(false);
    const runner = { query: (text: string, values?: readonly unknown[]) => sql(text, ...(values ?? [])) };
    await sql(grantsFor(map, await readCatalogue(runner as never), { residue: true }));
    expect(isClean(await one(nobody()))).toBe(true);
  });

  test('a connection that is cut ends the search with an error that names the table, never with a clean report', async () => {
    await beside('create table beside.held (t text)');
    const holder = new pg.Client({ connectionString: db.ownerUrl });
    await holder.connect();
    try {
      await holder.query('begin; lock table beside.held in access exclusive mode');
      const searching = expect(one(nobody())).rejects.toMatchObject({
        code: 'residue.unfinished',
        message: 'beside.held could not be searched to its end.',
      });
      await eventually(async () => {
        const cut = await sql(
          `select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and query like 'copy%beside%held%' and pid <> pg_backend_pid()`,
        );
        return cut.length === 1;
      });
      await searching;
    } finally {
      await holder.end();
    }
  });

  test('in Habeas’s own tables, but not in the rows of the case itself', async () => {
    const sought = nobody();
    const key = sought.subjects[0]?.key ?? '';
    const [mine, other] = [randomUUID(), randomUUID()];
    for (const id of [mine, other])
      await sql(
        `with r as (insert into habeas.requests (id, tenant_id, kind, scope, status, channel, received_at, filed_by)
                    values ($1, $2, 'deletion', 'account', 'received', 'desk', now(), 'host'))
         insert into habeas.request_subjects values ($2, $1, 'customer', $3, 'mail')`,
        id,
        HOST_TENANT,
        key,
      );
    const asCustomer = { ...sought, subjects: [{ kind: 'customer', key, identifiers: {} }] };
    const report = await one({ ...asCustomer, cases: [mine] });
    expect(at(report.residues)).toEqual(['habeas.request_subjects.key uuid 1']);
    expect(at(report.kept)).toEqual(['habeas.request_subjects.key uuid 1']);
    // Of a user the row stays for its key, which names nobody any more.
    expect(at((await one(sought)).residues)).toEqual([]);
  });

  test('every one of very many hits is counted, a batch at a time', async () => {
    await beside(`create table beside.many (t text);
      insert into beside.many select case when n % 10 = 0 then 'other' else 'to lena@nowhere.example #' || n end from generate_series(1, 130000) n`);
    const report = await one(nobody());
    expect(at(report.residues)).toEqual(['beside.many.t mail 117000']);
  });

  test('many people are told apart in one pass, also where they share an identifier', async () => {
    await beside(`create table beside.t (a text, b text);
      insert into beside.t values ('p1@x.example', 'p2@x.example'), ('p2@x.example p2@x.example', 'q'), ('p3@x.example', null)`);
    const people = ['p1', 'p2', 'p2', 'p4'].map((name, n) => ({
      id: String(n),
      subjects: [{ kind: 'user', key: randomUUID(), identifiers: { mail: `${name}@x.example` } }],
    }));
    const reports = await search(...people);
    expect(reports.map(({ id, residues }) => [id, ...at(residues)])).toEqual([
      ['0', 'beside.t.a mail 1'],
      ['1', 'beside.t.a mail 1', 'beside.t.b mail 1'],
      ['2', 'beside.t.a mail 1', 'beside.t.b mail 1'],
      ['3'],
    ]);
  });
});

test('the search’s role reads Habeas’s tables and nothing else: no bytes, no writing', async () => {
  const as = (text: string) =>
    db.database.within(systemTenancy(HOST_TENANT, 'residue'), (tx) =>
      tx.asResidueSearch((own) => own.query(text)),
    );
  await expect(as('select mail_sealed from habeas.requests')).rejects.toThrow(/permission denied/);
  await expect(as('delete from habeas.requests')).rejects.toThrow(/permission denied/);
  await expect(as('select id from atelier.users')).rejects.toThrow(/permission denied/);
  await expect(as('select ctid, id from habeas.requests')).resolves.toEqual([]);
});

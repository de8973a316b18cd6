import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type CheckResult, checkDataMap } from '../../src/datamap/check.js';
import { checkReport, grantsReport } from '../../src/datamap/datamap.cli.js';
import { driftBetween } from '../../src/datamap/drift.js';
import { grantsFor } from '../../src/datamap/grants.js';
import { parseDataMap } from '../../src/datamap/parse.js';
import { type ForeignHost, foreignHost } from './host.js';

const codes = (result: CheckResult) => result.errors.map((f) => `${f.code} ${f.where}`).sort();

describe.each([
  ['works', []],
  // A report of a bounce names whoever the mail went to beside the reader whose address it was.
  ['post', ['erasure.several_people post.bounce']],
  ['odd', []],
])('the foreign schema %s', (name, warned) => {
  let host: ForeignHost;
  beforeAll(async () => {
    host = await foreignHost(name);
  });
  afterAll(() => host.drop());

  test('passes the check once it is mapped and granted', async () => {
    const result = await host.asHost((db) => checkDataMap(db, host.map));
    expect(result.errors).toEqual([]);
    expect(result.warnings.map((f) => `${f.code} ${f.where}`)).toEqual(warned);
    expect(result.catalogueFingerprint).toMatch(/^[0-9a-f]{64}$/);
  });

  test('grants can be given again and give nothing beyond the map', async () => {
    const sql = grantsFor(host.map, host.catalogue);
    await host.database.behindTheScenes(sql);
    await host.database.behindTheScenes(sql);
    await host.database.behindTheScenes('create table public.unmapped (id int)');
    const [may] = await host.database.behindTheScenes(
      `select has_table_privilege('habeas_host', 'public.unmapped', 'select') as unmapped`,
    );
    expect(may).toEqual({ unmapped: false });
  });
});

describe('what the check finds', () => {
  let host: ForeignHost;
  const undo: string[] = [];
  beforeAll(async () => {
    host = await foreignHost('works');
  });
  afterEach(async () => {
    for (const sql of undo.splice(0)) await host.database.behindTheScenes(sql);
  });
  afterAll(() => host.drop());

  const check = (yaml = host.yaml) =>
    host.asHost((db) => checkDataMap(db, parseDataMap(yaml, { file: 'works.yaml' })));
  const change = async (sql: string, back: string) => {
    await host.database.behindTheScenes(sql);
    undo.unshift(back);
  };
  const edited = (from: string, to: string) => {
    if (!host.yaml.includes(from)) throw new Error(`the map does not say ${from}`);
    return host.yaml.replace(from, to);
  };

  test('a table with a foreign key towards a person is an error, however far', async () => {
    await change(
      `create table "Works".reply (id int primary key, c int, o int, s int,
         foreign key (c, o, s) references "Works".order_note on delete cascade)`,
      'drop table "Works".reply',
    );
    const result = await check();
    expect(codes(result)).toContain('table.unmapped_person Works.reply');
    expect(result.errors.find((f) => f.where === 'Works.reply')?.message).toContain(
      'c, o, s → Works.order_note',
    );
  });

  test.each(['customerId', 'E-Mail', 'user_no', 'Phone Number', 'first_name', 'created_by'])(
    'an unmapped table with a column named %s is an error',
    async (column) => {
      await change(`create table "Works"."X.y" (id int, "${column}" text)`, 'drop table "Works"."X.y"');
      expect(codes(await check())).toEqual(['table.unmapped_person Works.X.y']);
    },
  );

  test('an unmapped table that tells of nobody is a warning, in any schema', async () => {
    await change(
      'create schema misc create table rates (code text, rate numeric)',
      'drop schema misc cascade',
    );
    const result = await check();
    expect(result.errors).toEqual([]);
    expect(result.warnings.map((f) => `${f.code} ${f.where}`)).toEqual(['table.unmapped misc.rates']);
  });

  test('a column nobody classified is an error, a partition’s foreign neighbour is not', async () => {
    await change(
      'alter table "Works"."LogEntry" add column device text',
      'alter table "Works"."LogEntry" drop column device',
    );
    expect(codes(await check())).toEqual(['column.unclassified Works.LogEntry.device']);
    const exempted = edited('exempt:\n', 'exempt:\n  - { column: "*.dev?ce", reason: A model name }\n');
    expect(codes(await check(exempted))).toEqual([]);
  });

  test('unknown tables and columns are errors, and case matters', async () => {
    expect(codes(await check(edited('table: LogEntry', 'table: logentry')))).toContain(
      'table.unknown Works.logentry',
    );
    expect(codes(await check(edited('line: {', 'Line: {')))).toEqual([
      'column.unclassified Works.LogEntry.line',
      'column.unknown Works.LogEntry.Line',
    ]);
  });

  test('a column of a type that cannot hold a person’s key is an error', async () => {
    await change(
      `alter table "Works".badge alter user_no type uuid using '0190f3a0-0000-7000-8000-000000000001'`,
      'alter table "Works".badge alter user_no type smallint using 1',
    );
    expect(codes(await check())).toContain('column.type Works.badge.user_no');
    expect(
      codes(
        await check(
          edited(
            '{ columns: [company_no, user_no], where: not t.unlocked }',
            '{ columns: [company_no, code] }',
          ),
        ),
      ),
    ).not.toContain('column.type Works.badge.code');
  });

  test('row-level security that would hide rows is an error, and a missing grant is', async () => {
    const bare = await host.asOwner(async (db) => {
      await db.query('alter role habeas_host nobypassrls');
      return checkDataMap(db, host.map);
    });
    expect(codes(bare)).toEqual(['access.row_security Works.badge']);
    await change(
      'revoke delete on "Works".badge from habeas_host',
      'grant delete on "Works".badge to habeas_host',
    );
    const result = await check();
    expect(codes(result)).toEqual(['access.not_granted Works.badge']);
    expect(result.errors[0]?.message).toContain('datamap grants');
  });

  test('a condition that Postgres does not understand is an error that says why', async () => {
    const result = await check(edited('where: not t.unlocked', 'where: t.unlockt'));
    expect(codes(result)).toEqual(['query.fails Works.badge']);
    expect(result.errors[0]?.message).toContain('unlockt');
  });

  test.each([
    [
      'a not-null column cleared',
      'Pass: null }',
      'Pass: null, Rank: null }',
      'erasure.impossible Works.User.Rank',
    ],
    [
      'a value too long for its column',
      'Last Name: User,',
      'Last Name: User, Rank: pseudonym-mail,',
      'erasure.impossible Works.User.Rank',
    ],
    [
      'a value of another type',
      'Last Name: User,',
      'Last Name: User, UserNo: none,',
      'erasure.impossible Works.User.UserNo',
    ],
    [
      'rows deleted that others still refer to',
      'erasure: { rule: keep, ground: § 147 AO, until: P10Y }',
      'erasure: { rule: delete }',
      undefined,
    ],
    [
      'rows of a view deleted that cannot be',
      'erasure: { rule: keep, ground: It is a view of users, until: the user row goes }',
      'erasure: { rule: tombstone, clear: [shout] }',
      'erasure.impossible Works.Staff Directory.shout',
    ],
  ])('%s', async (_, from, to, code) => {
    const found = codes(await check(edited(from, to)));
    // Notes go with their order by cascade, and the map deletes them anyhow.
    // That users go with a purge is granted already: those to whom no order refers go in any case.
    if (code === undefined) expect(found).toEqual(['access.not_granted Works.order']);
    else expect(found).toContain(code);
  });

  test('what stops the purge of a workspace alone is an error that says so', async () => {
    // A person's badges and notes go together; a purge never comes to badges, and they would hold on to the notes.
    await change(
      `alter table "Works".order_note add column tag int unique`,
      'alter table "Works".order_note drop column tag',
    );
    await change(
      'alter table "Works".badge add constraint pins foreign key (company_no) references "Works".order_note (tag) not valid',
      'alter table "Works".badge drop constraint pins',
    );
    const found = (await check()).errors.filter(({ code }) => code.startsWith('erasure'));
    expect(found.map(({ code, where }) => `${code} ${where}`)).toEqual([
      'erasure.foreign_key Works.badge.company_no',
    ]);
    expect(found[0]?.message).toMatch(/^When a workspace is purged: pins refers to Works.order_note/);
  });

  test('a delete that a kept row would stop is an error that names the constraint', async () => {
    const rule = 'set: { E-Mail: pseudonym-mail, First Name: Deleted, Last Name: User, Pass: null }';
    const yaml = edited(`rule: pseudonymise\n      ${rule}`, 'rule: delete');
    const result = await check(yaml);
    expect(
      result.errors
        .filter((f) => f.code === 'erasure.foreign_key')
        .map((f) => f.message)
        .join(),
    ).toContain('order_company_no_buyer_no_fkey');
  });

  test('drift says what changed, and nothing else is drift', async () => {
    const before = await check();
    await change('create table "Works".colour (name text)', 'drop table "Works".colour');
    expect(driftBetween(before.snapshot, (await check()).snapshot)).toEqual([]);
    await change(
      'alter table "Works".order_note rename body to content',
      'alter table "Works".order_note rename content to body',
    );
    const after = await check();
    expect(driftBetween(before.snapshot, after.snapshot)).toEqual([
      'Column Works.order_note.body is gone.',
      'Column Works.order_note.content is new.',
    ]);
    expect(after.catalogueFingerprint).not.toBe(before.catalogueFingerprint);
  });
});

test('the command line prints each finding with what to do, and grants that make them go', async () => {
  const host = await foreignHost('works', false);
  try {
    const before = await host.asHost((db) => checkReport(db, host.map));
    expect(before.exitCode).toBe(1);
    expect(before.text).toMatch(
      /error {3}Works\.User\n {8}habeas_host lacks select, delete, update of .*E-Mail.* \[access\.not_granted\]/,
    );
    await host.database.behindTheScenes((await host.asHost((db) => grantsReport(db, host.map))).text);
    const after = await host.asHost((db) => checkReport(db, host.map));
    expect(after.text).toMatch(/^The data map fits the database: 6 collections/);
    expect(after.exitCode).toBe(0);
  } finally {
    await host.drop();
  }
});

test('a map that says of nobody how they sign in is warned of', async () => {
  const host = await foreignHost('works');
  try {
    const report = (yaml: string) =>
      host.asHost((db) => checkReport(db, parseDataMap(yaml, { file: 'works.yaml' })));
    expect((await report(host.yaml)).text).not.toContain('sign_in.missing');
    const silent = host.yaml.replace(/^ *signIn: .*\n/m, '');
    expect(silent).not.toContain('signIn');
    const { text, exitCode } = await report(silent);
    expect(text).toMatch(
      /^warning subjects\n.*signIn: \{ claim: sub, column: id \}\. \[sign_in\.missing\]$/m,
    );
    expect(text).toContain('1 warning.');
    expect(exitCode).toBe(0);
  } finally {
    await host.drop();
  }
});

test('a circle of foreign keys that no order can undo is an error, unless one of them can wait', async () => {
  const host = await foreignHost('post');
  const chicken = (deferrable: string) => `
    drop table if exists post.egg, post.chicken cascade;
    create table post.egg (id int primary key, mail text, chicken int not null);
    create table post.chicken (id int primary key, mail text, egg int not null references post.egg ${deferrable});
    alter table post.egg add constraint laid_by foreign key (chicken) references post.chicken;`;
  const collection = (table: string, other: string) => `  ${table}:
    { table: ${table}, subject: { reader: mail }, workspace: none, controller: host, purpose: p, legalBasis: l, retention: r,
      columns: { id: { category: t }, mail: { category: t }, ${other}: { category: t } }, erasure: { rule: delete } }
`;
  const yaml = host.yaml.replace(
    'exempt:',
    `${collection('egg', 'chicken')}${collection('chicken', 'egg')}exempt:`,
  );
  const check = async (deferrable: string) => {
    await host.database.behindTheScenes(chicken(deferrable));
    return codes(await host.asHost((db) => checkDataMap(db, parseDataMap(yaml, { file: 'post.yaml' }))));
  };
  try {
    expect(await check('')).toEqual(
      expect.arrayContaining(['erasure.cycle post.chicken', 'erasure.cycle post.egg']),
    );
    expect((await check('deferrable')).filter((code) => code.startsWith('erasure'))).toEqual([]);
  } finally {
    await host.drop();
  }
});

test('a view that reads with its user’s rights gets grants on what it reads, and its policies are seen', async () => {
  const host = await foreignHost('works');
  try {
    await host.database.behindTheScenes(
      'create view "Works".doors with (security_invoker = true) as select code, company_no, user_no from "Works".badge',
    );
    const yaml = host.yaml
      .replace(/table: badge/, 'table: doors\n    key: [code]')
      .replace(', where: not t.unlocked', '')
      .replace(/\n {6}unlocked: .*/, '');
    const map = parseDataMap(`${yaml}  - { table: badge, reason: Seen through its view }\n`, {
      file: 'works.yaml',
    });
    const report = await host.asHost((db) => grantsReport(db, map));
    expect(report.text).toContain('grant select on table "Works"."badge" to habeas_host;');
    await host.database.behindTheScenes(report.text);
    expect(codes(await host.asHost((db) => checkDataMap(db, map)))).toEqual([]);
    const result = await host.asOwner(async (db) => {
      await db.query('alter role habeas_host nobypassrls');
      return checkDataMap(db, map);
    });
    expect(codes(result)).toEqual(['access.row_security Works.badge', 'access.row_security Works.doors']);
  } finally {
    await host.drop();
  }
});

test('without any grant the check says so instead of failing', async () => {
  const host = await foreignHost('post', false);
  try {
    const result = await host.asHost((db) => checkDataMap(db, host.map));
    expect(codes(result)).toContain('access.not_granted post');
    expect(codes(result)).toContain('access.not_granted post.thread');
  } finally {
    await host.drop();
  }
});

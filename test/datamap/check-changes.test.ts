import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type CheckResult, checkDataMap } from '../../src/datamap/check.js';
import { type Finding } from '../../src/datamap/findings.js';
import { parseDataMap } from '../../src/datamap/parse.js';
import { type ForeignHost, foreignHost } from './host.js';

const SET = 'set: { E-Mail: pseudonym-mail, First Name: Deleted, Last Name: User, Pass: null }';

let host: ForeignHost;
const undo: string[] = [];
beforeAll(async () => {
  host = await foreignHost('works');
});
afterEach(async () => {
  for (const sql of undo.splice(0)) await host.database.behindTheScenes(sql);
});
afterAll(() => host.drop());

const change = async (sql: string, back: string) => {
  await host.database.behindTheScenes(sql);
  undo.unshift(back);
};
/** The check, with something else in place of what the map sets. */
const checked = (set = SET): Promise<CheckResult> => {
  expect(host.yaml).toContain(SET);
  const map = parseDataMap(host.yaml.replace(SET, set), { file: 'works.yaml' });
  return host.asHost((db) => checkDataMap(db, map));
};
const short = (findings: Finding[]) => findings.map(({ code, where }) => `${code} ${where}`).sort();
const user = '"Works"."User"';

describe('what erasure would write, asked of Postgres before anybody is erased', () => {
  test('a CHECK constraint that refuses it is an error with its name', async () => {
    await change(
      `alter table ${user} add constraint names_are_short check (length("First Name") < 20 and "First Name" <> 'Deleted')`,
      `alter table ${user} drop constraint names_are_short`,
    );
    const { errors } = await checked();
    expect(short(errors)).toEqual(['erasure.impossible Works.User.First Name']);
    expect(errors[0]?.message).toContain('CHECK constraint names_are_short');
    expect((await checked(SET.replace('First Name: Deleted', 'First Name: Gone'))).errors).toEqual([]);
  });

  test('a CHECK constraint over two written columns is tried with both', async () => {
    await change(
      `alter table ${user} add constraint both_or_none check (num_nulls("First Name", "Last Name") <> 1) not valid`,
      `alter table ${user} drop constraint both_or_none`,
    );
    expect((await checked()).errors).toEqual([]);
    const { errors } = await checked(SET.replace('Last Name: User', 'Last Name: null'));
    expect(short(errors)).toEqual(['erasure.impossible Works.User.First Name, Last Name']);
  });

  test('a CHECK constraint that looks at a column which stays is tried with the rows that are there', async () => {
    await change(
      `alter table ${user} add constraint bosses_have_passes check ("Rank" <> 'BOSS' or "Pass" is not null)`,
      `alter table ${user} drop constraint bosses_have_passes`,
    );
    const { errors } = await checked();
    expect(short(errors)).toEqual(['erasure.impossible Works.User.Pass']);
    expect(errors[0]?.message).toMatch(/bosses_have_passes looks at Rank/);
    await change(
      `update ${user} set "Rank" = 'CHIEF' where "Rank" = 'BOSS'`,
      `update ${user} set "Rank" = 'BOSS' where "Rank" = 'CHIEF'`,
    );
    const { errors: none, warnings } = await checked();
    expect([...none, ...warnings]).toEqual([]);
  });

  test.each([
    [
      'a label that the enum does not have',
      `create type "Works".mood as enum ('good', 'bad')`,
      '"Works".mood',
      'none',
      'good',
    ],
    [
      'a value that a domain refuses',
      `create domain "Works".mood as text check (value ~ '^[a-z]+$')`,
      '"Works".mood',
      'None!',
      'good',
    ],
    ['a date that is none', 'select 1', 'date', 'never', '1900-01-01'],
    [
      'what a domain over a short text takes',
      'create domain "Works".mood as varchar(10)',
      '"Works".mood',
      'much too long',
      'good',
    ],
  ])('%s is an error', async (_, create, type, wrong, right) => {
    await change(
      create,
      'drop type if exists "Works".mood cascade; drop domain if exists "Works".mood cascade',
    );
    await change(`alter table ${user} add column mood ${type}`, `alter table ${user} drop column mood`);
    const mapped = host.yaml;
    host.yaml = mapped.replace('Pass: { category', 'mood: { category: usage }\n      Pass: { category');
    try {
      await host.database.behindTheScenes(
        `grant update (mood) on ${user} to habeas_host; grant select on ${user} to habeas_host`,
      );
      const set = (value: string) => SET.replace('Pass: null', `Pass: null, mood: ${value}`);
      const { errors } = await checked(set(wrong));
      expect(short(errors)).toEqual(['erasure.impossible Works.User.mood']);
      expect((await checked(set(right))).errors).toEqual([]);
    } finally {
      host.yaml = mapped;
    }
  });

  test('a domain that is never null cannot be cleared, even if only a CHECK of it says so', async () => {
    await change(
      `create domain "Works".pass as text check (value is not null); alter table ${user} alter "Pass" type "Works".pass`,
      `alter table ${user} alter "Pass" type text; drop domain "Works".pass`,
    );
    expect(short((await checked()).errors)).toEqual(['erasure.impossible Works.User.Pass']);
  });

  test('a name that is unique within a workspace cannot become the same for everybody', async () => {
    await change(
      `create unique index one_name_each on ${user} ("CompanyNo", lower("First Name"), "Last Name")`,
      'drop index "Works".one_name_each',
    );
    const { errors } = await checked();
    expect(short(errors)).toEqual(['erasure.impossible Works.User.First Name, Last Name']);
    expect(errors[0]?.message).toMatch(/one_name_each lets only one row with the same CompanyNo/);
    // Cleared, they are apart: null equals nothing.
    expect((await checked(SET.replace('Last Name: User', 'Last Name: null'))).errors).toEqual([]);
  });

  test('a unique index that holds what tells rows apart anyway is none of it', async () => {
    await change(
      `create unique index with_the_key on ${user} ("CompanyNo", "UserNo", "First Name")`,
      'drop index "Works".with_the_key',
    );
    expect((await checked()).errors).toEqual([]);
  });

  test('a foreign key that would point at nobody is an error, one that points at somebody is not', async () => {
    await change(
      `create table "Works".nick (name text primary key); insert into "Works".nick values ('Ghost'), ('Ada'), ('Bob'), ('Zoë');
       grant select on "Works".nick to habeas_host;
       alter table ${user} add constraint a_known_nick foreign key ("First Name") references "Works".nick`,
      `alter table ${user} drop constraint a_known_nick; drop table "Works".nick`,
    );
    const errors = async (value: string) =>
      (await checked(SET.replace('First Name: Deleted', `First Name: ${value}`))).errors.filter(({ code }) =>
        code.startsWith('erasure'),
      );
    expect(short(await errors('Deleted'))).toEqual(['erasure.impossible Works.User.First Name']);
    expect((await errors('pseudonym-uuid'))[0]?.message).toContain('a_known_nick refers to Works.nick');
    expect(await errors('Ghost')).toEqual([]);
    expect(await errors('null')).toEqual([]);
  });

  test('a column that rows which stay refer to cannot be written', async () => {
    await change(
      `alter table ${user} add constraint one_mail unique ("E-Mail");
       create table "Works".letter (id int, "to" varchar(120) constraint letter_of references ${user} ("E-Mail"))`,
      `drop table "Works".letter; alter table ${user} drop constraint one_mail`,
    );
    const found = (await checked()).errors.filter(({ code }) => code === 'erasure.foreign_key');
    const [written, purged] = ['Works.User.E-Mail', 'Works.letter.to'].map(
      (place) => found.find(({ where }) => where === place)?.message,
    );
    expect(found).toHaveLength(2);
    expect(written).toContain('letter_of of Works.letter');
    // Nor can those users go whom nothing else keeps, once their workspace does.
    expect(purged).toMatch(/^When a workspace is purged: letter_of refers to/);
  });

  test('a trigger that runs along is told, with the function to look at', async () => {
    await change(
      `create function "Works".keep() returns trigger language plpgsql as $$ begin
         -- insert into nowhere
         insert into "Works".badge_log values (old.*); raise debug 'insert into words'; return old; end $$;
       create trigger keeper before delete on "Works".badge for each row execute function "Works".keep();
       create trigger watcher after update of "E-Mail" on ${user} for each row execute function "Works".keep();
       create trigger other after update of "Rank" on ${user} for each row execute function "Works".keep()`,
      'drop function "Works".keep cascade',
    );
    const { errors, warnings } = await checked();
    expect(errors).toEqual([]);
    expect(short(warnings)).toEqual(['erasure.side_effect Works.User', 'erasure.side_effect Works.badge']);
    expect(warnings.map(({ message }) => message).join()).toMatch(
      /keeper \(BEFORE, function keep\).*may refuse or alter it\. It inserts into "Works"\.badge_log\. Look/s,
    );
  });
});

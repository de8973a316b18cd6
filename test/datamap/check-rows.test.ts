import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { collection } from '../deletion/invented-host.js';
import { Inventions, type Invention, PERSON } from './invented-check.js';

let inventions: Inventions;
beforeAll(async () => {
  inventions = await Inventions.open();
});
afterAll(() => inventions.drop());
const told = (invention: Invention): Promise<string[]> => inventions.told(invention);

const people = (more = '', rows = `(1, 'a@x.example', 'ada', 3), (2, 'b@x.example', 'bob', 5)`) =>
  `create table h.person (${PERSON}${more}); insert into h.person values ${rows};`;

describe('a CHECK constraint over what is written and what is not', () => {
  const veterans = `constraint veterans check (rank < 5 or nick is not null)`;

  test('refuses the map where a row that is there would be refused, and tells nothing of it', async () => {
    const [found, ...more] = await told({ sql: people(`, ${veterans}`) });
    expect(more).toEqual([]);
    expect(found).toMatch(
      /^error erasure\.impossible h\.person\.nick: CHECK constraint veterans looks at rank as well/,
    );
    expect(found).not.toMatch(/bob|example/);
  });

  test('says nothing where every row that is there would be taken', async () => {
    expect(await told({ sql: people(`, ${veterans}`, `(1, 'a', 'ada', 3), (2, 'b', 'bob', 4)`) })).toEqual(
      [],
    );
  });

  test('is a warning where there is no row to try', async () => {
    const [found] = await told({ sql: `create table h.person (${PERSON}, ${veterans});` });
    expect(found).toMatch(
      /^warning erasure\.uncertain h\.person\.nick: .*there is no row yet to try it with/,
    );
  });

  test('is tried with rows that an erasure would write into, and no others', async () => {
    const note = (more: Record<string, unknown>) =>
      told({
        sql:
          people() +
          `create table h.note (id int primary key, author int, law boolean not null, body text, kind int,
             constraint bodies check (kind < 5 or body is not null));
           insert into h.note values (1, 1, false, 'x', 1), (2, 1, true, 'y', 7), (3, null, false, 'z', 7)`,
        more: {
          notes: collection('note', 'id author law body kind', {
            subject: { person: 'author' },
            erasure: { rule: 'clear', columns: ['body'] },
            ...more,
          }),
        },
      });
    expect((await note({ where: 't.law' }))[0]).toMatch(/^error erasure\.impossible h\.note\.body/);
    expect(await note({ where: 'not t.law' })).toEqual([]);
  });

  test('is tried with the pseudonym, on the table’s own name and with columns that Postgres computes', async () => {
    const sql = people(
      `, label text generated always as (lower(mail) || coalesce(rank::text, '-')) stored,
         constraint labels check (length(label) < 20 or person.rank is null)`,
    );
    const [found, ...more] = await told({ sql, columns: 'id mail nick rank label' });
    expect(more).toEqual([]);
    expect(found).toMatch(
      /^error erasure\.impossible h\.person\.mail: CHECK constraint labels looks at rank/,
    );
  });

  test('that cannot even be worked out for a row is refused too, without the row’s values', async () => {
    const [found] = await told({
      sql: people(`, constraint ratio check (100 / (rank - 3 + length(coalesce(nick, ''))) > 0)`),
    });
    expect(found).toMatch(/^error erasure\.impossible h\.person\.nick: CHECK constraint ratio/);
    expect(found).not.toMatch(/division|ada/);
  });

  test('over a table that takes too long is a warning that says so, in good time', async () => {
    const [found] = await told({
      sql:
        people() +
        `create sequence h.tries;
         create function h.slow(a text, b int) returns boolean language plpgsql security definer as
           'begin perform nextval(''h.tries''); perform pg_sleep(600); return true; end';
         alter table h.person add constraint patience check (h.slow(nick, rank)) not valid;
         grant usage on schema h to habeas_host`,
    });
    expect(found).toMatch(/^warning erasure\.uncertain h\.person\.nick: .*it takes longer than 2 s/);
    // Each try may take 2 s. A sequence is not rolled back, so it has counted them.
    const tries = 'select last_value::int as n from h.tries';
    expect(await inventions.host.database.behindTheScenes(tries)).toEqual([{ n: 1 }]);
  });
});

test('a computed column that is NOT NULL refuses what makes it null', async () => {
  const [found, ...more] = await told({
    sql: people(`, label text not null generated always as (upper(nick)) stored`),
    columns: 'id mail nick rank label',
  });
  expect(more).toEqual([]);
  expect(found).toMatch(
    /^error erasure\.impossible h\.person\.nick: NOT NULL of the computed column label refuses/,
  );
});

test('a column that is its own identity cannot be written', async () => {
  const [found] = await told({
    sql: people(', no int generated always as identity', `(1, 'a', 'ada', 3)`),
    columns: 'id mail nick rank no',
    set: { mail: 'pseudonym-mail', no: 0 },
  });
  expect(found).toMatch(/^error erasure\.impossible h\.person\.no: It is computed and cannot be written/);
});

describe('what must be unique', () => {
  const first = async (more: string, set?: Record<string, unknown>, columns?: string) =>
    told({ sql: people() + more, ...(set && { set }), ...(columns !== undefined && { columns }) });
  const gone = { mail: 'pseudonym-mail', nick: 'Gone' };

  test('is refused where an expression makes one value of what is cleared', async () => {
    expect((await first(`create unique index one_nick on h.person (coalesce(nick, ''))`))[0]).toMatch(
      /^error erasure\.impossible h\.person\.nick: Unique index one_nick/,
    );
    expect(await first('create unique index one_nick on h.person (lower(nick))')).toEqual([]);
  });

  test('is refused where only what is the same of every pseudonym is left of it', async () => {
    expect(
      (await first(`create unique index domains on h.person (split_part(mail, '@', 2), nick)`, gone)).length,
    ).toBe(1);
    expect(
      await first(`create unique index boxes on h.person (split_part(mail, '@', 1), nick)`, gone),
    ).toEqual([]);
  });

  test('is refused of a column that Postgres computes from a value that is the same for all', async () => {
    const sql = `alter table h.person add folded text generated always as (lower(nick)) stored unique`;
    expect((await first(sql, gone, 'id mail nick rank folded'))[0]).toMatch(
      /^error erasure\.impossible h\.person\.nick: Unique index person_folded_key/,
    );
    expect(await first(sql, undefined, 'id mail nick rank folded')).toEqual([]);
  });

  test('is refused too where it is looked at only when the transaction ends', async () => {
    expect(
      (await first('alter table h.person add unique (nick) deferrable initially deferred', gone))[0],
    ).toMatch(/^error erasure\.impossible h\.person\.nick: It is unique/);
    expect(
      (
        await first(
          `alter table h.person add team int;
                    alter table h.person add constraint apart unique (team, nick) deferrable`,
          gone,
          'id mail nick rank team',
        )
      )[0],
    ).toMatch(
      /^error erasure\.impossible h\.person\.nick: Unique index apart lets only one row with the same team/,
    );
  });

  test('of a part of the table is refused if two rows of that part would meet, and no matter if none can be in it', async () => {
    const among = (where: string) =>
      first(`create unique index one on h.person ((1), nick) where ${where}`, gone);
    expect((await among('rank > 2'))[0]).toMatch(/^error erasure\.impossible h\.person\.nick/);
    expect((await among('rank > 4'))[0]).toMatch(/^warning erasure\.uncertain h\.person\.nick/);
    expect(await among(`nick <> 'Gone'`)).toEqual([]);
  });

  test('by an exclusion constraint is refused as by an index, or where two rows would meet', async () => {
    expect((await first('alter table h.person add constraint alone exclude (nick with =)', gone))[0]).toMatch(
      /^error erasure\.impossible h\.person\.nick: Exclusion constraint alone/,
    );
    const seats = (rows: string) =>
      told({
        sql: `create table h.person (${PERSON}, seat int4range, constraint seats exclude using gist (seat with &&));
              insert into h.person values ${rows}`,
        columns: 'id mail nick rank seat',
        set: { mail: 'pseudonym-mail', seat: '[1,2)' },
      });
    expect((await seats(`(1, 'a', 'a', 1, '[5,6)'), (2, 'b', 'b', 1, '[6,7)')`))[0]).toMatch(
      /^error erasure\.impossible h\.person\.seat: Exclusion constraint seats/,
    );
    expect((await seats(`(1, 'a', 'a', 1, '[5,6)')`))[0]).toMatch(
      /^warning erasure\.uncertain h\.person\.seat/,
    );
  });

  test('is refused where two rows of one person would get the same pseudonym', async () => {
    const cards = (rows: string) =>
      told({
        sql:
          people() +
          `create table h.card (id int primary key, person int, team int, mail text, unique (team, mail));
           insert into h.card values ${rows}`,
        more: {
          cards: collection('card', 'id person team mail', {
            subject: { person: 'person' },
            erasure: { rule: 'pseudonymise', set: { mail: 'pseudonym-mail' } },
          }),
        },
      });
    expect((await cards(`(1, 1, 1, 'a'), (2, 1, 1, 'b')`))[0]).toMatch(
      /^error erasure\.impossible h\.card\.mail: .*two rows of one person/,
    );
    expect(
      await cards(`(1, 1, 1, 'a'), (2, 1, 2, 'b'), (3, 2, 1, 'c'), (4, null, 1, 'd'), (5, null, 1, 'e')`),
    ).toEqual([]);
  });
});

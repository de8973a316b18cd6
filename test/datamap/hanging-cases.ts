import { describe, expect, test } from '@jest/globals';
import { collection } from '../deletion/invented-host.js';
import { type Inventions, type Invention, PERSON } from './invented-check.js';

const people = `create table h.person (${PERSON});
  insert into h.person values (1, 'a@x.example', 'ada', 3), (2, 'b@x.example', 'bob', 5);`;

const [error, warning] = ['error erasure.foreign_key', 'warning erasure.uncertain'];

/** What the check says about rows that hang on others: level, code, place and the key that is meant. */
export const saidOf = async (inventions: Inventions, invention: Invention): Promise<string[]> =>
  (await inventions.told(invention))
    // Of rows that are several people's themselves: check-advice.test.ts.
    .filter((line) => !line.startsWith('warning erasure.several_people'))
    .map((line) => line.replace(/^(\w+ [\w.]+ [\w., ]+): (\w+)[^]*$/, '$1 by $2'));

/** @returns what saidOf does; `whose` erasures it is about, persons 1 and 2 where it is absent */
export type Judge = (invention: Invention, whose?: [kind: string, key: string][]) => Promise<string[]>;

/** What hangs on rows that a person's erasure deletes, in many makes, and what is to be said of it. */
export function hangingCases(judged: Judge): void {
  describe.each([
    ['NO ACTION', ''],
    ['NO ACTION, looked at when a transaction ends', 'deferrable initially deferred'],
    ['RESTRICT', 'on delete restrict'],
    ['CASCADE', 'on delete cascade'],
  ])('answers that hang on what is deleted, by two columns and %s,', (_, action) => {
    const posts = (rows: string, more: Record<string, unknown> = {}): Invention => ({
      sql: `${people} create table h.post (org text, no int, author int, parent_no int, body text, primary key (org, no),
        constraint answers foreign key (org, parent_no) references h.post ${action});
      insert into h.post values ${rows}`,
      more: {
        posts: collection('post', 'org no author parent_no body', { subject: { person: 'author' }, ...more }),
      },
    });

    test('are refused where one is somebody else’s', async () => {
      expect(await judged(posts(`('o', 1, 1, null, 'x'), ('o', 2, 2, 1, 'y')`))).toEqual([
        `${error} h.post.org, parent_no by answers`,
      ]);
    });

    test('are warned of while all are their own, or none is there', async () => {
      const expected = [`${warning} h.post.org, parent_no by answers`];
      expect(await judged(posts(`('o', 1, 1, null, 'x'), ('o', 2, 1, 1, 'y'), ('p', 1, 2, 1, 'z')`))).toEqual(
        expected,
      );
      expect(await judged(posts(`('o', 1, 1, 1, 'refers to itself')`))).toEqual(expected);
    });

    test('are nothing to speak of where rows stay, and a warning where tombstones wait', async () => {
      const rows = `('o', 1, 1, null, 'x'), ('o', 2, 2, 1, 'y')`;
      const clear = { rule: 'clear', columns: ['author', 'body'] };
      expect(await judged(posts(rows, { erasure: clear }))).toEqual([]);
      const tombstone = { rule: 'tombstone', clear: ['author', 'body'] };
      expect(await judged(posts(rows, { erasure: tombstone }))).toEqual([
        'warning erasure.sweep_waits h.post.org, parent_no by answers',
      ]);
      expect(
        await judged(posts(`('o', 1, 1, null, 'x'), ('o', 2, 1, 1, 'y')`, { erasure: tombstone })),
      ).toEqual([]);
    });
  });

  describe.each(['', 'on delete cascade'])('what hangs on posts of another table (%s)', (action) => {
    const hanging = (
      ddl: string,
      rows: string,
      more: Record<string, unknown> | Record<string, unknown>[],
      parent: Record<string, unknown> = {},
    ): Invention => ({
      sql: `${people}
      create extension if not exists citext;
      create table h.post (id int primary key, author int, readers int[], draft boolean, unique (id, author));
      create table h.hang (no int primary key, post int, who int, mail text, law boolean${ddl},
        constraint on_post foreign key (post) references h.post ${action});
      insert into h.post values (1, 1, '{1}', false), (2, 2, '{2}', true);
      insert into h.hang values ${rows}`,
      subjects: { guest: { identifiers: { mail: { normalise: 'mail' } } } },
      more: {
        posts: collection('post', 'id author readers draft', { subject: { person: 'author' }, ...parent }),
        ...Object.fromEntries(
          [more].flat().map((one, n) => [`hang${n}`, collection('hang', 'no post who mail law', one)]),
        ),
      },
    });
    const [bad, maybe] = [[`${error} h.hang.post by on_post`], [`${warning} h.hang.post by on_post`]];
    const theirs = { subject: { person: 'who' } };
    const through = { join: [{ table: 'post', on: { post: 'id' } }], column: 'author' };

    test('is refused where it is somebody else’s, and warned of before', async () => {
      expect(await judged(hanging('', `(1, 1, 2, null, false)`, theirs))).toEqual(bad);
      expect(await judged(hanging('', `(1, 1, 1, null, false), (2, 2, 2, null, false)`, theirs))).toEqual(
        maybe,
      );
    });

    test('that is nobody’s goes along, or stops the delete', async () => {
      expect(await judged(hanging('', `(1, 1, null, null, false)`, theirs))).toEqual(
        action === '' ? bad : maybe,
      );
    });

    test('says nothing where the way to its person leads through this very key', async () => {
      const rows = `(1, 1, 2, null, false), (2, 2, 1, null, false)`;
      expect(await judged(hanging('', rows, { subject: { person: through } }))).toEqual([]);
      expect(await judged(hanging('', rows, { subject: { person: ['who', through] } }))).toEqual([]);
      // Only half of them go that way.
      expect(await judged(hanging('', rows, { subject: { person: [through] }, where: 't.no < 2' }))).toEqual(
        // What is in no collection is its people's all the same: it goes along, and does not by itself.
        action === '' ? bad : maybe,
      );
      expect(
        await judged(hanging('', rows, { subject: { person: ['who', { ...through, where: 't.no < 2' }] } })),
      ).toEqual(bad);
    });

    test('says nothing where a key of two columns ties it to the post’s person', async () => {
      const tied = `, constraint tied foreign key (post, who) references h.post (id, author) ${action}`;
      const invention = hanging(tied, `(1, 1, 1, null, false)`, theirs);
      invention.sql = invention.sql
        .replace(/constraint on_post .*\n/, `check (true));\n`)
        .replace(/,\s+check/, ', check');
      expect(await judged(invention)).toEqual([]);
    });

    test('is found by whatever its person is known by', async () => {
      const mail = { subject: { person: { column: 'mail', as: 'mail' } } };
      expect(await judged(hanging('', `(1, 1, 1, ' A@X.example', false)`, mail))).toEqual(maybe);
      expect(await judged(hanging('', `(1, 1, 1, 'b@x.example', false)`, mail))).toEqual(bad);
      const guest = { subject: { guest: 'mail' } };
      expect(await judged(hanging('', `(1, 1, 1, 'c@x.example', false)`, guest))).toEqual(bad);
    });

    test('belongs to all that an array or joins lead to', async () => {
      const readers = { subject: { person: { column: 'readers', array: true } } };
      const rows = `(1, 1, 1, null, false), (2, 2, 2, null, false)`;
      expect(await judged(hanging('', rows, theirs, readers))).toEqual(maybe);
      const both = hanging('', rows, theirs, readers);
      both.sql += `; update h.post set readers = '{1,2}'`;
      expect(await judged(both)).toEqual(bad);
      const shared = {
        ...both,
        more: { ...both.more, posts: { ...(both.more?.posts as object), shared: 'keep-if-others' } },
      };
      expect(await judged(shared)).toEqual([]);
    });

    test('that is shared goes with the last of those who share it', async () => {
      const shared = {
        subject: { person: ['who', { column: 'mail', as: 'mail' }] },
        shared: 'keep-if-others',
      };
      expect(await judged(hanging('', `(1, 1, 1, 'a@x.example', false)`, shared))).toEqual(maybe);
      expect(await judged(hanging('', `(1, 1, 1, 'b@x.example', false)`, shared))).toEqual(bad);
    });

    test('is judged by the rows that go, on either side', async () => {
      const rows = `(1, 1, 2, null, false), (2, 2, 2, null, true)`;
      expect(await judged(hanging('', rows, theirs, { where: 't.draft' }))).toEqual(maybe);
      expect(await judged(hanging('', rows, theirs, { where: 'not t.draft' }))).toEqual(bad);
      // A deleted one is there still.
      const mine = `(1, 1, 1, null, true)`;
      expect(await judged(hanging('', mine, { ...theirs, where: 't.law' }))).toEqual(maybe);
      expect(await judged(hanging('', mine, { ...theirs, where: 'not t.law' }))).toEqual(
        action === '' ? bad : maybe,
      );
    });

    test('is judged over all collections of its table', async () => {
      const halves = ['t.law', 'not t.law'].map((where) => ({ ...theirs, where }));
      expect(await judged(hanging('', `(1, 1, 1, null, true), (2, 1, 1, null, false)`, halves))).toEqual(
        maybe,
      );
      expect(await judged(hanging('', `(1, 1, 1, null, true), (2, 1, 2, null, false)`, halves))).toEqual(bad);
      const kept = { ...theirs, where: 't.law', erasure: { rule: 'keep', ground: 'a law', until: '2030' } };
      const found = await judged(
        hanging('', `(1, 1, 1, null, true)`, [kept, { ...theirs, where: 'not t.law' }]),
      );
      expect(found).toEqual(bad);
    });

    test('that lets go does so for its own person only', async () => {
      const free = { ...theirs, erasure: { rule: 'clear', columns: ['post', 'who'] } };
      expect(await judged(hanging('', `(1, 1, 1, null, false)`, free))).toEqual(maybe);
      expect(await judged(hanging('', `(1, 1, 2, null, false)`, free))).toEqual(bad);
    });
  });

  describe('what goes along with rows that go', () => {
    const chain = (rows: string, pages: Record<string, unknown> = {}): Invention => ({
      sql: `${people}
      create table h.book (id int primary key, author int);
      create table h.page (id int primary key, book int references h.book on delete cascade, editor int, file text);
      create table h.mark (id int primary key, page int constraint on_page references h.page on delete cascade, reader int);
      insert into h.book values (1, 1); insert into h.page values (1, 1, null, null); insert into h.mark values ${rows}`,
      more: {
        books: collection('book', 'id author', { subject: { person: 'author' } }),
        pages: collection('page', 'id book editor file', { subject: { person: 'editor' }, ...pages }),
        marks: collection('mark', 'id page reader', { subject: { person: 'reader' } }),
      },
    });

    test('is refused for what hangs on it in turn', async () => {
      expect(await judged(chain('(1, 1, 1)'))).toEqual([
        `${warning} h.page.book by page_book_fkey`,
        `${warning} h.mark.page by on_page`,
      ]);
      expect(await judged(chain('(1, 1, 2)'))).toContainEqual(`${error} h.mark.page by on_page`);
    });

    test('never takes files along', async () => {
      const files = { files: { bucket: { constant: 'b' }, path: 'file' } };
      expect(await judged(chain('(1, 1, 1)', files))).toContainEqual(
        `${error} h.page.book by page_book_fkey`,
      );
    });
  });

  describe('keys of another make', () => {
    test('in letters of either case, over a partition or a view, are followed', async () => {
      const sql = (reply: number) => `create extension if not exists citext;
      create table h.person (${PERSON}); insert into h.person values (1, 'a@x.example', 'a', 1), (2, 'b@x.example', 'b', 1);
      create table h.member (handle citext primary key, mail text); insert into h.member values ('Ada', 'm'), ('Bob', 'n');
      create table h.post (id int, author citext, year int, primary key (year, id)) partition by list (year);
      create table h.post24 partition of h.post for values in (24);
      create table h.post25 partition of h.post for values in (25);
      create table h.reply (id int primary key, y int, post int, who citext,
        constraint to_part foreign key (y, post) references h.post25);
      insert into h.post values (1, 'ADA', 24), (1, 'ada', 25);
      insert into h.reply values (1, 25, 1, '${reply === 1 ? 'aDA' : 'BOB'}')`;
      const invention = (reply: number, posts: Record<string, unknown> = {}): Invention => ({
        sql: sql(reply),
        subjects: {
          member: {
            table: 'member',
            key: 'handle',
            identifiers: { mail: { column: 'mail', normalise: 'mail' } },
          },
        },
        more: {
          members: collection('member', 'handle mail', {
            subject: { member: 'handle' },
            erasure: { rule: 'clear', columns: ['mail'] },
          }),
          posts: collection('post', 'id author year', { subject: { member: 'author' }, ...posts }),
          replies: collection('reply', 'id y post who', { subject: { member: 'who' } }),
        },
      });
      const members: [string, string][] = [
        ['member', 'Ada'],
        ['member', 'Bob'],
      ];
      const key = 'h.reply.y, post by to_part';
      expect(await judged(invention(1), members)).toEqual([`${warning} ${key}`]);
      expect(await judged(invention(2), members)).toEqual([`${error} ${key}`]);
      expect(await judged(invention(2, { where: 't.year < 25' }), members)).toEqual([`${warning} ${key}`]);
    });

    test('that a view hides are looked at behind it', async () => {
      const invention = (who: number): Invention => ({
        sql: `${people} create table h.post_row (id int primary key, author int, secret text);
        create view h.post as select id, author from h.post_row;
        create table h.reply (id int primary key, post int constraint on_row references h.post_row, who int);
        insert into h.post_row values (1, 1, 's'); insert into h.reply values (1, 1, ${who})`,
        exempt: ['post_row'],
        more: {
          posts: collection('post', 'id author', { key: ['id'], subject: { person: 'author' } }),
          replies: collection('reply', 'id post who', { subject: { person: 'who' } }),
        },
      });
      expect(await judged(invention(1))).toContainEqual(`${warning} h.reply.post by on_row`);
      expect(await judged(invention(2))).toContainEqual(`${error} h.reply.post by on_row`);
    });
  });
}

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { collection } from '../deletion/invented-host.js';
import { type Invention, Inventions, PERSON } from './invented-check.js';

let inventions: Inventions;
beforeAll(async () => {
  inventions = await Inventions.open();
});
afterAll(() => inventions.drop());

const keep = { rule: 'keep', ground: 'a law', until: 'ten years' };
const ofAuthor = { subject: { person: 'author' }, key: ['id'] };
const posts = (erasure: Record<string, unknown> = { rule: 'delete' }, more: Record<string, unknown> = {}) =>
  collection('post', 'id author body', { ...ofAuthor, erasure, ...more });
const postings = (table: string, erasure: Record<string, unknown>, more: Record<string, unknown> = {}) =>
  collection(table, 'id author body', { ...ofAuthor, erasure, ...more });

const invention = (sql: string, more: Record<string, unknown>, exempt: string[] = []): Invention => ({
  sql: `create table h.person (${PERSON});
    create table h.post (id int primary key, author int, body text); ${sql}`,
  more,
  exempt,
});

/** Only what is said about rows that are mapped twice. */
const told = async (given: Invention): Promise<string[]> =>
  (await inventions.told(given)).filter((line) => /erasure\.(view_of|partition_of|heir_of)/.test(line));

const VIEW = 'create view h.posting as select id, author, body from h.post';

describe('a rule that writes into a mapped table through a view', () => {
  test.each([
    { rule: 'delete' },
    { rule: 'clear', columns: ['body'] },
    { rule: 'pseudonymise', set: { body: 'gone' } },
    { rule: 'tombstone', clear: ['body'] },
  ])('is refused, with the way out: %j', async (erasure) => {
    const given = invention(VIEW, { posts: posts(keep), postings: postings('posting', erasure) });
    expect(await told(given)).toEqual([
      'error erasure.view_of_mapped h.posting: Collection postings would write into rows of h.post through this view, past the ' +
        'rule and the holds of collection posts, to which they belong. Give the rule to posts (for some of its rows, to a second ' +
        'collection over h.post with `where`), and leave the view out of the map, or, to show it in packages, let its rule be `keep`.',
    ]);
  });

  test('is refused where only retention deletes', async () => {
    const swept = {
      retention: { after: 'at', atLeast: 'P10Y', ground: 'a law', keep: 'P10Y' },
    };
    const given = invention(
      `alter table h.post add at date; create view h.posting as select id, author, body, at from h.post`,
      {
        posts: collection('post', 'id author body at', { ...ofAuthor, erasure: keep }),
        postings: collection('posting', 'id author body at', { ...ofAuthor, erasure: keep, ...swept }),
      },
    );
    expect(await told(given)).toEqual([expect.stringContaining('`keep` without a time in `retention`')]);
  });

  test('is refused through any number of views, mapped ones among them, and by way of heirs and partitions', async () => {
    const views = `${VIEW} where id > 0; create view h.shown as select * from h.posting where id > 1`;
    const both = { posts: posts(keep), shown: postings('shown', { rule: 'delete' }) };
    expect(await told(invention(views, both))).toEqual([expect.stringContaining('rows of h.post through')]);
    const between = { postings: postings('posting', keep), shown: postings('shown', { rule: 'delete' }) };
    expect(await told(invention(views, between, ['post']))).toEqual([
      expect.stringContaining('rows of h.posting through'),
    ]);
    const heir = invention(
      `create table h.letter (primary key (id)) inherits (h.post); ${VIEW}`,
      { letters: postings('letter', keep), postings: postings('posting', { rule: 'delete' }) },
      ['post'],
    );
    expect(await told(heir)).toEqual([expect.stringContaining('rows of h.letter through')]);
    const part = invention(
      `create table h.entry (id int, author int, body text) partition by list (id);
       create table h.entry_1 partition of h.entry for values in (1);
       create view h.posting as select id, author, body from h.entry_1`,
      { entries: postings('entry', keep), postings: postings('posting', { rule: 'delete' }) },
      ['post'],
    );
    expect(await told(part)).toEqual([expect.stringContaining('rows of h.entry through')]);
  });

  test('is refused where a trigger does as it likes with what the view reads', async () => {
    const given = invention(
      `create view h.posting as select p.id, p.author, p.body, q.nick from h.post p join h.person q on q.id = p.author;
       create function h.away() returns trigger language plpgsql as 'begin delete from h.post where id = old.id; return old; end';
       create trigger away instead of delete on h.posting for each row execute function h.away()`,
      {
        posts: posts(keep),
        postings: collection('posting', 'id author body nick', { ...ofAuthor, erasure: { rule: 'delete' } }),
      },
    );
    expect(await told(given)).toEqual([
      expect.stringContaining('rows of h.person through'),
      expect.stringContaining('rows of h.post through'),
    ]);
  });

  test('is taken where the table behind it is mapped by no other collection, whatever else the view looks at', async () => {
    const view = `${VIEW} where exists (select from h.person p where p.id = author)`;
    expect(
      await told(invention(view, { postings: postings('posting', { rule: 'delete' }) }, ['post'])),
    ).toEqual([]);
    const away = `create view h.posting as select p.id, p.author, p.body, q.nick from h.post p join h.person q on q.id = p.author;
      create rule away as on delete to h.posting do instead delete from h.post where id = old.id returning id, author, body, ''::text`;
    const joined = collection('posting', 'id author body nick', { ...ofAuthor, erasure: { rule: 'delete' } });
    expect(await told(invention(away, { postings: joined }, ['post']))).toEqual([]);
  });

  test('is taken where the view only shows', async () => {
    expect(await told(invention(VIEW, { posts: posts(), postings: postings('posting', keep) }))).toEqual([]);
  });
});

describe('a rule that writes into rows of two tables', () => {
  const entries = `create table h.entry (id int, author int, body text) partition by list (id);
    create table h.entry_1 partition of h.entry for values in (1)`;

  test.each([
    [keep, { rule: 'delete' }, 1],
    [{ rule: 'delete' }, keep, 1],
    [keep, keep, 0],
  ])('is refused of a partition beside its table: %j, %j', async (whole, part, errors) => {
    const more = { entries: postings('entry', whole), firsts: postings('entry_1', part) };
    const found = await told(invention(entries, more, ['post']));
    expect(found).toHaveLength(errors);
    for (const line of found)
      expect(line).toMatch(/^error erasure\.partition_of_mapped h\.entry_1: .* `where`/);
  });

  test('is refused of an heir of both, and taken once that is mapped on its own', async () => {
    const sql = `create table h.note (id int, author int, body text);
      create table h.both () inherits (h.post, h.note)`;
    const more = { posts: posts(), notes: postings('note', keep) };
    expect(await told(invention(sql, more))).toEqual([
      expect.stringMatching(
        /^error erasure\.heir_of_two h\.both: .*h\.post and of h\.note.* Map h\.both on its own/,
      ),
    ]);
    expect(await told(invention(sql, { ...more, both: postings('both', keep) }))).toEqual([]);
  });
});

describe('a column that only an heir has', () => {
  const heir = 'create table h.letter (address text, primary key (id)) inherits (h.post)';
  const hidden = async (given: Invention): Promise<string[]> =>
    (await inventions.told(given)).filter((line) => line.includes('column.'));

  test('is an error while neither heir nor column is in the map', async () => {
    expect(await hidden(invention(heir, { posts: posts() }))).toEqual([
      expect.stringMatching(
        /^error column\.hidden h\.letter\.address: .*map h\.letter on its own, or exempt the column/,
      ),
    ]);
    expect(
      await hidden({ ...invention(heir, { posts: posts() }), exemptColumns: ['letter.address'] }),
    ).toEqual([]);
  });

  test('is shown by the heir where that is mapped on its own, also to what inherits from it', async () => {
    const letters = collection('letter', 'id author body address', ofAuthor);
    const below = `${heir}; create table h.telegram (words int, primary key (id)) inherits (h.letter)`;
    expect(await hidden(invention(heir, { posts: posts(), letters }))).toEqual([]);
    expect(await hidden(invention(below, { posts: posts(), letters }))).toEqual([
      expect.stringMatching(/^error column\.hidden h\.telegram\.words: h\.letter does not show/),
    ]);
  });
});

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { collection } from '../deletion/invented-host.js';
import { type Invention, Inventions, PERSON } from './invented-check.js';
import { situationOf } from './invented-erasure.js';

let inventions: Inventions;
beforeAll(async () => {
  inventions = await Inventions.open();
});
afterAll(() => inventions.drop());

const posts = (sql: string, more: Record<string, unknown> = {}): Invention => ({
  sql: `create table h.person (${PERSON});
    insert into h.person values (1, 'a@x.example', 'ada', 3), (2, 'b@x.example', 'bob', 5);
    create table h.post (id int primary key, author int, body text);
    create table h.copy (id int, author int, body text);
    insert into h.post values (1, 1, 'a'), (2, 2, 'b'); ${sql}`,
  more: { posts: collection('post', 'id author body', { subject: { person: 'author' }, ...more }) },
  exempt: ['copy'],
});
const clear = { erasure: { rule: 'clear', columns: ['author', 'body'] } };

const erase = async (invention: Invention) => {
  const situation = await situationOf(inventions, invention);
  await situation.erase(situation.job([await situation.person('person', '1')]));
  return (await situation.rows('h')).get('h.post');
};

describe('a rule that rewrites what erasure asks for', () => {
  test.each([
    ['on delete to h.post do instead nothing', {}, 'ON DELETE DO INSTEAD'],
    ['on delete to h.post where old.id > 1 do instead nothing', {}, 'ON DELETE DO INSTEAD'],
    ['on delete to h.post do also insert into h.copy values (old.*)', {}, 'ON DELETE DO ALSO'],
    ['on update to h.post do instead nothing', clear, 'ON UPDATE DO INSTEAD'],
    ['on update to h.post where old.id > 1 do instead nothing', clear, 'ON UPDATE DO INSTEAD'],
    ['on update to h.post do also notify posts', clear, 'ON UPDATE DO ALSO'],
    [
      'on delete to h.post do instead update h.post set body = null where id = old.id',
      {},
      'ON DELETE DO INSTEAD',
    ],
  ])('is refused as Postgres refuses the erasure: %s', async (rule, more, kind) => {
    const invention = posts(`create rule tricky as ${rule}`, more);
    expect(await inventions.told(invention)).toEqual([
      expect.stringMatching(
        new RegExp(
          `^error erasure\\.rewrite_rule h\\.post: Rule tricky \\(${kind}\\): Postgres refuses .* Make a trigger of it`,
        ),
      ),
    ]);
    await expect(erase(invention)).rejects.toThrow();
  });

  test('is refused where Postgres would take it, because the rows stay', async () => {
    const rule =
      'create rule soft as on delete to h.post do instead update h.post set body = null where id = old.id returning old.*';
    expect(await inventions.told(posts(rule))).toEqual([
      expect.stringMatching(/^error erasure\.rewrite_rule h\.post: Rule soft .*something else in the place/),
    ]);
    await expect(erase(posts(rule))).rejects.toThrow();
  });

  test('is nothing to speak of where it is disabled, or for what erasure does not do', async () => {
    const rule = 'create rule tricky as on delete to h.post do instead nothing';
    expect(await inventions.told(posts(`${rule}; alter table h.post disable rule tricky`))).toEqual([]);
    expect(await inventions.told(posts(rule, clear))).toEqual([]);
    expect(await inventions.told(posts(rule.replace('delete', 'insert')))).toEqual([]);
  });

  test('is refused where a law keeps the rows and retention deletes them', async () => {
    const invention = posts(`alter table h.post add at date;
      create rule tricky as on delete to h.post do also insert into h.copy select old.id`);
    invention.more = {
      posts: collection('post', 'id author body at', {
        subject: { person: 'author' },
        erasure: { rule: 'keep', ground: 'a law', until: 'ten years' },
        retention: { after: 'at', atLeast: 'P10Y', ground: 'a law', keep: 'P10Y' },
      }),
    };
    expect(await inventions.told(invention)).toEqual([
      expect.stringMatching(/^error erasure\.rewrite_rule h\.post: Rule tricky \(ON DELETE DO ALSO\)/),
    ]);
  });

  test('is refused where a person’s erasure only clears the rows and a purge deletes them', async () => {
    const invention = posts(
      `create table h.team (id int primary key, owner int); alter table h.post add team int;
       create rule tricky as on delete to h.post do instead nothing`,
    );
    invention.workspaces = { table: 'team', key: 'id', owner: { person: 'owner' } };
    invention.more = {
      teams: collection('team', 'id owner', { subject: 'none', workspace: 'id', controller: 'workspace' }),
      posts: collection('post', 'id author body team', {
        ...{ subject: { person: 'author' }, workspace: 'team', controller: 'workspace' },
        ...clear,
      }),
    };
    const refused = (await inventions.told(invention)).filter((line) => line.includes('rewrite_rule'));
    expect(refused).toEqual([
      expect.stringMatching(/^error erasure\.rewrite_rule h\.post: Rule tricky \(ON DELETE DO INSTEAD\)/),
    ]);
  });

  test('is taken for what it is on a view that only a rule makes writable', async () => {
    const view = (returning: string): Invention => {
      const invention =
        posts(`create view h.posting as select p.id, p.author, p.body, q.nick from h.post p join h.person q on q.id = p.author;
        create rule away as on delete to h.posting do instead delete from h.post where id = old.id ${returning}`);
      invention.more = {
        posts: collection('posting', 'id author body nick', { subject: { person: 'author' }, key: ['id'] }),
      };
      invention.exempt = ['copy', 'post'];
      return invention;
    };
    const whole = view(`returning id, author, body, ''::text`);
    const told = (await inventions.told(whole)).filter((line) => line.includes('rewrite_rule'));
    expect(told).toEqual([]);
    expect(await erase(whole)).toEqual(new Set(['(2,2,b)']));
    expect((await inventions.told(view(''))).filter((line) => line.includes('rewrite_rule'))).toEqual([
      expect.stringMatching(/^error erasure\.rewrite_rule h\.posting: Rule away .*RETURNING/),
    ]);
  });

  test('is refused behind a foreign key whose own statements it rewrites', async () => {
    const likes = (onDelete: string, rule: string): Invention => {
      const invention =
        posts(`create table h.liked (id int primary key, post int constraint of_post references h.post on delete ${onDelete}, by int);
        insert into h.liked values (1, 1, 1); create rule tricky as ${rule}`);
      invention.more = {
        ...invention.more,
        likes: collection('liked', 'id post by', {
          subject: { person: 'by' },
          erasure: { rule: 'keep', ground: 'a law', until: 'ten years' },
        }),
      };
      return invention;
    };
    const lets = likes('set null', 'on update to h.liked do instead nothing');
    expect((await inventions.told(lets)).filter((line) => line.startsWith('error'))).toEqual([
      expect.stringMatching(
        /^error erasure\.rewrite_rule h\.liked\.post: Rule tricky .* ON DELETE SET NULL of of_post does/,
      ),
    ]);
    await expect(erase(lets)).rejects.toThrow();
    const also = likes('set null', 'on update to h.liked do also insert into h.copy select old.id');
    expect((await inventions.told(also)).filter((line) => line.startsWith('error'))).toEqual([]);
  });
});

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AuditLog } from '../../src/audit/events.js';
import { TombstonesSweep } from '../../src/deletion/tombstones/tombstones.sweep.js';
import { difference } from '../deletion/eraser-situation.js';
import { collection } from '../deletion/invented-host.js';
import { Inventions, type Invention, PERSON } from './invented-check.js';
import { refusesPurge, situationOf } from './invented-erasure.js';

let inventions: Inventions;
beforeAll(async () => {
  inventions = await Inventions.open();
});
afterAll(() => inventions.drop());

const people = `create table h.person (${PERSON});
  insert into h.person values (1, 'a@x.example', 'ada', 3), (2, 'b@x.example', 'bob', 5);`;

describe.each(['', 'on delete cascade'])(
  'a row of another workspace that hangs on one that is purged (%s)',
  (action) => {
    const houses = (rows: string, pages: Record<string, unknown> = {}): Invention => ({
      sql: `${people} create table h.house (id text primary key); insert into h.house values ('one'), ('two');
      create table h.diary (house text, id int, primary key (house, id));
      create table h.page (id int primary key, of text, diary int, house text, writer int,
        constraint in_diary foreign key (of, diary) references h.diary ${action});
      insert into h.diary values ('one', 1), ('two', 1); insert into h.page values ${rows}`,
      workspaces: { table: 'house', key: 'id' },
      more: {
        houses: collection('house', 'id', { subject: 'none', workspace: 'id', controller: 'workspace' }),
        diaries: collection('diary', 'house id', {
          subject: 'none',
          workspace: 'house',
          controller: 'workspace',
        }),
        pages: collection('page', 'id of diary house writer', {
          subject: { person: 'writer' },
          workspace: 'house',
          controller: 'workspace',
          ...pages,
        }),
      },
    });

    /** What is said of purges, and which of the two workspaces the eraser refuses. */
    const judged = async (invention: Invention) => {
      const said = (await inventions.told(invention)).filter((line) =>
        line.includes('a workspace is purged'),
      );
      const refused = [
        await refusesPurge(inventions, invention, 'one'),
        await refusesPurge(inventions, invention, 'two'),
      ];
      return {
        said: said.map((line) => line.split(':')[0]),
        refused: refused.map((name) => name?.split(',')[0]),
      };
    };
    const told = ['warning erasure.foreign_key h.page.of, diary'];
    const nothing = { said: [], refused: [undefined, undefined] };

    test('is a warning that names it, for it stops the purge of that one', async () => {
      expect(await judged(houses(`(1, 'one', 1, 'two', null)`))).toEqual({
        said: told,
        refused: ['in_diary', undefined],
      });
    });

    test('is nothing to speak of where there is none', async () => {
      expect(
        await judged(
          houses(`(1, 'one', 1, 'one', 2), (2, 'two', 1, 'two', null), (3, null, null, 'two', 1)`),
        ),
      ).toEqual(nothing);
    });

    test('is none where its way to the workspace leads through this very key', async () => {
      expect(await judged(houses(`(1, 'one', 1, 'two', null)`, { workspace: 'of' }))).toEqual(nothing);
    });

    test('may be somebody’s who has it outside of any workspace', async () => {
      expect(await judged(houses(`(1, 'one', 1, null, 1)`))).toEqual({
        said: told,
        refused: ['in_diary', undefined],
      });
      const nobodys = await judged(houses(`(1, 'one', 1, null, null)`));
      expect(nobodys).toEqual(action === '' ? { said: told, refused: ['in_diary', undefined] } : nothing);
    });
  },
);

describe('whoever does as the check says', () => {
  const posts = (
    more: Record<string, unknown>,
    ddl = '',
    comments: Record<string, unknown> = {},
  ): Invention => ({
    sql: `${people}
      create table h.post (org text, no int, author int, parent_no int, body text, primary key (org, no),
        constraint answers foreign key (org, parent_no) references h.post ${ddl.replace('(post)', '(parent_no)')});
      create table h.liked (org text, post int, liker int, primary key (org, post, liker),
        constraint likes foreign key (org, post) references h.post on delete cascade);
      insert into h.post values ('o', 1, 1, null, 'x'), ('o', 2, 2, 1, 'y'), ('o', 3, 1, 2, 'z');
      insert into h.liked values ('o', 1, 2), ('o', 2, 2), ('o', 2, 1);`,
    more: {
      posts: collection('post', 'org no author parent_no body', { subject: { person: 'author' }, ...more }),
      likes: collection('liked', 'org post liker', { subject: { person: 'liker' }, ...comments }),
    },
  });

  /** Erases person 1; @returns every row as it then is, and what has changed. */
  const erased = async (invention: Invention) => {
    const situation = await situationOf(inventions, invention);
    const before = await situation.rows('h');
    const job = situation.job([await situation.person('person', '1')]);
    await situation.erase(job);
    const rows = await situation.rows('h');
    const of = (table: string) => [...(rows.get(`h.${table}`) ?? [])].sort();
    return { situation, job, posts: of('post'), likes: of('liked'), changes: difference(before, rows) };
  };

  test('is told of both keys first, and erases nobody', async () => {
    const wrong = posts({});
    expect((await inventions.told(wrong)).map((line) => line.split(':')[0])).toEqual([
      'error erasure.foreign_key h.liked.org, post',
      'error erasure.foreign_key h.post.org, parent_no',
    ]);
    await expect(erased(wrong)).rejects.toMatchObject({ code: 'erasure.blocked_by_constraint' });
  });

  test('lets the rows stay without what they say, for good', async () => {
    const right = posts({ erasure: { rule: 'clear', columns: ['author', 'body'] } });
    expect(await inventions.told(right)).toEqual([]);
    const { posts: left, likes } = await erased(right);
    expect(left).toEqual(['(o,1,,,)', '(o,2,2,1,y)', '(o,3,,2,)']);
    expect(likes).toEqual(['(o,1,2)', '(o,2,2)']);
  });

  test('lets them stay as tombstones, until nothing hangs on them any more', async () => {
    const right = posts({ erasure: { rule: 'tombstone', clear: ['author', 'body'] } });
    expect((await inventions.told(right)).map((line) => line.split(':')[0])).toEqual([
      'warning erasure.sweep_waits h.liked.org, post',
      'warning erasure.sweep_waits h.post.org, parent_no',
    ]);
    const { situation, job, posts: left } = await erased(right);
    expect(left).toEqual(['(o,1,,,)', '(o,2,2,1,y)', '(o,3,,2,)']);
    const finals: string[] = [];
    const sweep = new TombstonesSweep(
      inventions.host.database.database,
      situation.host,
      new AuditLog(),
      situation.clock,
      { onSwept: (_, id) => Promise.resolve(void finals.push(id)) },
    );
    const now = async () => [...((await situation.rows('h')).get('h.post') ?? [])].sort();
    situation.clock.advance(30 * 86_400_000);
    expect(await sweep.run()).toBe(1);
    expect(await now()).toEqual(['(o,1,,,)', '(o,2,2,1,y)']);
    // The other one writes no more of it: then the first goes as well.
    await situation.erase(situation.job([await situation.person('person', '2')]));
    situation.clock.advance(30 * 86_400_000);
    await sweep.run();
    await sweep.run();
    situation.clock.advance(6 * 3_600_000);
    await sweep.run();
    expect(await now()).toEqual([]);
    expect(finals).toContain(job.id);
  });

  test('lets others’ rows lose the pointer, or go along because they are as much the author’s', async () => {
    const through = { join: [{ table: 'post', on: { org: 'org', post: 'no' } }], column: 'author' };
    const right = posts({}, 'on delete set null (post)', { subject: { person: ['liker', through] } });
    expect(await inventions.told(right)).toEqual([]);
    const { posts: left, likes, changes } = await erased(right);
    expect(left).toEqual(['(o,2,2,,y)']);
    expect(likes).toEqual(['(o,2,2)']);
    expect(Object.keys(changes).sort()).toEqual(['h.liked', 'h.person', 'h.post']);
  });
});

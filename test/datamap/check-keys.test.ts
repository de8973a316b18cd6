import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { collection } from '../deletion/invented-host.js';
import { Inventions, type Invention } from './invented-check.js';

let inventions: Inventions;
beforeAll(async () => {
  inventions = await Inventions.open();
});
afterAll(() => inventions.drop());
const told = (invention: Invention): Promise<string[]> => inventions.told(invention);

const keep = { rule: 'keep', ground: 'a law', until: '2030' };

describe('a key towards a column that erasure writes', () => {
  const letters = (to: string, more?: Record<string, unknown>) =>
    told({
      sql: `create table h.person (id int primary key, mail text unique, nick text, rank int);
            create table h.letter (id int primary key, writer int, body text,
              addressee text constraint addressed references h.person (mail) ${to});`,
      ...(more
        ? {
            more: {
              letters: collection('letter', 'id writer body addressee', {
                subject: { person: 'writer' },
                ...more,
              }),
            },
          }
        : { exempt: ['letter'] }),
    });
  const theirs = { person: { column: 'addressee', as: 'mail' } };

  test('and carries it into rows that the map does not know is an error that names it', async () => {
    const [found] = await letters('on update cascade');
    expect(found).toMatch(
      /^error erasure\.foreign_key h\.person\.mail: Foreign key addressed of h\.letter \(ON UPDATE CASCADE\).*does not know/,
    );
  });

  test('and carries it into rows that are somebody else’s is an error', async () => {
    const [found] = await letters('on update cascade', {});
    expect(found).toMatch(/^error erasure\.foreign_key h\.person\.mail: .*whose addressee does not say/);
  });

  test('and carries it into rows that are theirs by it, or that a rule writes, is none', async () => {
    const clear = { rule: 'clear', columns: ['body'] };
    expect(await letters('on update cascade', { subject: theirs, erasure: clear })).toEqual([]);
    expect(
      await letters('on update cascade', {
        erasure: { rule: 'pseudonymise', set: { body: 'gone', addressee: null } },
      }),
    ).toEqual([]);
  });

  test('and carries it into rows that a law keeps is an error', async () => {
    const [found] = await letters('on update cascade', { subject: theirs, erasure: keep });
    expect(found).toMatch(
      /^error erasure\.foreign_key h\.person\.mail: .*which the map keeps as they are \(letters\)/,
    );
  });

  test('and clears what is NOT NULL is an error', async () => {
    const [found] = await letters('on update set null not null', {
      subject: theirs,
      erasure: { rule: 'clear', columns: ['body'] },
    });
    expect(found).toMatch(
      /^error erasure\.foreign_key h\.person\.mail: .*clears addressee when it is written, which is NOT NULL/,
    );
  });

  test('and does not follow is an error unless its rows go or let go before', async () => {
    expect(await letters('', { subject: theirs })).toEqual([]);
    expect(
      await letters('', { subject: theirs, erasure: { rule: 'clear', columns: ['addressee'] } }),
    ).toEqual([]);
    for (const erasure of [
      { rule: 'tombstone', clear: ['body'] },
      { rule: 'clear', columns: ['body'] },
    ])
      expect((await letters('on update restrict', { subject: theirs, erasure }))[0]).toMatch(
        /^error erasure\.foreign_key h\.person\.mail: Foreign key addressed of h\.letter refers to it and does not follow/,
      );
  });
});

describe('ON DELETE SET NULL', () => {
  const rooms = (action: string, column = '') =>
    told({
      sql: `create table h.person (id int primary key, mail text, nick text, rank int);
            create table h.room (team int, id int, owner int, primary key (team, id));
            create table h.guest (team int not null ${column}, id int, room int, person int, primary key (team, id),
              constraint sits foreign key (team, room) references h.room on delete ${action});`,
      more: {
        rooms: collection('room', 'team id owner', { subject: { person: 'owner' } }),
        guests: collection('guest', 'team id room person', {
          subject: { person: 'person' },
          erasure: { rule: 'clear', columns: ['person'] },
        }),
      },
    });

  test('is judged by the columns that it names, where it names some', async () => {
    expect((await rooms('set null'))[0]).toMatch(
      /^error erasure\.foreign_key h\.guest\.team, room: .*ON DELETE SET NULL fails on a NOT NULL column \(team\)/,
    );
    expect(await rooms('set null (room)')).toEqual([]);
    expect((await rooms('set null (team)'))[0]).toMatch(/fails on a NOT NULL column \(team\)/);
  });

  test('is as bad as a default that is none', async () => {
    expect((await rooms('set default'))[0]).toMatch(
      /ON DELETE SET DEFAULT fails on a NOT NULL column \(team\)/,
    );
    expect(await rooms('set default', 'default 0')).toEqual([]);
    expect(await rooms('set default (room)')).toEqual([]);
  });
});

describe('a CHECK constraint over a column that ON DELETE SET NULL clears', () => {
  const notes = (rows: string, constraint = 'post is not null or draft') =>
    told({
      sql: `create table h.person (id int primary key, mail text, nick text, rank int);
            create table h.post (id int primary key, author int);
            create table h.note (id int primary key, post int constraint about references h.post on delete set null,
              writer int, draft boolean, constraint anchored check (${constraint}));
            insert into h.post values (1, 1); insert into h.note values ${rows}`,
      more: {
        posts: collection('post', 'id author', { subject: { person: 'author' } }),
        notes: collection('note', 'id post writer draft', { subject: { person: 'writer' } }),
      },
    });

  test('refuses the map where it would refuse a row that is there', async () => {
    const [found, ...more] = await notes('(1, 1, 2, false)');
    expect(more).toEqual([]);
    expect(found).toMatch(
      /^error erasure\.foreign_key h\.note\.post: .*about clears post .*CHECK constraint anchored refuses/,
    );
    expect(await notes('(1, 1, 2, true)')).toEqual([]);
    expect((await notes('(1, 1, 2, true)', 'post is not null'))[0]).toMatch(/^error erasure\.foreign_key/);
  });

  test('is a warning where no row is there to try', async () => {
    expect((await notes('(1, null, 2, true)'))[0]).toMatch(
      /^warning erasure\.uncertain h\.note\.post: .*no row yet/,
    );
  });
});

describe('words of a text taken apart, in rows that stay', () => {
  const notes = (ddl: string, erasure: unknown) =>
    told({
      sql: `create table h.person (id int primary key, mail text, nick text, rank int);
            create table h.note (id int primary key, author int, body text${ddl}`,
      more: { notes: collection('note', 'id author body words', { subject: { person: 'author' }, erasure }) },
    });
  const clear = { rule: 'clear', columns: ['body'] };

  test('are an error with the way out, until the rule clears them', async () => {
    expect((await notes(', words tsvector)', clear))[0]).toMatch(
      /^error erasure\.words_stay h\.note\.words: .*no trigger.*Clear it: name words among the columns/,
    );
    expect(await notes(', words tsvector)', { rule: 'clear', columns: ['body', 'words'] })).toEqual([]);
    expect((await notes(', words tsvector)', { rule: 'tombstone', clear: ['body'] }))[0]).toMatch(
      /words_stay/,
    );
    const [found] = await notes(', words tsvector not null)', { rule: 'pseudonymise', set: { body: null } });
    expect(found).toContain(`set: { words: '' }`);
    expect(
      await notes(', words tsvector not null)', { rule: 'pseudonymise', set: { body: null, words: '' } }),
    ).toEqual([]);
    expect(await notes(', words tsvector)', { rule: 'delete' })).toEqual([]);
  });

  test('are none where Postgres computes them, and a warning where a trigger that names them runs', async () => {
    expect(
      await notes(`, words tsvector generated always as (to_tsvector('simple', body)) stored)`, clear),
    ).toEqual([]);
    const trigger = (call: string) =>
      notes(
        `, words tsvector);
         create function h.touch() returns trigger language plpgsql as 'begin new.id := new.id; return new; end';
         create trigger keeper before insert or update on h.note for each row execute function ${call}`,
        clear,
      );
    const kept = await trigger(`tsvector_update_trigger(words, 'pg_catalog.simple', body)`);
    expect(kept.filter((line) => line.includes('words_stay'))).toEqual([
      expect.stringMatching(/^warning erasure\.words_stay h\.note\.words: .*trigger keeper/),
    ]);
    expect((await trigger('h.touch()'))[0]).toMatch(/^error erasure\.words_stay/);
  });
});

describe('a foreign key that no index serves', () => {
  const sql = `create table h.person (id int primary key, mail text, nick text, rank int);
    create table h.thread (team int, id int unique, parent int constraint answers references h.thread (id) on delete set null,
      author int, primary key (team, id));
    create table h.post (id int primary key, team int, thread int, author int,
      constraint inside foreign key (team, thread) references h.thread on delete cascade);
    insert into h.thread select 1, n, null, n from generate_series(1, 6000) n;
    insert into h.post select n, 1, n, n from generate_series(1, 6000) n; analyze h.thread; analyze h.post;`;
  const more = {
    threads: collection('thread', 'team id parent author', { subject: { person: 'author' } }),
    posts: collection('post', 'id team thread author', { subject: { person: 'author' } }),
  };

  test('over a big table, itself too, is a warning with the statement that ends it', async () => {
    const scans = (lines: string[]) => lines.filter((line) => line.includes('query.scans'));
    const before = scans(await told({ sql, more }));
    expect(before.map((line) => line.split(':')[0])).toEqual([
      'warning query.scans h.post.team, thread',
      'warning query.scans h.thread.parent',
    ]);
    expect(before[0]).toContain('create index concurrently on "h"."post" ("team", "thread");');
    for (const line of before) await inventions.sql(/create index concurrently.*;/.exec(line)?.[0] ?? '');
    expect(scans(await inventions.again({ sql, more }))).toEqual([]);
  });

  test('is served by an index on what tells its target apart, and not by one on the tenant or on a part of the rows', async () => {
    const where = async (index: string) =>
      (await told({ sql: `${sql} create index on h.thread (parent); ${index}`, more }))
        .filter((line) => line.includes('query.scans'))
        .map((line) => line.split(':')[0]);
    const missing = ['warning query.scans h.post.team, thread'];
    expect(await where('create index on h.post (thread, author)')).toEqual([]);
    expect(await where('create index on h.post (thread) where thread is not null')).toEqual([]);
    expect(await where('create index on h.post (team, author)')).toEqual(missing);
    expect(await where('create index on h.post (thread) where author is null')).toEqual(missing);
    expect(await where('create index on h.post ((team + 1), thread)')).toEqual(missing);
  });

  test('over a small table is nothing to speak of', async () => {
    const small = await told({
      sql: `${sql} truncate h.post, h.thread; analyze h.post; analyze h.thread`,
      more,
    });
    expect(small.filter((line) => line.includes('query.scans'))).toEqual([]);
  });
});

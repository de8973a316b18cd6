import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { collection, invent, type Invented } from './invented-host.js';

const POSTS = 30_000;

let host: Invented;
beforeAll(async () => {
  host = await invent(
    `create schema h;
     create table h.person (id int primary key, mail text);
     create table h.post (id int primary key, person int references h.person);
     create index on h.post (person);
     create table h.reply (id serial primary key, post int references h.post on delete cascade, person int references h.person);
     create index on h.reply (post);
     create index on h.reply (person);
     insert into h.person values (1, 'a@x.example'), (2, 'b@x.example');
     insert into h.post select g, 1 from generate_series(1, ${POSTS}) g`,
    {
      subjects: {
        person: { table: 'person', key: 'id', identifiers: { mail: { column: 'mail', normalise: 'mail' } } },
      },
      collections: {
        people: collection('person', 'id mail', { subject: { person: 'id' } }),
        posts: collection('post', 'id person', { subject: { person: 'person' } }),
        replies: collection('reply', 'id post person', { subject: { person: 'person' } }),
      },
    },
  );
}, 60_000);
afterAll(() => host.drop());

test('of everything that somebody writes below what is being erased, nothing that was committed is lost', async () => {
  const { situation } = host;
  const db = host.host.database;
  const committed: number[] = [];
  let isOver = false;
  const write = async () => {
    for (let n = 0; !isOver; n += 1) {
      const post = 1 + Math.floor(Math.random() * POSTS);
      // Its post has gone already: the foreign key says so.
      const [reply] = await db
        .behindTheScenes<{
          id: number;
        }>('insert into h.reply (post, person) values ($1, 2) returning id', [post])
        .catch(() => []);
      if (reply) committed.push(reply.id);
    }
  };
  let writers: Promise<void>[] = [];
  const job = situation.job([await situation.person('person', '1')]);
  const outcome = await situation
    .erase(job, { onIrreversible: () => Promise.resolve(void (writers = [write(), write(), write()])) })
    .then(
      () => 'done',
      (error: unknown) => (error as { code?: string }).code,
    )
    .finally(() => (isOver = true));
  await Promise.all(writers);
  const there = new Set(
    (await db.behindTheScenes<{ id: number }>('select id from h.reply')).map(({ id }) => id),
  );
  expect(committed.length).toBeGreaterThan(50);
  expect(committed.filter((id) => !there.has(id))).toEqual([]);
  expect(outcome).toBe('erasure.blocked_by_constraint');
}, 120_000);

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { collection } from '../deletion/invented-host.js';
import { hangingCases, saidOf } from './hanging-cases.js';
import { Inventions, PERSON } from './invented-check.js';

let inventions: Inventions;
beforeAll(async () => {
  inventions = await Inventions.open();
});
afterAll(() => inventions.drop());

// That the eraser is of the same opinion is told by check-hanging.deep.test.ts.
hangingCases((invention) => saidOf(inventions, invention));

test('a table that takes too long is a warning that says so, and no row is named', async () => {
  const told = await inventions.told({
    sql: `create table h.person (${PERSON});
      create function h.slow(a int) returns boolean language plpgsql as 'begin perform pg_sleep(3); return true; end';
      grant usage on schema h to habeas_host;
      create table h.post (id int primary key, author int);
      create table h.reply (id int primary key, post int constraint on_post references h.post, who int);
      insert into h.post values (1, 1); insert into h.reply values (1, 1, 2)`,
    more: {
      posts: collection('post', 'id author', { subject: { person: 'author' }, where: 'h.slow(id)' }),
      replies: collection('reply', 'id post who', { subject: { person: 'who' } }),
    },
  });
  expect(told).toContainEqual(
    expect.stringMatching(/^warning erasure\.uncertain h\.reply\.post: .*it takes longer than 1 s/),
  );
}, 20_000);

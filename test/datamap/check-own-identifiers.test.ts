import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { collection } from '../deletion/invented-host.js';
import { type Invention, Inventions } from './invented-check.js';

let inventions: Inventions;
beforeAll(async () => {
  inventions = await Inventions.open();
});
afterAll(() => inventions.drop());

/** One more kind of person, whose table and rule are the test's. */
const members = (
  columns: string,
  identifiers: Record<string, string>,
  more: Record<string, unknown>,
  beside: Record<string, unknown> = {},
): Invention => ({
  sql: `create table h.person (id int primary key, mail text, nick text, rank int);
    create table h.member (id uuid primary key, ${columns})`,
  subjects: {
    member: {
      table: 'member',
      key: 'id',
      identifiers: Object.fromEntries(
        Object.entries(identifiers).map(([name, normalise]) => [name, { column: name, normalise }]),
      ),
    },
  },
  more: {
    members: collection(
      'member',
      `id ${columns
        .replaceAll(/\([^)]*\)/g, '')
        .split(', ')
        .map((one) => one.split(' ')[0])
        .join(' ')}`,
      { subject: { member: 'id' }, ...more },
    ),
    ...beside,
  },
});
const stays = (column: string, list: string) => [
  expect.stringMatching(
    new RegExp(
      `^error erasure\\.identifier_stays h\\.member\\.${column}: It is the .* of member, and the row of members stays with it.* in .*${list}`,
    ),
  ),
];
const columns = 'email text, phone text, nick text';
const mails = { email: 'mail' };

describe('an identifier in the row that a person is', () => {
  test.each([
    ['set', { rule: 'pseudonymise', set: { nick: null } }],
    ['columns', { rule: 'clear', columns: ['nick'] }],
    ['clear', { rule: 'tombstone', clear: ['nick'] }],
  ])('is refused where the row stays and %s leaves it out', async (list, erasure) => {
    expect(await inventions.told(members(columns, mails, { erasure }))).toEqual(stays('email', list));
  });

  test('is nothing to speak of once the rule writes it, or the row goes', async () => {
    for (const erasure of [
      { rule: 'pseudonymise', set: { email: 'pseudonym-mail' } },
      { rule: 'clear', columns: ['email'] },
      { rule: 'tombstone', clear: ['email'] },
      { rule: 'delete' },
      { rule: 'keep', ground: 'a law', until: 'ten years' },
    ])
      expect(await inventions.told(members(columns, mails, { erasure }))).toEqual([]);
  });

  test('is a phone and a name of 12 letters as well, and not what is too short to be looked for', async () => {
    const erasure = { rule: 'pseudonymise', set: { email: null } };
    const told = async (sql: string, identifiers: Record<string, string>) =>
      inventions.told(members(sql, identifiers, { erasure }));
    expect(await told('email text, phone text', { email: 'mail', phone: 'phone' })).toEqual(
      stays('phone', 'set'),
    );
    expect(await told('email text, login varchar(40)', { email: 'mail', login: 'exact' })).toEqual(
      stays('login', 'set'),
    );
    expect(await told('email text, code varchar(5)', { email: 'mail', code: 'exact' })).toEqual([]);
    expect(await told('email text, no int', { email: 'mail', no: 'exact' })).toEqual([]);
  });

  test('is not the key, nor what the search passes over, nor a secret that goes anyway', async () => {
    const erasure = { rule: 'pseudonymise', set: { nick: null } };
    const one = (column: Record<string, unknown>) => ({
      erasure,
      columns: {
        id: { category: 'reference' },
        email: { category: 'contact', ...column },
        phone: { category: 'contact' },
        nick: { category: 'content' },
      },
    });
    expect(await inventions.told(members(columns, { id: 'exact' }, { erasure }))).toEqual([]);
    expect(await inventions.told(members(columns, mails, one({ sealed: true })))).toEqual([]);
    expect(await inventions.told(members(columns, mails, one({})))).toEqual(stays('email', 'set'));
  });

  test('may be computed from what the rule writes, and is refused where it is computed from what stays', async () => {
    const computed = 'email text, folded text generated always as (lower(email)) stored';
    const rule = (set: Record<string, unknown>) => ({ erasure: { rule: 'pseudonymise', set } });
    const sql = `${computed}, nick text`;
    expect(await inventions.told(members(sql, { folded: 'mail' }, rule({ email: null })))).toEqual([]);
    expect(await inventions.told(members(sql, { folded: 'mail' }, rule({ nick: null })))).toEqual([
      expect.stringMatching(/h\.member\.folded: .*Name what it is computed from \(email\) in `set`/),
    ]);
  });

  test('may be written by another collection of the same rows, or by a trigger that somebody has to look at', async () => {
    const erasure = { rule: 'pseudonymise', set: { nick: null } };
    const contacts = collection('member', 'id email phone nick', {
      subject: { member: 'id' },
      erasure: { rule: 'clear', columns: ['email'] },
    });
    expect(await inventions.told(members(columns, mails, { erasure }, { contacts }))).toEqual([]);
    const triggered = members(columns, mails, { erasure });
    triggered.sql += `; create function h.empty() returns trigger language plpgsql as $$ begin new.email = null; return new; end $$;
      create trigger emptied before update on h.member for each row execute function h.empty()`;
    expect(await inventions.told(triggered)).toEqual([
      expect.stringMatching(
        /^warning erasure\.side_effect h\.member: Trigger emptied \(BEFORE, function empty\)/,
      ),
      expect.stringMatching(/^warning erasure\.identifier_stays h\.member\.email: .*unless trigger emptied/),
    ]);
  });
});

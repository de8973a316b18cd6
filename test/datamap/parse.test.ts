import { readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { DomainError } from '../../src/errors.js';
import { parseDataMap } from '../../src/datamap/parse.js';
import { jsonSchema } from '../../src/datamap/schema.js';

const valid = `version: 1
subjects:
  user:
    table: users
    key: id
    identifiers: { mail: { column: email, normalise: mail } }
workspaces: none
controller: { name: Host }
collections:
  users:
    table: users
    subject: { user: id }
    workspace: none
    controller: host
    purpose: Account
    legalBasis: Contract
    retention: Until deletion
    columns:
      id: { category: technical }
    erasure: { rule: delete }
`;

const parse = (yaml: string) => parseDataMap(yaml, { file: 'map.yaml' });
function complaint(yaml: string): string {
  try {
    parse(yaml);
  } catch (error) {
    if (error instanceof DomainError) return error.message;
    throw error;
  }
  throw new Error('the map was accepted');
}

test('owners read a title of their own, which is the name in words where the map gives none', () => {
  const titles = (yaml: string) => {
    const { title, workspaceTitle } = parse(yaml).collections.users ?? {};
    return [title, workspaceTitle];
  };
  expect(titles(valid)).toEqual(['users', 'Users']);
  const named = valid.replace('  users:\n    table: users\n', '  users:\n    table: users\n    title: You\n');
  expect(named).not.toBe(valid);
  expect(titles(named)).toEqual(['You', 'Users']);
  expect(titles(named.replace('title: You\n', 'title: You\n    workspaceTitle: All accounts\n'))).toEqual([
    'You',
    'All accounts',
  ]);
});

describe('an error', () => {
  test('names file, line, column and the way to it', () => {
    expect(complaint(valid.replace('rule: delete', 'rule: shred'))).toMatch(
      /^map\.yaml:20:16 collections\.users\.erasure\.rule: .*'delete' \| 'pseudonymise'/,
    );
  });

  test('comes with all the others at once, in the order of the file', () => {
    const lines = complaint(
      valid
        .replace('    key: id\n', '')
        .replace('normalise: mail', 'normalise: post')
        .replace('    purpose: Account\n', '    porpose: Account\n'),
    ).split('\n');
    expect(lines.map((line) => line.replace(/: .*/, ''))).toEqual([
      'map.yaml:5:43 subjects.user.identifiers.mail.normalise',
      'map.yaml:9:3 collections.users.purpose',
      'map.yaml:14:5 collections.users.porpose',
    ]);
  });

  test.each([
    [
      'an unknown word',
      'version: 1',
      'version: 1\nfoo: 1',
      'map.yaml:2:1 foo: is not a word of the data map',
    ],
    ['a missing key', '    key: id\n', '', 'subjects.user: a kind with a table needs `key`'],
    ['a kind nobody declared', 'user: id', 'usr: id', 'collections.users.subject.usr: is not declared'],
    [
      'a path of two shapes',
      'user: id',
      'user: { column: a, columns: [b, c] }',
      'either `column` or `columns`',
    ],
    [
      'a mistake deep in a union',
      'user: id',
      'user: [{ column: a, jsn: [b] }]',
      'map.yaml:12:36 collections.users.subject.user[0].jsn: is not a word',
    ],
    [
      'an identifier nobody has',
      'user: id',
      'user: { column: a, as: phone }',
      '`as: phone` is not an identifier of user',
    ],
    [
      'as many columns as the key has',
      'user: id',
      'user: { columns: [a, b] }',
      'names 2 column(s), but what it points at has 1',
    ],
    [
      'a workspace path without workspaces',
      'workspace: none',
      'workspace: team_id',
      'the map says `workspaces: none`',
    ],
    [
      'a workspace’s data without a workspace',
      'controller: host',
      'controller: workspace',
      '`workspace` needs a path',
    ],
    [
      'a table name that is none',
      'table: users\n    subject',
      'table: a.b.c\n    subject',
      'is not a table name',
    ],
    ['a key twice', 'workspaces: none', 'workspaces: none\nworkspaces: none', 'map.yaml:8:1'],
    ['a version from the future', 'version: 1', 'version: 2', 'map.yaml:1:1 version'],
  ])('is made of %s', (_, from, to, expected) => {
    expect(complaint(valid.replace(from, to))).toContain(expected);
  });

  test.each([
    ['workspaces', /^workspaces: none\n/m, '1:1 workspaces'],
    ['controller', /^controller: .*\n/m, '1:1 controller'],
    ['collections', /^collections:[^]*$/m, '1:1 collections'],
    ['workspace of a collection', /^ +workspace: none\n/m, '10:3 collections.users.workspace'],
    [
      'controller of a collection',
      /^ +controller: host\n/m,
      '10:3 collections.users.controller',
      ': expected one of "host"|"workspace"',
    ],
    ['retention of a collection', /^ +retention: .*\n/m, '10:3 collections.users.retention'],
    ['subject of a collection', /^ +subject: .*\n/m, '10:3 collections.users.subject'],
    ['erasure of a collection', /^ +erasure: .*\n/m, '10:3 collections.users.erasure'],
    [
      'rule of an erasure',
      /rule: delete /,
      '20:5 collections.users.erasure.rule',
      ": Expected 'delete' | 'pseudonymise' | 'clear' | 'tombstone' | 'keep'",
    ],
    [
      'normalise of an identifier',
      /, normalise: mail/,
      '6:20 subjects.user.identifiers.mail.normalise',
      ': expected one of "exact"|"mail"|"phone"',
    ],
    ['version', /^version: 1\n/, '1:1 version', ': expected 1'],
  ])('calls a word missing that is: %s', (_, word, place, choice = '') => {
    const without = valid.replace(word, '');
    expect(without).not.toBe(valid);
    expect(complaint(without)).toBe(`map.yaml:${place}: is missing${choice}`);
  });

  test('is made of text that is no YAML, of an empty file, and of a list', () => {
    expect(complaint('a: [1')).toContain('map.yaml:1:');
    expect(complaint('')).toContain('map.yaml:1:1');
    expect(complaint('- 1')).toContain('map.yaml:1:1');
  });

  test('never repeats a big value', () => {
    expect(
      complaint(valid.replace('retention: Until deletion', `retention: "${'x'.repeat(9000)}"`)).length,
    ).toBeLessThan(500);
  });
});

test('the hash is of the meaning: layout and order do not change it, a word does', () => {
  const base = parse(valid).hash;
  expect(parse(valid.replace('{ user: id }', '\n      # who\n      user: [id]')).hash).toBe(base);
  expect(parse(valid.replace('Account', 'Accounts')).hash).not.toBe(base);
});

test('a word of JavaScript is no kind of person and no collection', () => {
  const map = parse(valid);
  expect(map.subjects.constructor).toBeUndefined();
  expect(Object.getPrototypeOf(map.collections)).toBeNull();
});

test('Habeas’s own tables join the host’s map and cannot be shadowed by it', () => {
  const own = (name: string) => () => ({
    schema: 'habeas',
    exempt: [],
    collections: {
      [name]: {
        table: 'packages',
        subject: { user: { column: 'subject_key', where: "t.subject_kind = 'user'" } },
        workspace: 'tenant_id',
        controller: 'host' as const,
        purpose: 'Requests',
        legalBasis: 'Law',
        recipients: [],
        retention: 'P36M',
        columns: {},
        erasure: { rule: 'delete' as const },
      },
    },
  });
  const map = parseDataMap(valid, { file: 'map.yaml', builtIn: own('habeas_packages') });
  expect(map.collections.habeas_packages).toMatchObject({
    builtIn: true,
    table: { schema: 'habeas', name: 'packages' },
  });
  expect(map.hash).not.toBe(parse(valid).hash);
  expect(() => parseDataMap(valid, { file: 'map.yaml', builtIn: own('users') })).toThrow(/belong to Habeas/);
});

test('the published JSON Schema is the one the loader uses', async () => {
  const published = await readFile(new URL('../../docs/datamap.schema.json', import.meta.url), 'utf8');
  expect(JSON.parse(published)).toEqual(jsonSchema());
});

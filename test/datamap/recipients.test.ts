import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readConfig } from '../../src/config.js';
import { assertRecipients } from '../../src/app/recipient-secrets.js';
import { parseDataMap } from '../../src/datamap/parse.js';
import { fillHeader, fillJson, fillUrl } from '../../src/datamap/placeholders.js';
import { DomainError } from '../../src/errors.js';

const NOTES = `{ table: notes, subject: { user: id }, workspace: team_id, controller: host, purpose: p, legalBasis: l,
    retention: r, columns: {}, erasure: { rule: delete } }`;

const map = (recipients: string, signIn = '') => `version: 1
subjects:
  user:
    table: users
    key: id
    identifiers: { mail: { column: email, normalise: mail } }
${signIn}
  lead: { identifiers: { phone: { normalise: phone } } }
workspaces: { table: teams, key: id }
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
    columns: { id: { category: technical } }
    erasure: { rule: delete }
  notes: ${NOTES}
recipients:
${recipients.replaceAll(/^/gm, '  ')}
`;
const parse = (yaml: string) => parseDataMap(yaml, { file: 'map.yaml' });
const complaint = (recipients: string): string => {
  try {
    parse(map(recipients));
  } catch (error) {
    if (error instanceof DomainError) return error.message;
    throw error;
  }
  throw new Error('the map was accepted');
};

const crm = (changes: Partial<Record<'url' | 'headers' | 'body' | 'more', string>> = {}) => `
crm:
  title: Our CRM
  kind: http
  identifiers: [mail]
  call:
    method: DELETE
    url: ${changes.url ?? 'https://crm.example/people/{{subject.mail}}'}
    headers: ${changes.headers ?? '{ authorization: "Bearer {{secret.CRM}}" }'}
    body: ${changes.body ?? '{ erasure: "{{erasure.id}}" }'}
  ${changes.more ?? ''}`;

describe('the map says who had the data', () => {
  test('and what it leaves open is filled in', () => {
    const { crm: one, ...others } = parse(map(crm())).recipients;
    expect(one).toMatchObject({ name: 'crm', scope: ['account'], when: 'end', identifiers: ['mail'] });
    expect(Object.keys(others)).toEqual([]);
    expect(parse(map(crm({ more: 'collections: [notes]' }))).recipients.crm?.scope).toEqual([
      'account',
      'person',
    ]);
  });

  test('where people sign in, somebody ends their sessions by hand unless the map knows better', () => {
    const signIn = '    signIn: { claim: sub, column: id }';
    expect(parse(map(crm(), signIn)).recipients.sessions).toMatchObject({
      kind: 'manual',
      when: 'start',
      subjects: ['user'],
      scope: ['account'],
    });
    const own = 'sessions: { title: Sign out, kind: manual, within: P2D }';
    expect(parse(map(own, signIn)).recipients.sessions).toMatchObject({ title: 'Sign out', within: 'P2D' });
  });

  test.each([
    ['a kind that nobody declared', crm({ more: 'subjects: [usr]' }), 'usr is not declared under `subjects`'],
    [
      'a collection that nobody declared',
      crm({ more: 'collections: [x]' }),
      'x is not declared under `collections`',
    ],
    ['an identifier that nobody has', crm().replace('[mail]', '[tax]'), 'tax is not an identifier'],
    [
      'a placeholder that does not exist',
      crm({ body: '{ a: "{{user.mail}}" }' }),
      '{{user.mail}} is not a placeholder',
    ],
    [
      'an identifier that is not declared as needed',
      crm({ body: '[["{{subject.phone}}"]]' }),
      'is not among `identifiers`',
    ],
    [
      'braces that somebody meant',
      crm({ body: '{ a: "{{subject mail}}" }' }),
      'braces that are no placeholder',
    ],
    ['a placeholder in a name', crm({ body: '{ "{{subject.mail}}": 1 }' }), 'stand in texts, not in names'],
    ['a placeholder for the host', crm({ url: 'https://{{subject.mail}}/x' }), 'the host is no place'],
    [
      'a secret in an address',
      crm({ url: 'https://crm.example/?key={{secret.CRM}}' }),
      'send a secret in a header',
    ],
    ['a user in an address', crm({ url: 'https://a:b@crm.example/' }), 'takes neither a user nor a fragment'],
    ['an address that is none', crm({ url: 'ftp://crm.example/' }), 'must be a URL'],
    [
      'a workspace where there is none',
      crm({ body: '["{{workspace.id}}"]' }),
      'needs `collections` that all lie in workspaces',
    ],
    [
      'people of a workspace’s erasure',
      crm({ more: 'scope: [workspace]' }),
      'a workspace’s erasure names nobody',
    ],
    ['a word that is none', crm({ more: 'retries: 3' }), 'retries: is not a word of the data map'],
    [
      'a webhook that is different for everybody',
      'a: { title: A, kind: webhook, secret: A, url: "https://a.example/{{subject.key}}" }',
      'one address for everybody',
    ],
  ])('%s is refused, with the line', (_, yaml, message) => {
    expect(complaint(yaml)).toMatch(/^map\.yaml:\d+:\d+ recipients\./);
    expect(complaint(yaml)).toContain(message);
  });
});

describe('a secret that the map names', () => {
  const webhook = map('hook: { title: Hook, kind: webhook, secret: HOOK, url: "https://a.example/h" }');
  const problems = (yaml: string, environment: Record<string, string>, production = false): string => {
    const { recipientSecrets } = readConfig(environment);
    try {
      assertRecipients(parse(yaml), { recipientSecrets, production });
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  };
  const good = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

  test('stops the start while it is missing, saying what to set', () => {
    expect(problems(webhook, {})).toMatch(/RECIPIENT_HOOK_SECRET: is needed: the recipient hook uses it/);
    expect(problems(map(crm()), {})).toMatch(/RECIPIENT_CRM_SECRET: is needed/);
    expect(problems(webhook, { RECIPIENT_HOOK_SECRET: good })).toBe('');
  });

  test('that cannot sign, or would begin another header, is refused without being shown', () => {
    expect(problems(webhook, { RECIPIENT_HOOK_SECRET: 'hunter2' })).toMatch(
      /must be whsec_ and 24 to 64 bytes/,
    );
    expect(problems(map(crm()), { RECIPIENT_CRM_SECRET: 'hunter2\r\nx: y' })).toMatch(/printable ASCII/);
    expect(problems(map(crm()), { RECIPIENT_CRM_SECRET: 'hunter2\r\nx: y' })).not.toContain('hunter2');
  });

  test('is not sent in the clear in production', () => {
    const clear = map(crm({ url: 'http://crm.example/x' }));
    expect(problems(clear, { RECIPIENT_CRM_SECRET: 'k' })).toBe('');
    expect(problems(clear, { RECIPIENT_CRM_SECRET: 'k' }, true)).toMatch(
      /recipients\.crm: must be called over https/,
    );
  });
});

describe('a placeholder is filled in by where it stands', () => {
  const values = (value: string) => ({ 'subject.mail': value });
  const codeOf = (work: () => unknown) => {
    try {
      work();
      return undefined;
    } catch (error) {
      return (error as DomainError).code;
    }
  };
  const anything = fc.string({ unit: 'grapheme', minLength: 1 });

  test('in a path no value adds a segment, a parameter or a fragment, or leads elsewhere', () => {
    fc.assert(
      fc.property(anything, (value) => {
        fc.pre(value !== '.' && value !== '..');
        const url = new URL(
          fillUrl('https://a.example/people/{{subject.mail}}/data?m={{subject.mail}}', values(value)),
        );
        expect(url.origin).toBe('https://a.example');
        expect(url.pathname.split('/')).toHaveLength(4);
        expect(decodeURIComponent(url.pathname.split('/')[2] ?? '')).toBe(value);
        expect([...url.searchParams]).toEqual([['m', value]]);
        expect(url.hash).toBe('');
      }),
    );
  });

  test.each(['.', '..'])(
    '%s as a person’s page would be the list of all people, so it is refused',
    (value) => {
      expect(codeOf(() => fillUrl('https://a.example/people/{{subject.mail}}', values(value)))).toBe(
        'recipient.value_unusable',
      );
    },
  );

  test.each([undefined, ''])(
    'without a value (%j) nothing is called: the address would mean everybody',
    (value) => {
      expect(
        codeOf(() => fillUrl('https://a.example/people/{{subject.mail}}', { 'subject.mail': value })),
      ).toBe('recipient.value_missing');
    },
  );

  test('in JSON every value arrives as it is, and ends no text', () => {
    fc.assert(
      fc.property(anything, (value) => {
        const sent = JSON.stringify(
          fillJson({ a: ['x {{subject.mail}} y', 1, null], b: true }, values(value)),
        );
        expect(JSON.parse(sent)).toEqual({ a: [`x ${value} y`, 1, null], b: true });
      }),
    );
    const nasty = '"},"admin":true,"x":{"y":"\n\u2028';
    expect(JSON.parse(JSON.stringify(fillJson({ m: '{{subject.mail}}' }, values(nasty))))).toEqual({
      m: nasty,
    });
  });

  test('what is filled in is never looked at again', () => {
    const tricky = { 'subject.mail': '{{secret.CRM}}', 'secret.CRM': 'hidden' };
    expect(fillJson('{{subject.mail}}', tricky)).toBe('{{secret.CRM}}');
    expect(fillUrl('https://a.example/{{subject.mail}}', tricky)).not.toContain('hidden');
    expect(fillJson('{{subject.mail}}', values('$& $1 $`'))).toBe('$& $1 $`');
  });

  test.each(['a\r\nx-admin: 1', 'a\nb', 'ü@x.example', '\u0000'])(
    '%j does not stand in a header',
    (value) => {
      expect(codeOf(() => fillHeader('m={{subject.mail}}', values(value)))).toBe('recipient.value_unusable');
    },
  );
});

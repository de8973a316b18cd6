import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { workspaceIds } from '../../demo/people.js';
import { type Answer, TestDesk } from '../support/desk.js';
import { everybody, type NamedCaller } from './callers.js';
import { type Route, routesOf } from './routes.js';

const NASTY = [
  '', ' ', '\0', 'a\0b', '\ud800', '\udfff x', '\u202e', '\r\nBcc: x@y.example', `'; drop table habeas.requests; --`,
  `1' or '1'='1`, '../../../etc/passwd', '%00', '%2e%2e%2f', '${7*7}', '{{7*7}}', '<script>alert(1)</script>', 'null',
  'undefined', 'NaN', '2026-02-30', '2026-02-30T00:00:00Z', '0000-01-01T00:00:00Z', '9999-12-31T23:59:59Z',
  '+275760-09-13T00:00:00Z', '1969-12-31T23:59:59Z', '2026-11-20T12:00:00+99:00', '2026-11-20T12:00:00+23:59', 'x'.repeat(5000), 'a@b', 'a@b.example', '"a b"@c.example',
  'xn--@example.org', '-1', '1e309', '__proto__', 'constructor', 'user', 'customer', 'DE', 'US-CA', 'ZZ', 'zz-ZZ', 'workspace', 'person',
  'account', 'access', 'deletion', 'link', 'manual', 'approved', 'refused', 'letter', 'eu', 'approve', 'events:write', 'plan.changed',
  workspaceIds.acme, workspaceIds.borealis, '00000000-0000-8000-8000-00686f737400',
]; // prettier-ignore

/** Names that the API knows, so that what is made up gets past the first check. */
const FIELDS = [
  'kind', 'scope', 'workspaceId', 'subject', 'mail', 'key', 'receivedAt', 'jurisdiction', 'language', 'channel', 'requester', 'mandate',
  'method', 'seen', 'decision', 'reason', 'needed', 'ground', 'explanation', 'part', 'text', 'region', 'name', 'contact', 'dpo',
  'establishment', 'approvals', 'adminMayDownload', 'permissions', 'expiresAt', 'userId', 'action', 'actor', 'type', 'id',
  'targets', 'subjects', 'context', 'metadata', 'occurredAt', 'outcome', 'person', 'target', 'until', 'reviewOn', 'disclosable',
]; // prettier-ignore

const leaf = fc.oneof(
  fc.constantFrom(...NASTY),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.double(),
  fc.maxSafeInteger(),
  fc.boolean(),
  fc.constant(null),
  fc.uuid(),
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
);
const tree = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    { arbitrary: leaf, weight: 4 },
    { arbitrary: fc.array(tie('value'), { maxLength: 4 }), weight: 1 },
    {
      arbitrary: fc.dictionary(
        fc.oneof(fc.constantFrom(...FIELDS), fc.string({ maxLength: 8 })),
        tie('value'),
        { maxKeys: 6 },
      ),
      weight: 2,
    },
  ),
})).value;

/** Well-formed bodies of each kind, of which one field at a time goes wrong. */
const BODIES: Record<string, unknown>[] = [
  { kind: 'access' },
  { kind: 'access', scope: 'person', workspaceId: workspaceIds.acme, jurisdiction: 'DE', language: 'en' },
  { kind: 'access', scope: 'workspace' },
  { kind: 'access', scope: 'person', subject: { mail: 'fuzz@example.org' }, receivedAt: '2026-11-01T00:00:00Z' },
  { kind: 'access', scope: 'person', subject: { kind: 'user', key: randomUUID() } },
  { kind: 'access', mail: 'fuzz@example.org', channel: 'letter', receivedAt: '2026-11-01T00:00:00Z', requester: 'x', mandate: 'y' },
  { method: 'manual', seen: 'a passport' },
  { decision: 'approved' },
  { reason: 'much', needed: 'a word' },
  { ground: 'unfounded', explanation: 'words' },
  { text: 'a note' },
  { region: 'eu' },
  { name: 'Acme', contact: 'x', dpo: 'y', authority: 'z', establishment: 'DE', approvals: 'auto', adminMayDownload: false },
  { name: 'Token', permissions: ['events:read'], expiresAt: '2027-01-01T00:00:00Z' },
  { userId: randomUUID() },
  { mail: 'vera.lindqvist@acme.example' },
  { action: 'plan.changed', actor: { type: 'person', id: 'x', name: 'y' }, targets: [{ type: 'plan', id: 'p' }], metadata: { a: 'b' } },
]; // prettier-ignore

const bent = fc.tuple(fc.constantFrom(...BODIES), fc.nat(20), tree).map(([body, nth, value]) => {
  const field = Object.keys(body)[nth % Object.keys(body).length] ?? '';
  return { ...body, [field]: value };
});
const body = fc.oneof({ arbitrary: bent, weight: 3 }, { arbitrary: tree, weight: 1 });

describe('whatever is sent, the service knows what to say', () => {
  let desk: TestDesk;
  let callers: NamedCaller[];
  let routes: Route[];
  let requests: string[];
  beforeAll(async () => {
    desk = await TestDesk.open({ work: false, limits: [] });
    callers = await everybody(desk);
    routes = routesOf(desk.app);
    const file = async (who: NamedCaller | undefined, path: string, filing: unknown) =>
      ((await who?.caller.post(path, filing)) as Answer<{ id: string }>).body.id;
    const by = (name: string) => callers.find((one) => one.name === name);
    requests = [
      await file(by('owner'), `/v1/workspaces/${workspaceIds.acme}/requests`, {
        kind: 'access',
        scope: 'workspace',
      }),
      await file(by('support'), '/v1/desk/requests', {
        mail: 'fuzz@example.org',
        channel: 'mail',
        workspaceId: workspaceIds.acme,
      }),
      await file(by('member'), '/v1/me/requests', { kind: 'access' }),
    ];
  });
  afterAll(() => desk.close());

  const fill = (path: string, random: number) =>
    path
      .replace(':workspaceId', workspaceIds.acme)
      .replace(':requestId', requests[random % requests.length] ?? '')
      .replace(/:\w+Id/, randomUUID())
      .replace(':token', 'x'.repeat(64))
      .replace('*', 'x');

  const say = (method: string, path: string, who: string, sent: unknown, { status, body: said }: Answer) => {
    const problem = status >= 400;
    return status < 500 && status >= 200 && status !== 429 && (!problem || typeof said?.code === 'string')
      ? 'known'
      : { method, path, who, sent, status, said };
  };

  /** 503 is foreseen for what waits; nothing here does. */
  test('no body makes it fail, at any address, for anybody', async () => {
    const writing = routes.filter(({ method }) => ['POST', 'PUT'].includes(method));
    expect(writing.length).toBeGreaterThan(20);
    for (const { method, path } of writing) {
      await fc.assert(
        fc.asyncProperty(body, fc.nat(), fc.nat(), async (sent, random, nth) => {
          // Those who are let in are tried more often.
          const who = callers[nth % callers.length] as NamedCaller;
          const address = fill(path, random);
          const answer =
            method === 'POST'
              ? await who.caller.post(address, JSON.stringify(sent))
              : await who.caller.put(address, JSON.stringify(sent));
          expect(say(method, address, who.name, sent, answer)).toBe('known');
        }),
        { numRuns: 15 },
      );
    }
  }, 120_000);

  test.each(['owner', 'support', 'member', 'token with events:write'])(
    'nor does any body of %s, who may much',
    async (name) => {
      const who = callers.find((one) => one.name === name) as NamedCaller;
      for (const { method, path } of routes.filter((one) => ['POST', 'PUT'].includes(one.method))) {
        if (name.startsWith('token') && !path.endsWith('events')) continue;
        await fc.assert(
          fc.asyncProperty(bent, fc.nat(), async (sent, random) => {
            const address = fill(path, random);
            const text = JSON.stringify(sent);
            const answer =
              method === 'POST' ? await who.caller.post(address, text) : await who.caller.put(address, text);
            expect(say(method, address, name, sent, answer)).toBe('known');
          }),
          { numRuns: name.startsWith('token') ? 100 : 15 },
        );
      }
    },
    120_000,
  );

  test('no query makes a list fail', async () => {
    const lists = [
      '/v1/me/requests',
      `/v1/workspaces/${workspaceIds.acme}/requests`,
      '/v1/desk/requests',
      ...['tokens', 'auditors', 'events'].map((name) => `/v1/workspaces/${workspaceIds.acme}/${name}`),
    ];
    const cursor = fc.oneof(
      tree.map((value) => Buffer.from(JSON.stringify(value)).toString('base64url')),
      fc
        .tuple(
          fc.oneof(
            fc.constantFrom(
              '2026-99-99',
              'infinity',
              '----------',
              '0000-00-00',
              '::::::::::',
              '2026-11-20 12:00:00+00',
              '9999999999',
              '....::::::++++',
            ),
            fc.stringMatching(/^[\d\-: .+T]{10,40}$/),
          ),
          fc.oneof(fc.uuid(), fc.constantFrom(...NASTY)),
        )
        .map((keyset) => Buffer.from(JSON.stringify(keyset)).toString('base64url')),
      fc.string(),
    );
    // One at a time: of two that are wrong, only one would be looked at.
    const word = fc.oneof(fc.constantFrom(...NASTY, 'request.*', '*', '.*'), leaf.map(String));
    const query = fc.oneof(
      { arbitrary: cursor.map((text) => ({ cursor: text })), weight: 4 },
      fc.oneof(fc.constantFrom('0', '201', 'abc', '', '1e1', ' 5'), fc.integer().map(String)).map((limit) => ({ limit })),
      fc.tuple(fc.constantFrom('show', 'action', 'actor', 'target', 'from', 'to'), word).map(([name, text]) => ({ [name]: text })),
    ); // prettier-ignore
    for (const path of lists) {
      const who = callers.find(
        ({ name }) => name === (path.includes('desk') ? 'support' : 'owner'),
      ) as NamedCaller;
      await fc.assert(
        fc.asyncProperty(query, async (asked) => {
          const text = new URLSearchParams(
            Object.entries(asked).map(([key, value]): [string, string] => [key, value]),
          ).toString();
          expect(
            say('GET', `${path}?${text}`, who.name, asked, await who.caller.get(`${path}?${text}`)),
          ).toBe('known');
        }),
        { numRuns: 80 },
      );
    }
  }, 60_000);

  test('no text in an address makes it fail', async () => {
    const owner = callers.find(({ name }) => name === 'owner') as NamedCaller;
    const word = fc.oneof(
      fc.constantFrom(...NASTY.filter((text) => text.length < 600)),
      fc.string({ unit: 'binary', maxLength: 60 }),
    );
    for (const path of [...new Set(routes.map((one) => one.path))].filter((one) => /[:*]/.test(one))) {
      await fc.assert(
        fc.asyncProperty(word, async (text) => {
          const address = path.replace(/:\w+|\*/g, () =>
            encodeURIComponent(text.toWellFormed()).replace(/^\.+$/, '%2e'),
          );
          expect(say('GET', address, 'owner', text, await owner.caller.get(address))).toBe('known');
        }),
        { numRuns: 15 },
      );
    }
  }, 60_000);

  test('and all that was refused left nothing half-written', async () => {
    const [{ lost } = { lost: -1 }] = await desk.db.behindTheScenes<{ lost: number }>(
      `select count(*)::int as lost from habeas.requests r
       where not exists (select from habeas.events e where e.tenant_id = r.tenant_id and e.action = 'request.filed'
                         and e.targets @> jsonb_build_array(jsonb_build_object('type', 'request', 'id', r.id::text)))`,
    );
    expect(lost).toBe(0);
    expect(await desk.db.behindTheScenes('select from habeas.idempotency_keys where status is null')).toEqual(
      [],
    );
  });
});

import { randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SignJWT, UnsecuredJWT } from 'jose';
import { demoPeople, workspaceIds } from '../../demo/people.js';
import { HOST_TENANT } from '../../src/database/tenancy.js';
import { keyOf } from '../../src/keys/key-files.js';
import { type Answer, type Caller, TestDesk } from '../support/desk.js';

const { acme, borealis } = workspaceIds;
const SENTINEL = 'Sentinel4711';

describe('bad input gets a clear error, is never repeated, and leaves nothing behind', () => {
  let desk: TestDesk;
  let who: Record<'owner' | 'member' | 'viewer' | 'support' | 'neighbour', Caller>;
  let own: string;
  beforeAll(async () => {
    desk = await TestDesk.open({ work: false, limits: [] });
    who = {
      owner: await desk.as('owner'),
      member: await desk.as('member'),
      viewer: await desk.as('viewer'),
      support: await desk.as('support'),
      neighbour: await desk.as('neighbour'),
    };
    own = (await who.member.post('/v1/me/requests', { kind: 'access' })).body.id;
  });
  afterAll(() => desk.close());

  /** Everything that is stored, as far as a refusal must not touch it. */
  const stored = async () =>
    (
      await desk.db.behindTheScenes(
        `select (select count(*) from habeas.requests) as requests, (select count(*) from habeas.request_parts) as parts,
                (select count(*) from habeas.outbox) as mails, (select count(*) from habeas.api_tokens) as tokens,
                (select count(*) from habeas.events where action <> 'request.viewed' and action <> 'desk.viewed') as events,
                (select count(*) from habeas_jobs.job) as jobs`,
      )
    )[0];

  const workspaceFiling = { kind: 'access', scope: 'person', subject: { mail: 'somebody@example.org' } };
  const deskFiling = { mail: 'somebody@example.org', channel: 'letter' };
  const me = '/v1/me/requests';
  const at = `/v1/workspaces/${acme}/requests`;
  const desks = '/v1/desk/requests';
  const deletion = `/v1/workspaces/${acme}/deletion`;

  type Row = [
    what: string,
    caller: keyof typeof who,
    path: string,
    body: unknown,
    status: number,
    code: string,
    path?: string,
  ];
  const rows: Row[] = [
    ['an unknown field', 'member', me, { kind: 'access', [SENTINEL]: SENTINEL }, 400, 'input.invalid', SENTINEL],
    ['a field that is itself a mail', 'member', me, { kind: 'access', [`${SENTINEL}@x.example`]: 1 }, 400, 'input.invalid', '*'],
    ['no field', 'member', me, {}, 400, 'input.invalid', 'kind'],
    ['a kind that there is not', 'member', me, { kind: SENTINEL }, 400, 'input.invalid', 'kind'],
    ['a number for a word', 'member', me, { kind: 4711 }, 400, 'input.invalid', 'kind'],
    ['a list for an object', 'member', me, [{ kind: 'access' }], 400, 'input.invalid', ''],
    ['a scope without its workspace', 'member', me, { kind: 'access', scope: 'person' }, 400, 'input.invalid', 'workspaceId'],
    ['a workspace that is no uuid', 'member', me, { kind: 'access', scope: 'person', workspaceId: SENTINEL }, 400, 'input.invalid', 'workspaceId'],
    ['a jurisdiction that is none', 'member', me, { kind: 'access', jurisdiction: `${SENTINEL}!` }, 400, 'input.invalid', 'jurisdiction'],
    ['a jurisdiction that no law covers', 'member', me, { kind: 'access', jurisdiction: 'ZZ' }, 422, 'jurisdiction.unknown', 'jurisdiction'],
    ['a jurisdiction that no law covers', 'support', desks, { ...deskFiling, jurisdiction: 'ZZ' }, 422, 'jurisdiction.unknown', 'jurisdiction'],
    ['a jurisdiction that no law covers', 'owner', at, { ...workspaceFiling, jurisdiction: 'ZZ' }, 422, 'jurisdiction.unknown', 'jurisdiction'],
    ['a language that is none', 'member', me, { kind: 'access', language: `; ${SENTINEL}` }, 400, 'input.invalid', 'language'],
    ['NUL in a text', 'support', desks, { ...deskFiling, requester: `${SENTINEL}\0` }, 400, 'input.not_text'],
    ['half a character', 'support', desks, '{"mail":"a@b.example","channel":"letter","mandate":"\\ud800"}', 400, 'input.not_text'],
    ['a field named twice', 'support', desks, '{"mail":"a@b.example","mail":"c@d.example","channel":"letter"}', 400, 'input.duplicate_key'],
    ['a prototype', 'support', desks, '{"mail":"a@b.example","channel":"letter","__proto__":{"x":1}}', 400, 'input.forbidden_key'],
    ['no JSON', 'member', me, `{"kind": "${SENTINEL}`, 400, 'input.malformed_json'],
    ['JSON that is too deep', 'member', me, `${'['.repeat(5000)}${']'.repeat(5000)}`, 400, 'input.too_deep'],
    ['a body that is too large', 'member', me, { kind: 'access', language: 'x'.repeat(300_000) }, 413, 'input.too_large'],
    ['a header in a mail', 'support', desks, { ...deskFiling, mail: `a@b.example\r\nBcc: ${SENTINEL}@x.example` }, 400, 'input.invalid', 'mail'],
    ['two addresses in one', 'support', desks, { ...deskFiling, mail: `a@b.example,${SENTINEL}@x.example` }, 400, 'input.invalid', 'mail'],
    ['a name in front of a mail', 'support', desks, { ...deskFiling, mail: `${SENTINEL} <a@b.example>` }, 400, 'input.invalid', 'mail'],
    ['a day that there is not', 'support', desks, { ...deskFiling, receivedAt: '2026-02-30T00:00:00Z' }, 400, 'input.invalid', 'receivedAt'],
    ['a day without a time', 'support', desks, { ...deskFiling, receivedAt: '2026-11-01' }, 400, 'input.invalid', 'receivedAt'],
    ['a receipt to come', 'support', desks, { ...deskFiling, receivedAt: '2026-12-01T00:00:00Z' }, 422, 'request.received_in_future'],
    ['a workspace that there is not', 'support', desks, { ...deskFiling, workspaceId: randomUUID() }, 404, 'workspace.not_found'],
    ['a viewer who files for the workspace', 'viewer', at, { kind: 'access', scope: 'workspace' }, 403, 'auth.forbidden'],
    ['a viewer who files for another', 'viewer', at, workspaceFiling, 403, 'auth.forbidden'],
    ['a foreign workspace', 'neighbour', at, workspaceFiling, 404, 'workspace.not_found'],
    ['a person of another workspace, by key', 'owner', at, { ...workspaceFiling, subject: { kind: 'user', key: demoPeople.neighbour.userId } }, 404, 'subject.not_found'],
    ['a kind of people that there is not', 'owner', at, { ...workspaceFiling, subject: { kind: SENTINEL, key: 'x' } }, 404, 'subject.not_found'],
    ['SQL for a key', 'owner', at, { ...workspaceFiling, subject: { kind: 'user', key: `' or 1=1; drop table atelier.users; -- ${SENTINEL}` } }, 404, 'subject.not_found'],
    ['a subject of two shapes', 'owner', at, { ...workspaceFiling, subject: { mail: 'a@b.example', key: SENTINEL } }, 400, 'input.invalid', 'subject.key'],
    ['the deletion of a workspace through requests', 'owner', at, { kind: 'deletion', scope: 'workspace' }, 422, 'request.use_deletion'],
    ['the deletion of a workspace without its name', 'owner', deletion, {}, 400, 'input.invalid', 'confirm'],
    ['the deletion of a workspace by another name', 'owner', deletion, { confirm: SENTINEL }, 422, 'deletion.name_mismatch', 'confirm'],
    ['a name with a line of its own', 'owner', deletion, { confirm: `Acme\u0007${SENTINEL}` }, 400, 'input.invalid', 'confirm'],
    ['a reason that there is not', 'owner', deletion, { confirm: 'Acme', reason: SENTINEL }, 400, 'input.invalid', 'reason'],
    ['a reason that is not an owner’s', 'owner', deletion, { confirm: SENTINEL, reason: 'orphaned' }, 422, 'deletion.wrong_reason'],
    ['a grace of their own', 'owner', deletion, { confirm: 'Acme', scheduledFor: SENTINEL }, 400, 'input.invalid', 'scheduledFor'],
    ['support that does not say why', 'support', deletion, { reason: 'orphaned' }, 400, 'input.invalid', 'explanation'],
    ['the end of a workspace that has an owner', 'support', deletion, { reason: 'orphaned', explanation: SENTINEL }, 422, 'deletion.wrong_reason'],
    ['a subscription’s end where the data is kept', 'support', deletion, { reason: 'subscription_ended', explanation: SENTINEL }, 422, 'deletion.kept_by_retention'],
    ['a viewer who deletes the workspace', 'viewer', deletion, { confirm: 'Acme' }, 403, 'auth.forbidden'],
    ['a foreign workspace’s deletion', 'neighbour', deletion, { confirm: 'Acme' }, 404, 'workspace.not_found'],
    ['a token that outlives its year', 'owner', `/v1/workspaces/${acme}/tokens`, { name: SENTINEL, permissions: ['events:read'], expiresAt: '2999-01-01T00:00:00Z' }, 422, 'token.expiry_out_of_range'],
    ['a permission that there is not', 'owner', `/v1/workspaces/${acme}/tokens`, { name: SENTINEL, permissions: ['everything'] }, 400, 'input.invalid', 'permissions.0'],
    ['a line break in a name', 'owner', `/v1/workspaces/${acme}/tokens`, { name: `${SENTINEL}\r\nX-Evil: 1`, permissions: ['events:read'] }, 400, 'input.invalid', 'name'],
    ['an auditor who is nobody', 'owner', `/v1/workspaces/${acme}/auditors`, { mail: `${SENTINEL}@nowhere.example` }, 404, 'person.not_found'],
    ['a demo person with a path for a name', 'member', '/demo/sessions', { person: `../../${SENTINEL}` }, 404, 'person.not_found'],
    ['a demo person who is a prototype', 'member', '/demo/sessions', { person: 'constructor' }, 404, 'person.not_found'],
  ]; // prettier-ignore

  // A row that is shorter than the parameters would make Jest wait for a callback.
  test.each(rows.map((row) => [row[0], row] as const))('%s', async (_, row) => {
    const [, caller, path, body, status, code, where] = row;
    const before = await stored();
    const answer = await who[caller].post(path, body);
    refused(answer, status, code);
    if (where !== undefined) {
      const paths = answer.body.errors.map((problem: { path: string }) => problem.path);
      expect(paths).toContain(where);
    }
    if (where !== SENTINEL) expect(JSON.stringify(answer.body)).not.toContain(SENTINEL);
    expect(await stored()).toEqual(before);
  });

  const refused = ({ status, body, headers }: Answer, expected: number, code: string) => {
    expect({ status, code: body.code }).toEqual({ status: expected, code });
    expect(headers.get('content-type')).toContain('application/problem+json');
    expect(JSON.stringify(body)).not.toMatch(/at .*:\d+:\d+|select |insert |habeas\./i);
  };

  test('a text in which nobody would see anything is refused as an empty one, at every address that takes words', async () => {
    const { id } = (await who.support.post(desks, { ...deskFiling, mail: `${randomUUID()}@example.org` }))
      .body;
    const r = `/v1/workspaces/${HOST_TENANT}/requests/${id}`;
    const w = `/v1/workspaces/${acme}`;
    const hold = { ground: 'Claim', reviewOn: '2027-01-31' };
    const addresses: [caller: keyof typeof who, method: 'post' | 'put', path: string, field: string, body?: object][] = [
      ['support', 'post', `${r}/refusals`, 'explanation', { ground: 'manifestly_unfounded' }],
      ['support', 'post', `${r}/notes`, 'text'],
      ['support', 'post', `${r}/extensions`, 'reason'],
      ['support', 'post', `${r}/pauses`, 'reason', { needed: 'A word.' }],
      ['support', 'post', `${r}/pauses`, 'needed', { reason: 'Who?' }],
      ['support', 'post', `${r}/verifications`, 'seen', { method: 'manual' }],
      ['support', 'post', `${r}/recipients/mailer/confirmations`, 'note'],
      ['support', 'post', desks, 'requester', deskFiling],
      ['support', 'post', desks, 'mandate', deskFiling],
      ['support', 'post', deletion, 'explanation', { reason: 'orphaned' }],
      ['support', 'post', `${w}/holds`, 'ground', hold],
      ['support', 'post', `${w}/holds`, 'details', hold],
      ['owner', 'put', `${w}/controller`, 'name'],
      ['owner', 'put', `${w}/controller`, 'contact'],
      ['owner', 'put', `${w}/controller`, 'dpo'],
      ['owner', 'put', `${w}/controller`, 'authority'],
      ['owner', 'post', `${w}/tokens`, 'name', { permissions: ['events:read'] }],
      ['owner', 'post', `${w}/webhooks`, 'description', { url: 'https://x.example/', types: ['request.filed'] }],
    ]; // prettier-ignore
    const before = await stored();
    for (const [caller, method, path, field, body] of addresses)
      for (const unseen of ['\u200b', ' \u00a0\u3164\n', '\u202e\u2066']) {
        const { status, body: said } = await who[caller][method](path, { ...body, [field]: unseen });
        const found = said.errors?.filter((one: { path: string }) => one.path === field);
        expect({ path, field, status, found }).toEqual({
          ...{ path, field, status: 400 },
          found: [expect.objectContaining({ code: 'input.too_small' })],
        });
      }
    expect(await stored()).toEqual(before);
  });

  test('a receipt before computers, or before the year 1, is refused and computes no clock', async () => {
    for (const receivedAt of ['1969-12-31T23:59:59Z', '0000-01-01T00:00:00Z', '0001-01-01T00:00:00Z']) {
      const answer = await who.support.post(desks, {
        ...deskFiling,
        mail: `${randomUUID()}@example.org`,
        receivedAt,
      });
      expect({ receivedAt, status: answer.status }).toEqual({ receivedAt, status: expect.any(Number) });
      expect([400, 422]).toContain(answer.status);
    }
  });

  test('an unknown state or language falls back, it does not fail', async () => {
    for (const change of [{ jurisdiction: 'US-QQ' }, { language: 'tlh' }, { language: 'zz-ZZ' }]) {
      const answer = await who.support.post(desks, {
        ...deskFiling,
        mail: `${randomUUID()}@example.org`,
        ...change,
      });
      expect({ change, status: answer.status }).toEqual({ change, status: 201 });
      expect(answer.body.dueOn).toMatch(/^2026-|^2027-/);
    }
  });

  test.each(['GET', 'POST', 'PUT', 'DELETE'])(
    '%s with ids that are none, or are made of something else',
    async (method) => {
      const odd = [
        '1',
        SENTINEL,
        `${own}'`,
        `' or 1=1 --`,
        '..%2f..%2fetc%2fpasswd',
        '%00',
        `${own}%00`,
        '%F0%9F%92%A9',
        '*',
        'null',
      ];
      for (const id of odd) {
        const encoded = /%/.test(id) ? id : encodeURIComponent(id);
        const path =
          method === 'PUT'
            ? `/v1/workspaces/${encoded}/residency`
            : method === 'GET'
              ? `${me}/${encoded}`
              : method === 'POST'
                ? `${me}/${encoded}/withdrawals`
                : `${at}/${encoded}/pauses`;
        const headers = { authorization: `Bearer ${await token('owner')}` };
        const response = await fetch(desk.config.publicUrl + path, { method, headers });
        const text = await response.text();
        expect({ id, status: response.status }).toEqual({ id, status: 400 });
        expect(text).not.toContain(SENTINEL);
      }
    },
  );

  const token = async (person: string): Promise<string> =>
    (await desk.anybody().post('/demo/sessions', { person })).body.token;

  test.each([
    ['limit=0', 'limit'], ['limit=201', 'limit'], ['limit=abc', 'limit'], ['limit=1.5', 'limit'], ['limit=-1', 'limit'], ['limit=1&limit=2', 'limit'],
    [`cursor=${SENTINEL}`, 'cursor'], ['cursor=', 'cursor'], [`cursor=${Buffer.from('["2026-99-99","x"]').toString('base64url')}`, 'cursor'],
    [`${SENTINEL}=1`, SENTINEL],
  ])('a list asked for %s', async (query, path) => {
    for (const [caller, list] of [['member', me], ['owner', at], ['support', desks], ['owner', `/v1/workspaces/${acme}/events`], ['owner', `/v1/workspaces/${acme}/tokens`], ['owner', `/v1/workspaces/${acme}/auditors`]] as const) {
      const answer = await who[caller].get(`${list}?${query}`);
      refused(answer, 400, 'input.invalid');
      expect(answer.body.errors[0].path).toBe(path);
    }
  }); // prettier-ignore

  test.each([
    'text/plain',
    'application/xml',
    'multipart/form-data; boundary=x',
    'application/x-www-form-urlencoded',
    'text/json',
  ])('a body as %s', async (type) => {
    refused(await who.member.post(me, `kind=${SENTINEL}`, { 'content-type': type }), 415, 'input.media_type');
  });

  describe('tokens that are not good here', () => {
    const claims = {
      sub: demoPeople.owner.userId,
      iss: 'habeas-demo',
      aud: 'habeas-demo',
      email: 'x@example.org',
    };
    const key = () => keyOf(desk.config.home, 'demo-sign-in');
    const sign = (change: object, secret = key(), expires = '2026-11-20T13:00:00Z') =>
      new SignJWT({ ...claims, ...change })
        .setProtectedHeader({ alg: 'HS256' })
        .setExpirationTime(new Date(expires))
        .sign(secret);

    test('expired, unsigned, forged, meant for another, without an end, or no token at all', async () => {
      const good = await sign({});
      expect((await desk.bearer(good).get(me)).status).toBe(200);
      const parts = good.split('.');
      const bad: [string, string, string][] = [
        ['expired', await sign({}, key(), '2026-11-20T11:00:00Z'), 'auth.token_expired'],
        ['alg none', new UnsecuredJWT(claims).setExpirationTime('1d').encode(), 'auth.token_invalid'],
        ['another key', await sign({}, Buffer.alloc(32, 1)), 'auth.token_invalid'],
        ['another audience', await sign({ aud: 'another' }), 'auth.token_invalid'],
        ['another issuer', await sign({ iss: 'another' }), 'auth.token_invalid'],
        ['other claims under the same signature', [parts[0], Buffer.from(JSON.stringify({ ...claims, sub: 'x', exp: 9e9 })).toString('base64url'), parts[2]].join('.'), 'auth.token_invalid'],
        ['a subject with NUL', await sign({ sub: 'a\0b' }), 'auth.token_invalid'],
        ['an API token that nobody made', `hbs_${'A'.repeat(64)}`, 'auth.token_invalid'],
        ['nonsense', SENTINEL, 'auth.token_invalid'],
      ]; // prettier-ignore
      for (const [what, text, code] of bad) {
        const { status, body } = await desk.bearer(text).get(me);
        expect({ what, status, code: body.code }).toEqual({ what, status: 401, code });
      }
    });

    test('a token of another workspace, a revoked one, and one that is not for this', async () => {
      const make = async (by: Caller, workspace: string) =>
        (await by.post(`/v1/workspaces/${workspace}/tokens`, { name: 'App', permissions: ['requests:read'] }))
          .body;
      const foreign = await make(who.neighbour, borealis);
      refused(await desk.bearer(foreign.token).get(at), 404, 'workspace.not_found');
      const ours = await make(who.owner, acme);
      expect((await desk.bearer(ours.token).get(at)).status).toBe(200);
      refused(await desk.bearer(ours.token).post(at, workspaceFiling), 403, 'auth.forbidden');
      await who.owner.delete(`/v1/workspaces/${acme}/tokens/${ours.id}`);
      refused(await desk.bearer(ours.token).get(at), 401, 'auth.token_invalid');
    });
  });

  test('of two identical filings at once one wins, and the other hears of it', async () => {
    for (const [caller, path, body] of [
      ['viewer', me, { kind: 'access' }],
      ['owner', at, { kind: 'access', scope: 'workspace' }],
      ['viewer', me, { kind: 'access', scope: 'person', workspaceId: acme }],
    ] as const) {
      const answers = await Promise.all([1, 2, 3, 4].map(() => who[caller].post(path, body)));
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409]);
      const id = answers.find(({ status }) => status === 201)?.body.id;
      for (const { body: problem } of answers.filter(({ status }) => status === 409))
        expect(problem).toMatchObject({ code: 'request.duplicate', requestId: id });
    }
  });

  test('an Idempotency-Key makes a filing happen once, and serves no other request', async () => {
    const key = { 'idempotency-key': randomUUID() };
    const filing = { ...workspaceFiling, subject: { mail: `${randomUUID()}@example.org` } };
    const [first, again] = [await who.owner.post(at, filing, key), await who.owner.post(at, filing, key)];
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(again.body.id).toBe(first.body.id);
    refused(await who.owner.post(at, { ...filing, kind: 'deletion' }, key), 422, 'idempotency.key_reused');
    refused(
      await who.owner.post(at, filing, { 'idempotency-key': `${SENTINEL} with spaces` }),
      400,
      'input.invalid',
    );
  });

  test('an owner sees of a request over everything their own part, and no sibling', async () => {
    const { body, status } = await who.owner.get(`${at}/${own}`);
    expect(status).toBe(200);
    for (const field of ['parts', 'package', 'identity']) expect(body).not.toHaveProperty(field);
    const listed = (await who.owner.get(`${at}?limit=200`)).body.items.find(
      ({ id }: { id: string }) => id === own,
    );
    for (const text of [JSON.stringify(body), JSON.stringify(listed)])
      for (const sibling of [borealis, workspaceIds.cedar, '00686f737400'])
        expect(text).not.toContain(sibling);
  });

  test('what is not even HTTP gets a problem too', async () => {
    const { port } = desk.config;
    const status = await new Promise<number>((resolve, reject) => {
      const call = httpRequest({ port, host: '127.0.0.1', path: '/%ZZ' }, (answer) =>
        resolve(answer.statusCode ?? 0),
      );
      call.on('error', reject).end();
    });
    expect(status).toBe(400);
  });
});

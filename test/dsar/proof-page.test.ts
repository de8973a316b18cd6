import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type ProofApp, proofApp } from './proof-app.js';

const DAY = 86_400_000;
const start = '2026-11-20T12:00:00Z';
let desk: ProofApp;
let people = 0;
/** Somebody whom the newsletter knows nothing about, and nobody asked for before. */
const somebody = () => desk.wroteIn(`reader-${(people += 1)}@example.net`);

interface Answer {
  status: number;
  type: string;
  location: string | undefined;
  text: string;
  json: Record<string, unknown>;
}
const asBrowser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
const asProgram = { accept: 'application/json' };

async function call(
  method: 'GET' | 'HEAD' | 'POST',
  token: string,
  headers: object,
  action?: string,
): Promise<Answer> {
  const form = headers === asBrowser ? { 'content-type': 'application/x-www-form-urlencoded' } : {};
  const payload = action && (headers === asBrowser ? `action=${action}` : { action });
  const answer = await desk.app.inject({
    ...{ method, url: `/p/${token}`, headers: { ...headers, ...(action && form) } },
    ...(payload && { payload }),
  });
  const type = String(answer.headers['content-type']);
  const json = type.includes('json') ? answer.json<Record<string, unknown>>() : {};
  return { status: answer.statusCode, type, location: answer.headers.location, text: answer.body, json };
}
const look = (token: string, headers = asBrowser) => call('GET', token, headers);
const act = (token: string, action: string, headers = asBrowser) => call('POST', token, headers, action);
const statusOf = async (id: string) =>
  desk.within((tx) => desk.requests.find(tx, id).then(({ status }) => status));
const actions = async (id: string) => (await desk.events(id)).map(({ action }) => action);

beforeAll(async () => {
  desk = await proofApp();
});
afterAll(() => desk.close());
beforeEach(() => desk.clock.set(start));

describe('before the proof', () => {
  test('the page says what was asked and of whom, with one thing to press', async () => {
    const { token, request } = await somebody();
    const page = await look(token);
    expect(page.status).toBe(200);
    expect(page.text).toContain('Is this your request?');
    expect(page.text).toContain('<bdi>Post</bdi>');
    expect(page.text).toContain('20 November 2026');
    expect(page.text).toContain('27 November 2026 at 13:00 (Central European Time)');
    expect(page.text.match(/<button/g)).toHaveLength(1);
    expect(page.text).not.toMatch(/<script|https?:\/\//);
    const { json } = await look(token, asProgram);
    expect(json).toMatchObject({
      state: 'unproven',
      requestId: request.id,
      kind: 'access',
      controller: { name: 'Post' },
    });
    expect(json).not.toHaveProperty('timeline');
  });

  test('is told apart by nothing, whether the address is known or not', async () => {
    const known = await desk.wroteIn('eva@example.org');
    const unknown = await somebody();
    const pages = [await look(known.token), await look(unknown.token)].map(({ text }) =>
      text.replaceAll(/[0-9a-f-]{36}/g, ''),
    );
    expect(pages[0]).toBe(pages[1]);
  });

  test('a mail scanner that opens it proves nothing', async () => {
    const { token, request } = await somebody();
    const before = await actions(request.id);
    for (const method of ['GET', 'HEAD', 'GET', 'HEAD'] as const) await call(method, token, asBrowser);
    expect(await statusOf(request.id)).toBe('verifying');
    expect(await actions(request.id)).toEqual(before);
  });

  test('there is nothing to withdraw', async () => {
    const { token, request } = await somebody();
    expect((await act(token, 'withdraw', asProgram)).json).toMatchObject({ code: 'proof.needed' });
    expect(await statusOf(request.id)).toBe('verifying');
  });

  test.each(['', 'delete', 'confirm&action=withdraw'])('the action "%s" is refused', async (action) => {
    const { token, request } = await somebody();
    const { status } = await desk.app
      .inject({
        ...{ method: 'POST', url: `/p/${token}`, payload: `action=${action}` },
        headers: { ...asBrowser, 'content-type': 'application/x-www-form-urlencoded' },
      })
      .then(({ statusCode }) => ({ status: statusCode }));
    expect(status).toBe(400);
    expect(await statusOf(request.id)).toBe('verifying');
  });
});

describe('confirming', () => {
  test('proves the address, and the same link then shows how things are', async () => {
    const { token, request } = await somebody();
    const pressed = await act(token, 'confirm');
    expect([pressed.status, pressed.location]).toEqual([303, token]);
    const page = await look(token);
    expect(page.text).toContain('Your request is being worked on');
    expect(page.text).toContain('The address was confirmed');
    expect(page.text).toContain('Answer due by');
    expect(page.text).toContain('<button class="plain" name="action" value="withdraw">');
    expect((await look(token, asProgram)).json).toMatchObject({
      state: 'open',
      mayWithdraw: true,
      dueOn: '2026-12-21',
    });
    const proven = (await desk.events(request.id)).filter(({ action }) => action === 'identity.proven');
    expect(proven).toMatchObject([{ outcome: 'success', actor_type: 'link', metadata: { method: 'link' } }]);
  });

  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const json = { 'content-type': 'application/json' };
  test.each([
    ['no body', {}, undefined],
    ['an empty form', form, ''],
    ['no JSON', json, ''],
    ['an empty object', json, '{}'],
  ])('is what a POST with %s means, before the proof and only then', async (_, type, payload) => {
    const { token, request } = await somebody();
    const post = () =>
      desk.app.inject({
        ...{ method: 'POST', url: `/p/${token}`, headers: { ...asProgram, ...type } },
        ...(payload !== undefined && { payload }),
      });
    const proven = await post();
    expect([proven.statusCode, proven.json()]).toMatchObject([200, { state: 'open', requestId: request.id }]);
    const again = await post();
    expect([again.statusCode, again.json()]).toMatchObject([409, { code: 'proof.already_used' }]);
    expect((await look(token, asProgram)).json).toMatchObject({ state: 'open', mayWithdraw: true });
  });

  test('happens once, however fast it is pressed; each further try is an event', async () => {
    const { token, request } = await somebody();
    const tries = await Promise.all([1, 2, 3].map(() => act(token, 'confirm', asProgram)));
    expect(tries.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
    const found = await actions(request.id);
    expect(found.filter((action) => action === 'identity.proven')).toHaveLength(1);
    expect(found.filter((action) => action === 'verification.refused')).toHaveLength(2);
    // A browser that was pressed twice is shown how things are.
    expect(await act(token, 'confirm')).toMatchObject({ status: 303, location: token });
  });

  test('is refused after seven days, with a page that helps and an event', async () => {
    const { token, request } = await somebody();
    desk.clock.advance(7 * DAY);
    for (const answer of [await look(token), await act(token, 'confirm')]) {
      expect(answer.status).toBe(410);
      expect(answer.text).toContain('This link has ended');
    }
    expect((await look(token, asProgram)).json).toMatchObject({ code: 'proof.expired' });
    const refused = (await desk.events(request.id)).filter(({ action }) => action === 'verification.refused');
    expect(refused).toMatchObject([{ outcome: 'denied', metadata: { code: 'proof.expired' } }]);
    expect(await statusOf(request.id)).toBe('verifying');
  });

  test('with any of several links shows the request behind all of them', async () => {
    const { token, request } = await somebody();
    await desk.within(async (tx) =>
      desk.proof.sendLink(tx, await desk.requests.lock(tx, request.id), 'verify-reminder'),
    );
    const second = (await desk.tokens(request.id)).find((other) => other !== token) ?? '';
    await act(second, 'confirm');
    expect((await look(token, asProgram)).json).toMatchObject({ state: 'open' });
  });

  test('is over once identity was proven by hand: a mistyped address may be a stranger’s', async () => {
    const { token, request } = await somebody();
    await desk.within(async (tx) =>
      desk.proof.byHand(tx, await desk.requests.lock(tx, request.id), 'a passport'),
    );
    const page = await look(token);
    expect(page.status).toBe(409);
    expect(page.text).toContain('nothing left to confirm');
    expect((await act(token, 'withdraw', asProgram)).status).toBe(409);
    expect(await statusOf(request.id)).not.toBe('withdrawn');
  });
});

describe('after the proof', () => {
  test('the person withdraws by the same link, which then says so for thirty days', async () => {
    const { token, request } = await somebody();
    await act(token, 'confirm');
    expect((await act(token, 'withdraw')).status).toBe(303);
    const page = await look(token);
    expect(page.text).toContain('This request was withdrawn');
    expect(page.text).not.toContain('<button');
    expect(await statusOf(request.id)).toBe('withdrawn');
    expect(
      (await desk.events(request.id)).filter(({ action }) => action === 'request.withdrawn'),
    ).toMatchObject([{ actor_type: 'link', outcome: 'success' }]);
    expect((await act(token, 'withdraw')).status).toBe(303);
    expect((await act(token, 'withdraw', asProgram)).json).toMatchObject({ code: 'request.closed' });

    desk.clock.advance(30 * DAY - 1);
    expect((await look(token)).status).toBe(200);
    desk.clock.advance(1);
    expect((await look(token)).status).toBe(410);
  });

  test('a second request of the same kind is told that it was refused, and why', async () => {
    const first = await desk.wroteIn('adam@example.org');
    const second = await desk.wroteIn('adam@example.org');
    await act(first.token, 'confirm');
    await act(second.token, 'confirm');
    const { json, text } = {
      json: (await look(second.token, asProgram)).json,
      text: (await look(second.token)).text,
    };
    expect(json).toMatchObject({ state: 'closed', status: 'refused', mayWithdraw: false });
    expect(text).toContain('This request was refused');
  });
});

test('a link that is none of ours, or of another tenant, is answered the same and recorded nowhere', async () => {
  const { token, request } = await somebody();
  const bytes = Buffer.from(token, 'base64url');
  const moved = Buffer.concat([Buffer.alloc(16, 1), bytes.subarray(16)]).toString('base64url');
  const before = await actions(request.id);
  for (const wrong of [moved, `${token}x`, token.slice(1), 'x']) {
    expect(await look(wrong, asProgram)).toMatchObject({ status: 404, json: { code: 'proof.not_found' } });
    expect(await act(wrong, 'confirm', asProgram)).toMatchObject({
      status: 404,
      json: { code: 'proof.not_found' },
    });
    expect((await look(wrong)).text).toContain('not one of ours');
  }
  expect(await actions(request.id)).toEqual(before);
});

test('neither token nor address is ever written to the log', async () => {
  const { token } = await desk.wroteIn('sentinel@example.net');
  await look(token);
  await act(token, 'confirm');
  expect(desk.log()).toContain('/p/:token');
  expect(desk.log()).not.toContain(token);
  expect(desk.log()).not.toContain('sentinel');
});

test('the pages’ answers are described in the API’s document', async () => {
  const answer = await desk.app.inject({ method: 'GET', url: '/openapi.json' });
  const { paths } = answer.json<{ paths: Record<string, Record<string, { responses: object }>> }>();
  expect(JSON.stringify(paths['/p/{token}']?.get?.responses)).toContain('ProofFacts');
  expect(JSON.stringify(paths['/d/{token}']?.get?.responses)).toContain('PackageFacts');
  expect(Object.keys(paths['/d/{token}']?.post?.responses ?? {})).toContain('303');
  expect(Object.keys(paths).filter((path) => path.startsWith('/objects'))).toEqual([]);
});

import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from '@jest/globals';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { demoTokens } from '../../src/identity/demo-tokens.js';
import { acme, type Crew, crew, people } from './host.js';

let it: Crew | undefined;
const ends: (() => unknown)[] = [];
afterEach(async () => {
  await it?.close();
  it = undefined;
  for (const end of ends.splice(0)) await end();
});

const issuer = 'https://id.example/';
const provider = { AUTH_ISSUER: issuer, AUTH_AUDIENCE: 'habeas', AUTH_STAFF_CLAIM: 'app_metadata.roles' };
const claims = (service: Crew, sub: string, more = {}) => {
  const seconds = Math.floor(service.clock.now().getTime() / 1000);
  return { sub, iss: issuer, aud: ['habeas', 'others'], exp: seconds + 300, ...more };
};

describe('with the demo sign-in', () => {
  test('anybody of the demo can be, without a password', async () => {
    it = await crew();
    const list = await it.call('GET', '/demo/people');
    expect(list.body.items).toContainEqual({
      person: 'member',
      displayName: 'Person 3',
      workspaceId: acme,
      userId: people.member.userId,
    });
    const { status, body } = await it.call('POST', '/demo/sessions', undefined, { person: 'member' });
    expect({ status, ...body }).toEqual({
      ...{ status: 201, workspaceId: acme, userId: people.member.userId },
      token: expect.stringMatching(/^ey/) as unknown,
    });
    const me = await it.call('GET', '/probe/own', { bearer: body.token as string });
    expect(me.body.principal).toMatchObject({ subject: { key: people.member.userId } });
  });

  test('nobody else can', async () => {
    it = await crew();
    for (const person of ['stranger', '__proto__', 'constructor'])
      expect(await it.call('POST', '/demo/sessions', undefined, { person })).toMatchObject({
        status: 404,
        body: { code: 'person.not_found' },
      });
    expect(
      (await it.call('POST', '/demo/sessions', undefined, { person: 'member', staff: 'support' })).status,
    ).toBe(400);
  });

  test('on a host of one’s own nobody can, and is told what to set instead', async () => {
    it = await crew('uuid', { DATAMAP: fileURLToPath(new URL('../../demo/datamap.yaml', import.meta.url)) });
    const { status, body } = await it.call('POST', '/demo/sessions', undefined, { person: 'member' });
    expect([status, body.code]).toEqual([404, 'person.not_found']);
    for (const name of ['AUTH_JWT_SECRET', 'AUTH_JWKS_URL', 'AUTH_ISSUER', 'AUTH_AUDIENCE'])
      expect(body.detail).toContain(name);
    expect((await it.call('GET', '/demo/people')).body).toEqual({ items: [] });
  });

  test('the key is made once in HABEAS_HOME, for its owner’s eyes, and opens no other installation', async () => {
    it = await crew();
    const token = await it.tokenOf('owner');
    const { mode } = await stat(join(it.home, 'demo-sign-in.key'));
    expect(mode & 0o777).toBe(0o600);
    const elsewhere = await crew();
    ends.push(() => elsewhere.close());
    expect((await elsewhere.call('GET', '/probe/own', { bearer: token })).status).toBe(401);
  });
});

describe('with an identity provider', () => {
  test('the demo’s tokens and addresses are gone', async () => {
    const secret = 'a secret of at least thirty-two characters';
    it = await crew('uuid', { ...provider, AUTH_JWT_SECRET: secret });
    const demo = await demoTokens.issue(it.home, people.owner, it.clock.now());
    expect((await it.call('GET', '/probe/own', { bearer: demo })).status).toBe(401);
    expect((await it.call('GET', '/demo/people')).status).toBe(404);
    expect((await it.call('POST', '/demo/sessions', undefined, { person: 'owner' })).status).toBe(404);
  });

  test('a secret’s tokens are people and staff by the configured claim', async () => {
    const secret = 'a secret of at least thirty-two characters';
    it = await crew('uuid', { ...provider, AUTH_JWT_SECRET: secret });
    const payload = claims(it, people.support.userId, {
      app_metadata: { roles: ['support'] },
      user_metadata: { roles: ['privacy-lead'], email_verified: true },
      staff: ['privacy-lead'],
    });
    const bearer = await new SignJWT(payload)
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode(secret));
    const { body } = await it.call('GET', '/probe/own', { bearer });
    expect(body.principal).toMatchObject({ staff: ['support'], emailVerified: false });
  });

  test('a key set’s tokens are people; while it cannot be had, the answer is 503 and not 401', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    let up = false;
    const keys = [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' }];
    const server = createServer((_request, response) => {
      response.statusCode = up ? 200 : 502;
      response.end(JSON.stringify({ keys }));
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    ends.push(
      () => server.closeAllConnections(),
      () => server.close(),
    );
    const { port } = server.address() as AddressInfo;
    it = await crew('uuid', { ...provider, AUTH_JWKS_URL: `http://127.0.0.1:${port}/jwks` });
    const bearer = await new SignJWT(claims(it, people.member.userId))
      .setProtectedHeader({ alg: 'ES256', kid: 'one' })
      .sign(privateKey);
    expect(await it.call('GET', '/probe/own', { bearer })).toMatchObject({
      status: 503,
      body: { code: 'auth.unavailable' },
    });
    up = true;
    expect((await it.call('GET', '/probe/own', { bearer })).body.principal).toMatchObject({ known: true });
  });

  test('staff roles in user_metadata stop the start', async () => {
    const unsafe = { ...provider, AUTH_STAFF_CLAIM: 'user_metadata.roles', AUTH_JWT_SECRET: 'x'.repeat(32) };
    await expect(crew('uuid', unsafe)).rejects.toMatchObject({ code: 'config.invalid' });
  });
});

import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  base64url,
  type CryptoKey,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  type JWK,
  type JWTPayload,
  SignJWT,
  UnsecuredJWT,
} from 'jose';
import { JwtVerifier } from '../../src/identity/jwt.js';
import { TestClock } from '../support/clock.js';

const issuer = 'https://id.example/';
const audience = 'habeas';
const clock = new TestClock();
const now = Math.floor(clock.now().getTime() / 1000);
const good: JWTPayload = { sub: 'ada', iss: issuer, aud: audience, exp: now + 600 };

const sign = (claims: JWTPayload, key: CryptoKey | Uint8Array, header: { alg: string; kid?: string }) =>
  new SignJWT(claims).setProtectedHeader(header).sign(key);

const codeOf = (attempt: Promise<unknown>) =>
  attempt.then(
    () => 'accepted',
    (error: unknown) => (error as { code: string }).code,
  );

/** What must not pass wherever tokens come from. */
const badClaims: [string, JWTPayload, string][] = [
  ['of another issuer', { ...good, iss: 'https://id.example' }, 'auth.token_invalid'],
  ['without an issuer', { ...good, iss: undefined }, 'auth.token_invalid'],
  ['for another audience', { ...good, aud: 'billing' }, 'auth.token_invalid'],
  ['without an audience', { ...good, aud: undefined }, 'auth.token_invalid'],
  ['that expired', { ...good, exp: now - 6 }, 'auth.token_expired'],
  ['that never expires', { ...good, exp: undefined }, 'auth.token_invalid'],
  ['not valid yet', { ...good, nbf: now + 60 }, 'auth.token_invalid'],
];

describe('a token signed with a shared secret', () => {
  const secret = new TextEncoder().encode('a secret of at least thirty-two characters');
  const verifier = new JwtVerifier({ issuer, audience, secret }, clock);
  const hs256 = { alg: 'HS256' };

  test('is accepted, also seconds past its end, because clocks differ', async () => {
    expect((await verifier.verify(await sign(good, secret, hs256))).sub).toBe('ada');
    expect(await codeOf(verifier.verify(await sign({ ...good, exp: now - 3 }, secret, hs256)))).toBe(
      'accepted',
    );
  });

  test.each(badClaims)('is refused %s', async (_, claims, code) => {
    expect(await codeOf(verifier.verify(await sign(claims, secret, hs256)))).toBe(code);
  });

  test('is refused with another secret, another HMAC, or changed by a letter', async () => {
    const wrong = await sign(
      good,
      new TextEncoder().encode('another secret of thirty-two characters.'),
      hs256,
    );
    const [header, , signature] = (await sign(good, secret, hs256)).split('.');
    const changed = base64url.encode(JSON.stringify({ ...good, sub: 'eve' }));
    for (const token of [
      wrong,
      await sign(good, secret, { alg: 'HS512' }),
      [header, changed, signature].join('.'),
      'not.a.jwt',
      '',
    ])
      expect(await codeOf(verifier.verify(token))).toBe('auth.token_invalid');
  });

  test.each(['none', 'None', 'NONE', 'nOnE'])('is refused without a signature (alg %s)', async (alg) => {
    const unsigned = new UnsecuredJWT(good).encode().split('.');
    unsigned[0] = base64url.encode(JSON.stringify({ alg }));
    for (const token of [unsigned.join('.'), `${unsigned.slice(0, 2).join('.')}.c2ln`])
      expect(await codeOf(verifier.verify(token))).toBe('auth.token_invalid');
  });

  test('an expired forgery does not learn that it expired', async () => {
    const forged = await sign({ ...good, exp: 1 }, new TextEncoder().encode('x'.repeat(40)), hs256);
    expect(await codeOf(verifier.verify(forged))).toBe('auth.token_invalid');
  });
});

describe('a token signed by a provider with a key set', () => {
  let server: Server;
  let url: URL;
  let keys: JWK[] = [];
  let answer: 'keys' | 'error' | 'garbage' | 'hang' = 'keys';
  let looks = 0;
  let rsa: { privateKey: CryptoKey; publicKey: CryptoKey };
  let next: { privateKey: CryptoKey; publicKey: CryptoKey };

  const jwk = async (key: CryptoKey, kid: string, alg: string): Promise<JWK> => ({
    ...(await exportJWK(key)),
    ...{ kid, alg, use: 'sig' },
  });
  const verifier = (cooldown = 0, timeout = 10_000) =>
    new JwtVerifier({ issuer, audience, jwksUrl: url }, clock, { cooldown, timeout });

  beforeAll(async () => {
    rsa = await generateKeyPair('RS256', { extractable: true });
    next = await generateKeyPair('ES256', { extractable: true });
    server = createServer((_request, response) => {
      looks += 1;
      if (answer === 'hang') return;
      response.statusCode = answer === 'error' ? 500 : 200;
      response.setHeader('content-type', 'application/json');
      response.end(answer === 'garbage' ? '{"keys": "none"}' : JSON.stringify({ keys }));
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`);
  });
  afterAll(
    () =>
      new Promise((done) => {
        server.closeAllConnections();
        server.close(done);
      }),
  );
  beforeEach(async () => {
    keys = [await jwk(rsa.publicKey, 'one', 'RS256')];
    answer = 'keys';
    looks = 0;
  });

  test('is accepted, and the keys are fetched once for many tokens', async () => {
    const checks = verifier();
    for (let n = 0; n < 5; n++)
      await checks.verify(await sign(good, rsa.privateKey, { alg: 'RS256', kid: 'one' }));
    expect(looks).toBe(1);
  });

  test.each(badClaims)('is refused %s', async (_, claims, code) => {
    const token = await sign(claims, rsa.privateKey, { alg: 'RS256', kid: 'one' });
    expect(await codeOf(verifier().verify(token))).toBe(code);
  });

  test('is refused when the public key was used as an HMAC secret', async () => {
    const pem = new TextEncoder().encode(await exportSPKI(rsa.publicKey));
    const modulus = base64url.decode(keys[0]?.n ?? '');
    for (const secret of [pem, modulus])
      for (const header of [{ alg: 'HS256' }, { alg: 'HS256', kid: 'one' }])
        expect(await codeOf(verifier().verify(await sign(good, secret, header)))).toBe('auth.token_invalid');
    expect(looks).toBe(0);
  });

  test('is refused without a signature', async () => {
    expect(await codeOf(verifier().verify(new UnsecuredJWT(good).encode()))).toBe('auth.token_invalid');
  });

  test('is accepted with a new key after a rotation, and with the old one no longer', async () => {
    const checks = verifier();
    const old = await sign(good, rsa.privateKey, { alg: 'RS256', kid: 'one' });
    await checks.verify(old);
    keys = [await jwk(next.publicKey, 'two', 'ES256')];
    expect((await checks.verify(await sign(good, next.privateKey, { alg: 'ES256', kid: 'two' }))).sub).toBe(
      'ada',
    );
    expect(await codeOf(checks.verify(old))).toBe('auth.token_invalid');
  });

  test('with an unknown key id makes the keys be fetched again at most once in the cool-down', async () => {
    const checks = verifier(60_000);
    const unknown = await sign(good, next.privateKey, { alg: 'ES256', kid: 'guessed' });
    for (let n = 0; n < 10; n++) expect(await codeOf(checks.verify(unknown))).toBe('auth.token_invalid');
    expect(looks).toBe(1);
  });

  test('without a key id is held against every key that fits', async () => {
    const second = await generateKeyPair('RS256', { extractable: true });
    keys.push(await jwk(second.publicKey, 'other', 'RS256'));
    expect(await codeOf(verifier().verify(await sign(good, second.privateKey, { alg: 'RS256' })))).toBe(
      'accepted',
    );
    const stranger = await generateKeyPair('RS256');
    expect(await codeOf(verifier().verify(await sign(good, stranger.privateKey, { alg: 'RS256' })))).toBe(
      'auth.token_invalid',
    );
    const expired = await sign({ ...good, exp: now - 60 }, second.privateKey, { alg: 'RS256' });
    expect(await codeOf(verifier().verify(expired))).toBe('auth.token_expired');
  });

  test.each(['error', 'garbage', 'hang'] as const)(
    'cannot be checked while the provider is down (%s), which is nobody’s fault here',
    async (failure) => {
      answer = failure;
      const token = await sign(good, rsa.privateKey, { alg: 'RS256', kid: 'one' });
      // Enough for keys that do come, even from a busy machine.
      const checks = verifier(0, failure === 'hang' ? 2_000 : undefined);
      expect(await codeOf(checks.verify(token))).toBe('auth.unavailable');
      expect(looks).toBe(1);
      answer = 'keys';
      expect(await codeOf(checks.verify(token))).toBe('accepted');
    },
  );

  test('cannot be checked where nobody listens', async () => {
    const nowhere = new JwtVerifier({ issuer, audience, jwksUrl: new URL('http://127.0.0.1:1/') }, clock);
    const token = await sign(good, rsa.privateKey, { alg: 'RS256', kid: 'one' });
    expect(await codeOf(nowhere.verify(token))).toBe('auth.unavailable');
  });
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { canonicalJson, parseOnce } from '../../src/keys/canonical-json.js';
import { PublicKeys, PublicKeySet, thumbprint } from '../../src/keys/public-keys.js';
import { Signing } from '../../src/keys/signing.js';
import { TestDesk } from '../support/desk.js';

// RFC 8037, appendix A: a key, and the thumbprint it has.
const seed = Buffer.from('nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A', 'base64url');
const x = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo';
const signing = new Signing(seed);

describe('canonical JSON', () => {
  test('sorts members as RFC 8785 shows (section 3.2.3)', () => {
    const members = {
      '\u20ac': 1,
      '\r': 2,
      '\ufb33': 3,
      '1': 4,
      '\ud83d\ude00': 5,
      '\u0080': 6,
      '\u00f6': 7,
    };
    expect(Object.values(JSON.parse(canonicalJson(members)) as object).length).toBe(7);
    const order = [...canonicalJson(members).matchAll(/:(\d)/g)].map(([, n]) => Number(n));
    expect(order).toEqual([2, 4, 6, 7, 1, 5, 3]);
  });

  test('spells texts as RFC 8785 shows (section 3.2.2)', () => {
    const text = '\u20ac$\u000f\nA\'B"\\\\"/';
    expect(canonicalJson([text])).toBe('["€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"]');
  });

  test('is the same whatever the order and layout, and says what was said', () => {
    const whole = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.constant(null),
        fc.boolean(),
        fc.maxSafeInteger(),
        fc.string({ unit: 'grapheme' }),
        fc.array(tie('value')),
        fc.dictionary(fc.string({ unit: 'grapheme' }), tie('value'), { noNullPrototype: true }),
      ),
    })).value;
    fc.assert(
      fc.property(whole, (value) => {
        const text = canonicalJson(value);
        expect(canonicalJson(parseOnce(JSON.stringify(value, null, 2)))).toBe(text);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test.each([[1.5], [2 ** 53], [NaN], ['\ud800'], [new Date()], [undefined], [1n]])('refuses %p', (value) => {
    expect(() => canonicalJson({ value: [value] })).toThrow('cannot spell exactly');
  });

  test('is not read where a member is named twice, however it is spelled', () => {
    expect(() => parseOnce('{"a": {"rows": 1, "\\u0072ows": 2}}')).toThrow('names a member twice');
    expect(() => parseOnce('{"a": 1')).toThrow('not JSON');
    expect(parseOnce('[{"a": "{\\"a\\": 1, "}, {"a": ":"}]')).toEqual([{ a: '{"a": 1, ' }, { a: ':' }]);
  });
});

describe('signing', () => {
  test('derives the key and its name as RFC 8037 does', () => {
    expect(signing.publicKeys).toEqual([
      {
        kty: 'OKP',
        crv: 'Ed25519',
        x,
        kid: 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
        use: 'sig',
        alg: 'EdDSA',
      },
    ]);
  });

  test('is checked by the public keys alone', () => {
    const signed = signing.sign({ rows: 1, what: 'done' });
    const keys = new PublicKeys(PublicKeySet.parse({ keys: signing.publicKeys }).keys);
    expect(() => keys.check(signed)).not.toThrow();
    expect(() => keys.check({ ...signed, rows: 2 } as typeof signed)).toThrow('it was changed');
    expect(() => keys.check({ ...signed, more: 1 } as typeof signed)).toThrow('it was changed');
    expect(() => new Signing(Buffer.alloc(32, 1)).verifier.check(signed)).toThrow('not among the 1 given');
  });

  test('publishes no private key, and no key under another’s name', () => {
    const [own] = signing.publicKeys;
    expect(PublicKeySet.safeParse({ keys: [{ ...own, d: seed.toString('base64url') }] }).success).toBe(false);
    const other = new Signing(Buffer.alloc(32, 1)).publicKeys[0];
    expect(() => new PublicKeys([{ ...own, x: other?.x } as (typeof signing.publicKeys)[0]])).toThrow(
      'thumbprint',
    );
    expect(JSON.stringify(signing.publicKeys)).not.toContain(seed.toString('base64url'));
  });

  test('remembers the public keys of before', async () => {
    const home = await mkdtemp(join(tmpdir(), 'habeas-signing-'));
    try {
      const first = Signing.of({ home });
      expect(Signing.of({ home }).publicKeys).toEqual(first.publicKeys);
      await writeFile(join(home, 'previous-signing-keys.json'), JSON.stringify({ keys: first.publicKeys }));
      const rotated = Signing.of({ home, signingKey: seed });
      expect(rotated.publicKeys.map((key) => key.kid)).toEqual([
        thumbprint({ kty: 'OKP', crv: 'Ed25519', x }),
        first.publicKeys[0]?.kid,
      ]);
      expect(() => rotated.verifier.check(first.sign({ at: 'that time' }))).not.toThrow();
      await writeFile(join(home, 'previous-signing-keys.json'), '{"keys": [{"kty": "RSA"}]}');
      expect(() => Signing.of({ home })).toThrow('is not a JWK Set');
    } finally {
      await rm(home, { recursive: true });
    }
  });
});

describe('/.well-known/habeas-keys.json', () => {
  let desk: TestDesk;
  beforeAll(async () => {
    desk = await TestDesk.open({ environment: { SIGNING_KEY: seed.toString('base64') }, work: false });
  });
  afterAll(() => desk.close());

  test('tells anybody the public keys', async () => {
    const { status, body, headers } = await desk.anybody().get('/.well-known/habeas-keys.json');
    expect(status).toBe(200);
    expect(body).toEqual({ keys: signing.publicKeys });
    expect(headers.get('access-control-allow-origin')).toBe('*');
  });
});

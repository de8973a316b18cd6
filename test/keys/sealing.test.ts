import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Sealing } from '../../src/keys/sealing.js';
import { issueToken, readToken } from '../../src/keys/tokens.js';

const sealing = new Sealing(randomBytes(32));

describe('sealing', () => {
  test('gives back what was sealed, for its purpose only', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const sealed = sealing.seal('mail', value);
        expect(sealing.open('mail', sealed)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(() => sealing.open('note', sealed)).toThrow('cannot be opened');
      }),
    );
  });

  test('uses a fresh nonce each time, so that equal values look different', () => {
    expect(sealing.seal('mail', 'a@b.c')).not.toEqual(sealing.seal('mail', 'a@b.c'));
  });

  test('refuses a record with any byte changed, and one cut short', () => {
    const sealed = sealing.seal('mail', 'a@b.c');
    for (let at = 0; at < sealed.length; at++) {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(() => sealing.open('mail', changed)).toThrow('cannot be opened');
      expect(() => sealing.open('mail', sealed.subarray(0, at))).toThrow('cannot be opened');
    }
  });

  test('finds equal values by a keyed digest that another key does not share', () => {
    expect(sealing.digest('mail', 'a@b.c')).toEqual(sealing.digest('mail', 'a@b.c'));
    expect(sealing.digest('mail', 'a@b.c')).not.toEqual(new Sealing(randomBytes(32)).digest('mail', 'a@b.c'));
  });
});

describe('a token', () => {
  const tenant = '10000000-0000-4000-8000-00000000abcd';

  test('finds its tenant and its own hash again', () => {
    const { token, hash } = issueToken(tenant, 'hbs_');
    expect(token).toMatch(/^hbs_[A-Za-z0-9_-]{64}$/);
    expect(readToken(token, 'hbs_')).toEqual({ tenant, hash });
  });

  test('that is malformed is no token', () => {
    fc.assert(fc.property(fc.string(), (text) => readToken(text, 'hbs_') === undefined));
    expect(readToken(issueToken(tenant).token, 'hbs_')).toBeUndefined();
  });
});

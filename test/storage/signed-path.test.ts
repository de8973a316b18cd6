import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { signPath, verifySignedPath } from '../../src/storage/signed-path.js';

describe('an address that the local store signed', () => {
  const key = randomBytes(32);
  const expiresAt = new Date('2026-11-20T12:00:00Z');
  const before = new Date('2026-11-20T11:59:59Z');
  const granted = { bucket: 'dsar-exports', path: 'ws/req/é & “x”?#%2e.zip', downloadAs: 'a/b "c".zip' };
  const address = signPath(key, granted, expiresAt);

  test('grants what was signed until the second it expires', () => {
    expect(verifySignedPath(key, address, before)).toEqual(granted);
    expect(() => verifySignedPath(key, address, expiresAt)).toThrow(
      expect.objectContaining({ code: 'object.link_expired' }),
    );
  });

  test('grants without a name to save as', () => {
    expect(verifySignedPath(key, signPath(key, { bucket: 'b', path: 'p' }, expiresAt), before)).toEqual({
      bucket: 'b',
      path: 'p',
    });
  });

  test.each([
    ['another key', address, randomBytes(32)],
    ['another bucket', address.replace('dsar-exports', 'dsar-exporta'), key],
    ['another path', address.replace('/req/', '/reg/'), key],
    ['a later expiry', address.replace(/expires=(\d+)/, (_, at) => `expires=${Number(at) + 1}`), key],
    ['another name', address.replace('as=a', 'as=b'), key],
    ['no name', address.replace(/as=[^&]*&/, ''), key],
    ['no signature', address.replace(/&sig=.*/, ''), key],
    ['a cut signature', address.slice(0, -1), key],
    ['a path out of the bucket', address.replace('/req/', '/%2e%2e/'), key],
    ['broken escapes', address.replace('/req/', '/%zz/'), key],
    ['nothing', '', key],
    ['another place', address.replace('/objects/', '/other/'), key],
  ])('is invalid with %s', (_, altered, withKey) => {
    expect(() => verifySignedPath(withKey, altered, before)).toThrow(
      expect.objectContaining({ code: 'object.link_invalid' }),
    );
  });
});

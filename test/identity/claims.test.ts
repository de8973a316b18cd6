import { describe, expect, test } from '@jest/globals';
import { checkStaffClaim, readClaims } from '../../src/identity/claims.js';

describe('staff roles', () => {
  test.each<[string, unknown, string, string[]]>([
    ['a string', { roles: 'support' }, 'roles', ['support']],
    ['several words', { roles: 'support privacy-lead' }, 'roles', ['support', 'privacy-lead']],
    ['a list with commas', { roles: 'editor, support' }, 'roles', ['support']],
    ['an array', { roles: ['privacy-lead', 'editor'] }, 'roles', ['privacy-lead']],
    ['a way into objects', { app_metadata: { roles: ['support'] } }, 'app_metadata.roles', ['support']],
    [
      'a name with dots',
      { 'https://host.example/roles': ['support'] },
      'https://host.example/roles',
      ['support'],
    ],
    ['nothing there', {}, 'app_metadata.roles', []],
    ['an object', { roles: { support: true } }, 'roles', []],
    ['true', { roles: true }, 'roles', []],
    ['null on the way', { app_metadata: null }, 'app_metadata.roles', []],
    ['an array on the way', { app_metadata: [['support']] }, 'app_metadata.0', []],
    ['a word that only contains one', { roles: 'support-readonly' }, 'roles', []],
    ['something inherited', {}, 'constructor.name', []],
    ['nested arrays', { roles: [['support']] }, 'roles', []],
  ])('are read from %s', (_, payload, way, expected) => {
    expect(readClaims(payload as Record<string, unknown>, way).staff).toEqual(expected);
  });

  test('are nobody’s where no claim is configured', () => {
    expect(readClaims({ staff: 'support', roles: 'support' }).staff).toEqual([]);
  });

  test.each(['user_metadata', 'user_metadata.roles', 'raw_user_meta_data.roles', 'User_Metadata.roles'])(
    'are never read from %s, which users can write themselves',
    (way) => {
      expect(() => checkStaffClaim(way)).toThrow(/user_metadata/);
    },
  );

  test('may be read from app_metadata', () => {
    expect(() => checkStaffClaim('app_metadata.roles')).not.toThrow();
    expect(() => checkStaffClaim('user_metadata_of_staff')).not.toThrow();
  });
});

describe('the time of the sign-in', () => {
  test('is auth_time', () => {
    expect(readClaims({ auth_time: 1_700_000_000, iat: 1_800_000_000 }).authTime).toEqual(
      new Date('2023-11-14T22:13:20Z'),
    );
  });

  test('is the newest method where there is no auth_time', () => {
    const amr = [
      { method: 'password', timestamp: 1_600_000_000 },
      { method: 'totp', timestamp: 1_700_000_000 },
      'mfa',
    ];
    expect(readClaims({ amr, iat: 1_800_000_000 }).authTime).toEqual(new Date(1_700_000_000_000));
  });

  test.each([
    { iat: 1_800_000_000 },
    { auth_time: 'now' },
    { auth_time: -1 },
    { auth_time: 1e300 },
    { amr: ['pwd'], iat: 1 },
    { amr: { timestamp: 5 } },
  ])('is unknown for %j: a refreshed token is no sign-in', (payload) => {
    expect(readClaims(payload).authTime).toBeUndefined();
  });
});

describe('a verified mail', () => {
  test('is one that the provider itself vouches for', () => {
    expect(readClaims({ email: 'a@b.example', email_verified: true })).toMatchObject({
      mail: 'a@b.example',
      emailVerified: true,
    });
  });

  test.each([
    { email_verified: 'true' },
    { email_verified: 1 },
    { user_metadata: { email_verified: true } },
    {},
  ])('is not shown by %j', (payload) => expect(readClaims(payload).emailVerified).toBe(false));
});

import { expect, test } from '@jest/globals';
import { isAssumed, resolveJurisdiction, type Whereabouts } from '../../../src/dsar/law/jurisdiction.js';
import { type RequestKind } from '../../../src/dsar/law/law.js';
import { lawIds } from '../../../src/dsar/law/laws.js';
import { codeOf } from './support.js';

const receivedAt = new Date('2026-03-02T12:00:00Z');
const resolve = (known: Partial<Whereabouts>, kind: RequestKind = 'access') =>
  resolveJurisdiction({ enabled: lawIds, ...known }, kind, receivedAt);
const tokyo = { defaultJurisdiction: 'JP', chosen: true };

test.each([
  [
    'the request’s own',
    { request: 'FR', subject: 'GB', establishment: 'DE', region: tokyo },
    'FR',
    'request',
  ],
  [
    'else the subject’s',
    { request: null, subject: 'gb', establishment: 'DE', region: tokyo },
    'GB',
    'subject',
  ],
  ['else the establishment’s', { establishment: 'DE', region: tokyo }, 'DE', 'establishment'],
  ['else the region’s, if somebody chose it', { region: tokyo }, 'JP', 'region'],
])('a request belongs to %s jurisdiction', (_rule, known, jurisdiction, decidedBy) => {
  expect(resolve(known)).toMatchObject({ jurisdiction, decidedBy });
});

test('a region that nobody chose says nothing', () => {
  expect(resolve({ region: { ...tokyo, chosen: false } }).decidedBy).toBe('earliest');
});

test('an unknown place is passed over for the next source', () => {
  expect(resolve({ request: 'ATLANTIS', subject: 'CA' })).toMatchObject({
    law: 'pipeda',
    decidedBy: 'subject',
  });
});

test('a place whose law is not enabled is passed over for the next source', () => {
  expect(resolve({ subject: 'BR', establishment: 'DE', enabled: ['gdpr', 'ccpa'] })).toEqual({
    jurisdiction: 'DE',
    law: 'gdpr',
    decidedBy: 'establishment',
  });
});

test('with nothing known the enabled law with the earliest date applies', () => {
  expect(resolve({})).toEqual({ jurisdiction: 'JP', law: 'jp-appi', decidedBy: 'earliest' }); // 16 March, our own target
  expect(resolve({ enabled: ['ccpa', 'gdpr'] }).law).toBe('gdpr');
  expect(resolve({ enabled: ['bh-pdpl', 'lgpd'] }, 'access').law).toBe('lgpd'); // 17 March, against 23 March
  expect(resolve({ enabled: ['bh-pdpl', 'lgpd'] }, 'deletion').law).toBe('bh-pdpl'); // 16 March, against 17 March
});

test('with one law enabled there is nothing to guess', () => {
  const alone = resolve({ enabled: ['lgpd'] });
  expect(alone).toEqual({ jurisdiction: 'BR', law: 'lgpd', decidedBy: 'only' });
  expect([isAssumed(alone), isAssumed(resolve({})), isAssumed(resolve({ subject: 'JP' }))]).toEqual([
    false,
    true,
    false,
  ]);
});

test('with no law enabled there is no answer', () => {
  expect(codeOf(() => resolve({ enabled: [] }))).toBe('jurisdiction.none_enabled');
});

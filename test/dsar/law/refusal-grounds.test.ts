import { describe, expect, test } from '@jest/globals';
import { lawIds } from '../../../src/dsar/law/laws.js';
import { groundOf, groundsFor, refusalGrounds } from '../../../src/dsar/law/refusal-grounds.js';
import { codeOf } from './support.js';

const kinds = ['access', 'deletion'] as const;

describe.each(lawIds)('the grounds of %s', (law) => {
  test.each(kinds)(
    'let any %s request be refused for want of identity, as a duplicate, and for want of data',
    (kind) => {
      const codes = groundsFor(law, kind).map(({ code }) => code);
      expect(codes).toEqual(expect.arrayContaining(['identity_not_proven', 'duplicate', 'no_data']));
    },
  );

  test('each have a code of their own, a kind, a source, a title and a sentence for the person', () => {
    const grounds = refusalGrounds[law];
    expect(new Set(grounds.map(({ code }) => code)).size).toBe(grounds.length);
    for (const ground of grounds) {
      expect(ground.code).toMatch(/^[a-z]+(_[a-z]+)*$/);
      expect(ground.kinds.length).toBeGreaterThan(0);
      expect(ground.source).not.toBe('');
      expect(ground.title).not.toBe('');
      expect(ground.text).toMatch(/^[A-Z].*\.$/);
    }
  });
});

test('the GDPR’s exemptions from erasure are there in full, (a) to (e), and refuse no access', () => {
  for (const law of ['gdpr', 'uk-gdpr'] as const) {
    const letters = groundsFor(law, 'deletion').flatMap(
      ({ source }) => /Art\. 17\(3\)\((.)\)/.exec(source)?.[1] ?? [],
    );
    expect(letters).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(groundsFor(law, 'access').some(({ source }) => source.includes('Art. 17'))).toBe(false);
  }
});

test('the CCPA’s exceptions from deletion are there in full, (1) to (8)', () => {
  const numbers = groundsFor('ccpa', 'deletion').flatMap(
    ({ source }) => /1798\.105\(d\)\((\d)\)/.exec(source)?.[1] ?? [],
  );
  expect(numbers).toEqual(['1', '2', '3', '4', '5', '6', '7', '8']);
});

test('the UK’s list names the UK’s own law', () => {
  for (const { source } of refusalGrounds['uk-gdpr'])
    expect(source).toMatch(/^(UK GDPR|Data Protection Act 2018) /);
});

test('a list that was not checked against its law says so, ground by ground', () => {
  for (const law of ['lgpd', 'pipeda', 'sa-pdpl', 'bh-pdpl', 'jp-appi'] as const) {
    expect(refusalGrounds[law].every(({ verified }) => !verified)).toBe(true);
  }
});

test('a ground of another law, or of the other kind, is none', () => {
  expect(groundOf('gdpr', 'deletion', 'legal_claims').source).toBe('GDPR Art. 17(3)(e)');
  expect(codeOf(() => groundOf('gdpr', 'access', 'legal_claims'))).toBe('refusal.unknown_ground');
  expect(codeOf(() => groundOf('gdpr', 'access', 'twice_a_year'))).toBe('refusal.unknown_ground');
});

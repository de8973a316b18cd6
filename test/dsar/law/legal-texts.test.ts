import { describe, expect, test } from '@jest/globals';
import { lawIds } from '../../../src/dsar/law/laws.js';
import { type Matter, type Processing } from '../../../src/dsar/law/legal-text.js';
import { legalTexts } from '../../../src/dsar/law/legal-texts.js';

const texts = legalTexts('en');
const acme = { name: 'Acme SARL', dpo: 'dpo@acme.example' };
const french: Matter = { controller: acme, law: 'gdpr', jurisdiction: 'FR', kind: 'access' };
const rightsUnder = (matter: Matter) => texts.remedies(matter).join('\n');

describe('the rights of whoever is told no, or later', () => {
  test.each(lawIds)('under %s say where to complain and that courts are open', (law) => {
    for (const kind of ['access', 'deletion'] as const) {
      const words = rightsUnder({ controller: acme, law, kind });
      expect(words).toMatch(/complain|petition/);
      expect(words).toMatch(/court/i);
      expect(words).not.toMatch(/undefined|null|\[object/);
    }
  });

  test('names the authority of the controller’s profile, else that of the place, else the right itself', () => {
    expect(
      rightsUnder({ ...french, controller: { ...acme, authority: 'the Authority of Utopia' } }),
    ).toContain('complaint with the Authority of Utopia,');
    expect(rightsUnder(french)).toContain('complaint with the French data protection authority (CNIL),');
    expect(rightsUnder({ ...french, jurisdiction: 'EU' })).toContain(
      'complaint with a supervisory authority, in particular',
    );
  });

  test('does not send anybody to the authority of a country that was only assumed', () => {
    const assumed: Matter = {
      controller: acme,
      law: 'bh-pdpl',
      jurisdiction: 'BH',
      assumed: true,
      kind: 'access',
    };
    expect(rightsUnder(assumed)).not.toContain('Bahrain');
    expect(rightsUnder(assumed)).toMatch(/authority of the place where you live or work[^]*court/);
    const british = { ...assumed, controller: { ...acme, establishment: 'GB' } };
    expect(rightsUnder(british)).toContain('Information Commissioner');
    const own = { ...assumed, controller: { ...acme, authority: 'the Authority of Utopia' } };
    expect(rightsUnder(own)).toContain('complain to the Authority of Utopia, or to');
  });

  test('does not send a Californian to the authority of a French controller', () => {
    const controller = { ...acme, establishment: 'FR', authority: 'the CNIL' };
    expect(rightsUnder({ controller, law: 'ccpa', jurisdiction: 'US-CA', kind: 'access' })).not.toContain(
      'CNIL',
    );
  });
});

test('more time is taken once, on a rule that is named', () => {
  expect(texts.extensionRule(french)).toMatch(/allows this once \(GDPR Art\. 12\(3\)/);
});

test('an acknowledgement tells when the request arrived and when it will be answered', () => {
  const arrived = { receivedOn: '2026-03-02', dueOn: '2026-04-02' };
  const words = texts.acknowledgement({ ...french, ...arrived }).join('\n');
  expect(words).toMatch(/on 2 March 2026[^]*latest on 2 April 2026/);
  expect(words).toContain('dpo@acme.example');
});

describe('the legal information of a package', () => {
  const messages: Processing = {
    title: 'Messages',
    purpose: 'to run the workroom',
    legalBasis: 'contract, Art. 6(1)(b)',
    categories: ['content', 'identity', 'content'],
    recipients: ['Mailhost Ltd'],
    retention: { keep: 'P7Y', note: 'tax law' },
    source: 'people who wrote to you',
  };
  const invoices: Processing = {
    ...messages,
    title: 'Invoices',
    recipients: [],
    retention: 'ten years',
    source: undefined,
  };
  const items = texts.information(french, [messages, invoices]);
  const textOf = (code: string) => items.find((item) => item.code === code)?.text.join('\n');

  test('answers every item of Art. 15(1)(a) to (h) and 15(2)', () => {
    expect(items.flatMap(({ article }) => article ?? [])).toEqual([
      ...['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((letter) => `GDPR Art. 15(1)(${letter})`),
      'GDPR Art. 15(2)',
    ]);
    for (const { title, text } of items) {
      expect(title).not.toBe('');
      expect(text.length).toBeGreaterThan(0);
      expect(text.join()).not.toMatch(/undefined|null|\[object/);
    }
  });

  test('says what the data map says', () => {
    expect(textOf('purposes')).toContain(
      'Messages: to run the workroom (legal basis: contract, Art. 6(1)(b))',
    );
    expect(textOf('categories')).toContain('Messages: content, identity');
    expect(textOf('recipients')).toBe('Messages: Mailhost Ltd');
    expect(textOf('retention')).toBe('Messages: 7 years (tax law)\nInvoices: ten years');
    expect(textOf('source')).toContain('Messages: people who wrote to you');
    expect(textOf('rights')).toMatch(/rectification[^]*erasure[^]*restricted[^]*object/);
    expect(textOf('complaint')).toContain('CNIL');
  });

  test('says when something is not recorded, and whom to ask', () => {
    expect(textOf('automated_decisions')).toContain('Ask dpo@acme.example');
    const told = texts.information(french, [messages], { transfers: 'To Japan, which is adequate.' });
    expect(told.at(-1)?.text).toEqual(['To Japan, which is adequate.']);
  });

  test('cites no article of the GDPR to somebody under another law', () => {
    const californian = texts.information({ ...french, law: 'ccpa', jurisdiction: 'US-CA' }, [invoices]);
    expect(californian.every(({ article }) => article === null)).toBe(true);
  });
});

test('a language that is not there yet is English, whatever its name', () => {
  for (const language of ['en-GB', 'EN', 'tlh', 'constructor', '', null, undefined])
    expect(legalTexts(language)).toBe(texts);
});

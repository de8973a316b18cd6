import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { languageFor, type Catalogue } from '../../src/mail/catalogue/catalogue.js';
import { en } from '../../src/mail/catalogue/en.js';
import { Formats } from '../../src/mail/catalogue/formats.js';
import { paragraphsOf } from '../../src/mail/catalogue/letter.js';
import { type Template } from '../../src/mail/catalogue/params.js';
import { render } from '../../src/mail/catalogue/render.js';
import { samples } from './samples.js';

const templates = Object.keys(samples) as Template[];
const textOf = (html: string) =>
  html
    .replace(/<(head|style)>[\s\S]*?<\/\1>/g, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/&#39;/g, "'")
    .replace(/&quot;/g, '"')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&amp;/g, '&')
    .replace(/\s+/g, ' ');

describe('every letter', () => {
  test.each(templates)('%s says the same in plain text and in HTML', (template) => {
    const { subject, text, html } = render(template, samples[template], 'en-GB');
    const shown = textOf(html);
    const lines = text.split('\n').map((line) => line.replace(/^(- |-+$)/, ''));
    for (const line of lines) {
      for (const piece of line.split(/(?<=^[\w ]+): |:$/)) expect(shown).toContain(piece);
    }
    expect(text).toContain(subject);
    expect(text).not.toMatch(/undefined|null|\[object|Invalid/);
  });

  test.each(templates)('%s loads nothing and runs nothing when it is opened', (template) => {
    const { html } = render(template, samples[template]);
    expect(html).not.toMatch(/<(script|img|iframe|link|form|object)|url\(|@import|@font-face|\son\w+=/i);
  });

  test.each(templates)('%s shows hostile names as the text they are', (template) => {
    const hostile = `<img src=x onerror=alert(1)>"'&\r\nBcc: spy@evil.example\u202e`;
    const params = { ...samples[template], controller: hostile, workspace: hostile, part: hostile };
    const { subject, text, html } = render(template, params as never);
    expect(html).not.toContain('<img');
    expect(html).toContain('&lt;img src=x onerror=alert(1)&gt;');

    expect(subject).not.toMatch(/[\u0000-\u001f\u202e]/);
    expect(text).not.toMatch(/^Bcc:/m);
  });

  test('has one line of subject, not too long, whatever the names are', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2000 }), (controller) => {
        const { subject } = render('package-ready', { ...samples['package-ready'], controller });
        expect(subject.length).toBeLessThanOrEqual(161);
        expect(subject).not.toMatch(/[\p{Cc}\p{Cs}\u2028\u2029]/u);
      }),
    );
  });

  test.each(templates)('%s leads nowhere but to pages and the public key', (template) => {
    const { text, html } = render(template, samples[template]);
    const leads = [...text.matchAll(/https?:\S+/g), ...html.matchAll(/href="([^"]+)"/g)];
    for (const [found, href = found] of leads)
      expect(href).toMatch(/^https:\/\/habeas\.example\/([dp]\/|\.well-known\/habeas-keys\.json)/);
  });

  test.each(templates)('%s has every address in its text as a link that can be followed', (template) => {
    const { text, html } = render(template, samples[template]);
    const hrefs = [...html.matchAll(/<a href="([^"]+)"/g)].map(([, href]) => href);
    for (const [address] of text.matchAll(/https?:\S+/g)) expect(hrefs).toContain(address);
    expect(html.replaceAll(/<a .*?<\/a>/g, '')).not.toMatch(/https?:/);
  });

  test('in plain text sets its headings as people do, on what they are about', () => {
    const { text } = render('package-ready', samples['package-ready'], 'en-GB');
    expect(text).toContain('\n\nWhat is in it\n-------------\nMessages: 12,345\n');
    expect(text).not.toContain('#');
  });

  test('to somebody whose account ends does not say that anybody made a request', () => {
    const { text } = render('account-ends', samples['account-ends']);
    expect(text).not.toMatch(/request about personal data|you asked/i);
    expect(text).toContain('because your account there ends');
  });

  test('refuses a link that does not lead to the web', () => {
    const params = { ...samples['package-ready'], link: 'javascript:alert(1)' };
    expect(() => render('package-ready', params)).toThrow('must be a web address');
  });

  test('that verifies an address does not tell whether anybody is known there', () => {
    const { text } = render('verify-identity', samples['verify-identity']);
    expect(text).toContain('does not tell whether we hold data about you');
    expect(text).toContain('You can ignore this message');
  });
});

describe('the language of a letter', () => {
  const available: Record<string, Catalogue> = { en, de: { ...en }, 'zh-Hant': { ...en } };

  test.each([
    ['de', 'de', 'de'],
    ['de-AT', 'de', 'de-AT'],
    ['de_at', 'de', 'de-AT'],
    ['zh-Hant-TW', 'zh-Hant', 'zh-Hant-TW'],
    ['en-GB-oxendict', 'en', 'en-GB'],
    ['zh', 'en', 'en'],
    ['fr-CH', 'en', 'en'],
    ['maria@example.org', 'en', 'en'],
    ['constructor', 'en', 'en'],
    ['', 'en', 'en'],
    [null, 'en', 'en'],
  ])('%s is served by %s, with dates as in %s', (wanted, served, locale) => {
    const language = languageFor(wanted, available);
    expect(language.catalogue).toBe(available[served]);
    expect(language.locale).toBe(locale);
  });

  test('falls back to English words with English dates while there is no other', () => {
    expect(render('request-received', samples['request-received'], 'de-AT').language).toBe('en');
  });
});

describe('dates', () => {
  test('are written as the reader’s region does, and name their zone', () => {
    const day = { on: '2026-12-20', zone: 'America/Los_Angeles' };
    expect(new Formats('en-GB').day(day)).toBe('20 December 2026 (Pacific Time)');
    expect(new Formats('en-US').day(day)).toBe('December 20, 2026 (Pacific Time)');
    expect(new Formats('de-AT').day(day)).toBe('20. Dezember 2026 (Nordamerikanische Westküstenzeit)');
  });

  test('in English of no region put the day first, as the pages do', () => {
    const at = '2026-12-20T12:00:00Z';
    expect(new Formats('en').moment({ at, zone: 'UTC' })).toBe('20 December 2026 at 12:00 (UTC)');
    expect(new Formats('en').clock({ at, zone: 'Europe/Berlin' })).toBe('20 December 2026 at 13:00');
  });

  test('of a law are never moved by a zone', () => {
    for (const zone of ['Pacific/Kiritimati', 'Pacific/Pago_Pago', 'Asia/Bahrain']) {
      expect(new Formats('en-GB').day({ on: '2027-01-01', zone })).toContain('1 January 2027');
    }
  });

  test('with a time are told in the zone they name', () => {
    const at = '2026-11-27T23:30:00Z';
    expect(new Formats('en-GB').moment({ at, zone: 'Asia/Tokyo' })).toBe(
      '28 November 2026 at 8:30 (Japan Standard Time)',
    );
  });
});

test('free text becomes one paragraph per line', () => {
  expect(paragraphsOf('One.\r\n\r\n  Two. \n\u2028Three.\n')).toEqual(['One.', 'Two.', 'Three.']);
});

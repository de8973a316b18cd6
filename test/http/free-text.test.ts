import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Line, plainText, Words } from '../../src/http/free-text.js';

describe('a text that somebody typed', () => {
  test.each([
    ['a zero-width space', '\u200b'],
    ['joiners', '\u200c\u200d'],
    ['a byte order mark', '\ufeff'],
    ['a soft hyphen', '\u00ad'],
    ['no-break and ideographic spaces', '\u00a0\u3000\u2003'],
    ['line ends', '\r\n\u2028\u2029\u0085'],
    ['the fillers of Hangul', '\u115f\u1160\u3164\uffa0'],
    ['the blank of Braille', '\u2800'],
    ['variation selectors', '\ufe0f\u{e0100}'],
    ['tags', '\u{e0041}\u{e007f}'],
    ['overrides', '\u202e\u202c\u2066\u2069'],
    ['private use', '\ue000'],
    ['nothing', ''],
  ])('of %s alone is as good as none', (_, typed) => {
    expect(plainText(` ${typed}\n`)).toBe('');
    for (const schema of [Words(100), Line(100)])
      expect(schema.safeParse(typed).error?.issues[0]?.code).toBe('too_small');
  });

  test.each([
    ['\u200b We must. \ufeff\n', 'We must.'],
    ['pay \u202e0001$\u202c now', 'pay 0001$ now'],
    ['\u2067שלום\u2069 world', 'שלום world'],
    ['One.\n\nTwo.', 'One.\n\nTwo.'],
  ])('%j is kept as %j', (typed, kept) => expect(Words(100).parse(typed)).toBe(kept));

  test.each(['❤️', '👩‍👩‍👧', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', 'می‌خواهم', 'क्‍ष', '\u0601١٢'])('%s stays as it is', (typed) =>
    expect(Line(100).parse(typed)).toBe(typed),
  );

  test('that is kept shows something, begins and ends with it, and stays the same when it is kept again', () => {
    const nasty = fc.constantFrom(
      '\u200b',
      '\u202e',
      ' ',
      '\n',
      '\u3164',
      'a',
      '\u{1f600}',
      '\ufe0f',
      '\u00ad',
    );
    const typed = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.array(nasty, { maxLength: 60 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(typed, (text) => {
        const kept = plainText(text);
        expect(plainText(kept)).toBe(kept);
        expect(kept).toBe(kept.trim());
        expect(kept).not.toMatch(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/);
      }),
    );
  });

  test('with a control character is refused, and one on several lines where there is one line', () => {
    for (const control of ['\0', '\u0007', '\u001b', '\u0085', '\u009b'])
      expect([control, Line(100).safeParse(`a${control}b`).success]).toEqual([control, false]);
    for (const control of ['\u0007', '\u001b', '\u009b'])
      expect([control, Words(100).safeParse(`a${control}b`).success]).toEqual([control, false]);
    for (const line of ['\n', '\r', '\u2028', '\u2029'])
      expect([line, Line(100).safeParse(`a${line}b`).success]).toEqual([line, false]);
  });

  test('of a quarter of a megabyte of blanks is looked at once', () => {
    const started = performance.now();
    expect(Words(100).safeParse(`a${' \u200b'.repeat(120_000)}b`).success).toBe(false);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

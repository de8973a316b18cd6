import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ResidueMatcher } from '../../src/deletion/residue/matcher.js';
import { type Pattern, patternOf } from '../../src/deletion/residue/patterns.js';
import { pieceBytes, ResidueRows } from '../../src/deletion/residue/rows.js';
import { holds } from './residue-oracle.js';

const uuid = '7c9e6679-7425-40de-944b-e07fc1f90ae7';
const pattern = (value: string, normaliser: 'exact' | 'phone' = 'exact') => {
  const found = patternOf(value, normaliser);
  if (!found) throw new Error('no pattern');
  return found;
};

/** COPY … (FORMAT binary) as Postgres writes it: a place and text columns. */
function encoded(rows: (string | null)[][]): Buffer {
  const int = (value: number, bytes: number) => {
    const buffer = Buffer.alloc(bytes);
    buffer.writeIntBE(value, 0, bytes);
    return buffer;
  };
  const parts = [Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)];
  rows.forEach((row, n) => {
    parts.push(int(row.length + 1, 2), int(6, 4), int(n, 4), int(1, 2));
    for (const value of row) {
      if (value === null) parts.push(int(-1, 4));
      else parts.push(int(Buffer.byteLength(value), 4), Buffer.from(value));
    }
  });
  return Buffer.concat([...parts, int(-1, 2)]);
}

/** `row,column,pattern` of every hit, the bytes arriving in chunks of these sizes. */
function search(rows: (string | null)[][], patterns: Pattern[], sizes: number[]): string[] {
  const hits = new Set<string>();
  const reader = new ResidueRows(new ResidueMatcher(patterns), ({ place, column, pattern: found }) => {
    hits.add(`${place.slice(1, place.indexOf(','))},${column},${found}`);
  });
  const bytes = encoded(rows);
  for (let at = 0, n = 0; at < bytes.length; n += 1) {
    const size = sizes[n % sizes.length] ?? bytes.length;
    reader.take(Buffer.from(bytes.subarray(at, at + size)));
    at += size;
  }
  reader.end();
  expect(reader.rows).toBe(rows.length);
  return [...hits].sort();
}

const expected = (rows: (string | null)[][], patterns: Pattern[]): string[] =>
  rows
    .flatMap((row, r) =>
      row.flatMap((value, c) =>
        patterns.flatMap((p, n) => (value !== null && holds(value, p) ? [`${r},${c},${n}`] : [])),
      ),
    )
    .sort();

const isFound = (text: string, value: string, normaliser?: 'phone') =>
  search([[text]], [pattern(value, normaliser)], [7]).length === 1;

describe('an identifier in a text', () => {
  const mail = 'maria.lopez+shop@example.com';
  test.each([
    'Maria.Lopez+Shop@Example.COM',
    'write to <maria.lopez+shop@example.com>, please',
    'mailto:maria.lopez+shop@example.com.',
    '{"to":"x\\nmaria.lopez+shop@example.com"}',
    '{"to":"maria.lopez\\u002bshop\\u0040example.com"}',
    '?to=maria.lopez%2Bshop%40example.com&x=1',
    '%3Cmaria.lopez%2bshop%40example.com%3E',
    '- maria.lopez+shop@example.com -',
  ])('a mail is found in %s', (text) => {
    expect(isFound(text, mail)).toBe(true);
  });

  test.each([
    'anna-maria.lopez+shop@example.com',
    'xmaria.lopez+shop@example.com',
    'maria.lopez+shop@example.com.br',
    'maria.lopez+shop@example.community',
    'maria.lopez@example.com',
    'émaria.lopez+shop@example.com',
  ])('another mail is not: %s', (text) => {
    expect(isFound(text, mail)).toBe(false);
  });

  test('a uuid is found with and without its dashes, in braces, in capitals and after a prefix', () => {
    for (const text of [uuid, uuid.toUpperCase(), `{${uuid}}`, `user_${uuid}.png`, uuid.replaceAll('-', '')])
      expect(isFound(text, uuid)).toBe(true);
    expect(isFound(`0${uuid}`, uuid)).toBe(false);
    expect(isFound(`${uuid}f`, uuid)).toBe(false);
  });

  test('a phone number is found however it is spaced', () => {
    for (const text of [
      '+49 30 1234567',
      '0049 (30) 123-45-67',
      'tel:+49.30.1234567;',
      '4930 1234567',
      '+49\u00a030\u20111234567',
    ])
      expect(isFound(text, '+49301234567', 'phone')).toBe(true);
    for (const text of ['+49 30 12345678', '+4930 123456', 'A4930 1234567', '+49 30 12a34567'])
      expect(isFound(text, '+49301234567', 'phone')).toBe(false);
  });

  test('an address beyond ASCII is found in either case', () => {
    expect(isFound('ПИШИТЕ НА ЮЛЯ@ПОЧТА.РФ!', 'юля@почта.рф')).toBe(true);
    expect(isFound('JÖRG@müller.example', 'jörg@müller.example')).toBe(true);
    expect(isFound('JORG@müller.example', 'jörg@müller.example')).toBe(false);
  });

  test('nothing is searched for that would be found everywhere, or that is a pseudonym already', () => {
    for (const value of ['4711', 'abcdefghijk', '', 'a@b.c', `deleted-${uuid}@deleted.invalid`])
      expect(patternOf(value)).toBeUndefined();
    expect(patternOf('12345', 'phone')).toBeUndefined();
  });
});

describe('the search over bytes', () => {
  const mailbox = fc
    .tuple(
      fc.constantFrom('a', 'jo', 'maria.lopez', 'x+y', 'жук', 'jörg'),
      fc.constantFrom('b.co', 'example.com', 'почта.рф'),
    )
    .map((parts) => parts.join('@'));
  const phone = fc.constantFrom('+49301234567', '0301234567', '4930123', '+15550100');
  const id = fc.constantFrom('cus_abcdefghi', 'cus_abcdefghij', 'ölkännchen-77', 'a+b=c+d=e+f=g');
  const someUuid = fc.constantFrom(uuid, '00000000-0000-4000-8000-000000000001');
  const value = fc.oneof(
    mailbox.map((text) => patternOf(text)),
    phone.map((text) => patternOf(text, 'phone')),
    id.map((text) => patternOf(text)),
    someUuid.map((text) => patternOf(text)),
  );
  const patterns = fc
    .array(value, { minLength: 1, maxLength: 12 })
    .map((list) => list.filter((p) => p !== undefined))
    .filter((list) => list.length > 0);
  const spelling = fc.constantFrom(
    (text: string) => text,
    (text: string) => text.toUpperCase(),
    (text: string) => text.replaceAll('@', '%40').replaceAll('+', '%2B'),
    (text: string) => text.replaceAll('@', '\\u0040'),
    (text: string) => text.replace(/(\d\d)/g, '$1 '),
    (text: string) => text.replace(/(\d\d\d)/g, '($1) -'),
    (text: string) => text.replaceAll('-', ''),
    (text: string) => text.slice(1),
    (text: string) => text.slice(0, -1),
  );
  const noise = fc.constantFrom(
    ...[
      '',
      ' ',
      '.',
      '-',
      '_',
      '+',
      '%20',
      '\\n',
      '\\u000a',
      '"',
      '\\"',
      'x',
      'é',
      'ü',
      '\u212a',
      'İ',
      '😀',
      '7',
      '00',
      '@',
      '\n',
    ],
  );
  const stored = fc.oneof(mailbox, phone, id, someUuid);
  const text = fc
    .array(
      fc.oneof(
        noise,
        fc.tuple(stored, spelling).map(([word, spell]) => spell(word)),
      ),
      { maxLength: 12 },
    )
    .map((parts) => parts.join(''));
  const rows = fc.array(fc.array(fc.option(text, { nil: null }), { minLength: 2, maxLength: 2 }), {
    maxLength: 8,
  });

  test('finds what trying every character finds, however the bytes arrive', () => {
    fc.assert(
      fc.property(
        rows,
        patterns,
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }),
        (some, wanted, sizes) => {
          expect(search(some, wanted, sizes)).toEqual(expected(some, wanted));
        },
      ),
      { numRuns: 400 },
    );
  });

  test('finds an identifier wherever it stands in a value of several megabytes', () => {
    const wanted = [pattern('maria@example.com'), pattern('+49301234567', 'phone')];
    const length = 3 * pieceBytes;
    for (const at of [0, pieceBytes - 8, pieceBytes, pieceBytes + 9, 2 * pieceBytes - 16_384, length - 17]) {
      const long = `${' '.repeat(at)}maria@example.com${' '.repeat(length - at - 17)}`;
      expect(
        search(
          [
            ['x', long],
            [null, '+49 30 1234567'],
          ],
          wanted,
          [60_000],
        ),
      ).toEqual(['0,1,0', '1,1,1']);
    }
    const extended = `${' '.repeat(pieceBytes - 17)}maria@example.com.br${' '.repeat(length)}`;
    expect(search([[extended]], wanted, [60_000])).toEqual([]);
  });
});

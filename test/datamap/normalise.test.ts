import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readCatalogue } from '../../src/datamap/catalogue.js';
import { normalise, normaliseSql } from '../../src/datamap/normalise.js';
import { type Normaliser, normalisers } from '../../src/datamap/schema.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

describe('normal forms', () => {
  test.each([
    ['mail', ' Ada@Example.ORG\n', 'ada@example.org'],
    ['mail', 'ＡＤＡ＠example.org', 'ada@example.org'],
    ['mail', '\u00a0zoe\u0308@Example.org\ufeff', 'zoë@example.org'],
    ['mail', 'İ@x.org', 'i̇@x.org'],
    ['mail', 'ΑΣ@x.gr', 'ας@x.gr'],
    ['phone', '+49 (30) 123-45', '+493012345'],
    ['phone', '0049 30 12345', '+493012345'],
    ['phone', '030+12', '03012'],
    ['phone', 'tel: +1 555', '+1555'],
    ['phone', 'n/a', ''],
    ['exact', ' A ', ' A '],
  ] as const)('%s of %j is %j', (normaliser, value, expected) => {
    expect(normalise(normaliser, value)).toBe(expected);
  });

  test('are normal: a second time changes nothing', () => {
    fc.assert(
      fc.property(fc.constantFrom(...normalisers), fc.string({ unit: 'grapheme' }), (normaliser, value) => {
        const once = normalise(normaliser, value);
        return normalise(normaliser, once) === once;
      }),
    );
  });
});

/** Characters whose compatibility forms came after the Unicode of this server: 14 in Postgres 15, 15 in 16 and 17. */
const unknownTo = (version: number): RegExp | undefined =>
  version < 160_000
    ? /[\u{1e030}-\u{1e06d}\u{1ccd6}-\u{1ccf9}]/u
    : version < 180_000
      ? /[\u{1ccd6}-\u{1ccf9}]/u
      : undefined;

describe('Postgres says the same', () => {
  let database: TestDatabase;
  let fold: string;
  let younger: RegExp | undefined;
  beforeAll(async () => {
    database = await createDatabase();
    ({ fold } = await readCatalogue({
      query: (sql, values) => database.behindTheScenes(sql, values && [...values]),
    }));
    const [server] = await database.behindTheScenes<{ v: number }>(
      `select current_setting('server_version_num')::int as v`,
    );
    younger = unknownTo(server?.v ?? 0);
  });
  afterAll(() => database.drop());

  const bySql = async (normaliser: Normaliser, values: string[]) => {
    const rows = await database.behindTheScenes<{ v: string }>(
      `select ${normaliseSql(normaliser, 'v', fold)} as v from unnest($1::text[]) with ordinality as u(v, n) order by n`,
      [values],
    );
    return rows.map((row) => row.v);
  };

  // Postgres has no NUL in text, and lone surrogates are no Unicode.
  const text = fc.string({ unit: 'binary', maxLength: 40 }).map((s) => s.replaceAll('\0', '').toWellFormed());
  // Case that came after Unicode 10 depends on the ICU that Postgres was built with.
  const late =
    /[\u{1c80}-\u{1cbf}\u{a7af}-\u{a7ff}\u{2c2f}\u{2c5f}\u{16e40}-\u{16eff}\u{10570}-\u{105bf}\u{1df00}-\u{1dfff}\u{10d50}-\u{10d85}\u{1c89}]/u;

  test.each(normalisers)('of any text, as %s', async (normaliser) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          text.filter((s) => !late.test(s) && !younger?.test(s)),
          { minLength: 50, maxLength: 200 },
        ),
        async (values) => {
          expect(await bySql(normaliser, values)).toEqual(
            values.map((value) => normalise(normaliser, value)),
          );
        },
      ),
      { numRuns: 30 },
    );
  });

  test('of every letter that had case by Unicode 10', async () => {
    const all: string[] = [];
    for (let point = 1; point < 0x1_0000; point++) {
      const letter = String.fromCodePoint(point);
      if (letter.isWellFormed() && !late.test(letter)) all.push(`a${letter}B`);
    }
    expect(await bySql('mail', all)).toEqual(all.map((value) => normalise('mail', value)));
  });
});

/**
 * How identifiers are compared. Each normaliser is a pair: a function for values that come from people,
 * and an SQL expression for values that stand in columns. Both must say the same, so each is defined by
 * what both can do:
 *
 * - `mail`: NFKC, white space trimmed, lower case by Unicode's full mapping. Alike in Postgres and here for
 *   everything that has had case since Unicode 10 (later scripts depend on the ICU Postgres was built with), and a
 *   compatibility form since Unicode 14 (what came later depends on the version of Postgres).
 *   No folding of ß to ss and no dots or tags removed: two mailboxes may differ by these.
 * - `phone`: NFKC, digits only, with a leading + (00 is read as +). National numbers stay national.
 * - `exact`: as stored.
 */
import { type Normaliser } from './schema.js';

// After NFKC most exotic spaces are U+0020; these are what is left of Unicode's white space, and two
// invisible characters that mails are copied with.
const SPACE = ' \t\n\v\f\r\u0085\u1680\u180e\u2028\u2029\u200b\ufeff';
const trim = new RegExp(`^[${SPACE}]+|[${SPACE}]+$`, 'gu');

/** The normal form of a value; '' where nothing is left of it (and '' never matches anybody). */
export function normalise(normaliser: Normaliser, value: string): string {
  if (normaliser === 'exact') return value;
  const text = value.normalize('NFKC');
  if (normaliser === 'mail') return text.replace(trim, '').toLowerCase();
  const dialled = text.replace(/[^0-9+]/g, '').replace(/(?!^)\+/g, '');
  return dialled.replace(/^00/, '+');
}

/**
 * The same as SQL over a text expression. `fold` is the collation that lower() uses: ICU's root locale
 * where the server has it, because the database's own may lower ASCII only (see catalogue.ts).
 */
export function normaliseSql(normaliser: Normaliser, text: string, fold: string): string {
  if (normaliser === 'exact') return text;
  if (normaliser === 'mail') return `lower(btrim(normalize(${text}, NFKC), ${SPACE_SQL}) collate ${fold})`;
  const dialled = `regexp_replace(normalize(${text}, NFKC), '[^0-9+]', '', 'g')`;
  return `regexp_replace(regexp_replace(${dialled}, '(?!^)[+]', '', 'g'), '^00', '+')`;
}

// One literal that is the same in every index and query, with nothing invisible in it.
const SPACE_SQL = `U&'${SPACE.replace(/./gsu, (c) => `#${c.charCodeAt(0).toString(16).padStart(4, '0')}`)}' uescape '#'`;

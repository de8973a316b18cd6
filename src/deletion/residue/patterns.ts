/** What a person's identifiers look like where nobody said they would stand. */
import { type Subject } from '../../datamap/settings.js';
import { type DataMap } from '../../datamap/map.js';
import { normalise } from '../../datamap/normalise.js';
import { type Normaliser } from '../../datamap/schema.js';

export type IdentifierKind = 'mail' | 'uuid' | 'phone' | 'id';

/** One exact identifier, in lower case; phones as `+` and digits. */
export interface Pattern {
  kind: IdentifierKind;
  value: string;
  /** It is the key of the person's own row, and nothing else of theirs. */
  isKey: boolean;
}

/** Below this many characters an identifier that is no mail, uuid or phone would be found everywhere. */
const shortestId = 12;
const shortestMail = 6;
/** Fewer digits are a year, a price or an extension. */
const fewestDigits = 7;
const mostDigits = 20;
/** A longer value is nobody's identifier; searching needs to know how far a match can reach. */
const longest = 512;

export const uuidShape = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const pseudonymMail = /^deleted-[0-9a-f-]{36}@deleted\.invalid$/;

/**
 * The pattern of one value, or undefined where it is too short to be told from anything else: such keys are only
 * searched through the columns that the map names.
 */
export function patternOf(
  value: string,
  normaliser: Normaliser = 'exact',
  isKey = false,
): Pattern | undefined {
  // Postgres writes one address of a network as a network of one.
  const text = foldCase(value.trim()).replace(/^(?:([\d.]{7,15})\/32|([\da-f:.]+:[\da-f:.]*)\/128)$/, '$1$2');
  if (text.length > longest || pseudonymMail.test(text)) return undefined;
  if (normaliser === 'phone') return phone(text, isKey);
  if (uuidShape.test(text)) return { kind: 'uuid', value: text, isKey };
  if (/^[^\s@]+@[^\s@]+$/.test(text))
    return text.length >= shortestMail ? { kind: 'mail', value: text, isKey } : undefined;
  return text.length >= shortestId ? { kind: 'id', value: text, isKey } : undefined;
}

/** Every exact identifier of these subjects, once. */
export function patternsOf(map: DataMap, subjects: readonly Subject[]): Pattern[] {
  const found = new Map<string, Pattern>();
  const add = (pattern: Pattern | undefined): void => {
    if (!pattern) return;
    const id = `${pattern.kind}:${pattern.value}`;
    const known = found.get(id);
    // A key that identifies somebody in another way as well (the id in a column of its own) is no mere key.
    found.set(id, known ? { ...pattern, isKey: known.isKey && pattern.isKey } : pattern);
  };
  for (const { kind, key, identifiers } of subjects) {
    const { table, key: columns, identifiers: declared } = map.subjects[kind] ?? {};
    // A composite key is made of the keys of others; it is only searched where the map says.
    if (table && columns?.length === 1) add(patternOf(key, 'exact', true));
    for (const [name, value] of Object.entries(identifiers)) {
      if (value === null) continue;
      const isKey = table !== undefined && columns?.length === 1 && declared?.[name]?.column === columns[0];
      add(patternOf(value, declared?.[name]?.normalise, isKey));
    }
  }
  return [...found.values()];
}

function phone(value: string, isKey: boolean): Pattern | undefined {
  const dialled = normalise('phone', value);
  const digits = dialled.replace('+', '').length;
  return digits >= fewestDigits && digits <= mostDigits
    ? { kind: 'phone', value: dialled, isKey }
    : undefined;
}

/**
 * Lower case, one character at a time, and only where that keeps the number of bytes: İ, the Kelvin sign and the
 * like stay as they are, so that a search over bytes means the same as one over characters.
 */
export function foldCase(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text.toLowerCase();
  return Array.from(text, (char) => {
    const lower = char.toLowerCase();
    return Buffer.byteLength(lower) === Buffer.byteLength(char) && Array.from(lower).length === 1
      ? lower
      : char;
  }).join('');
}

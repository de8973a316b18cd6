/**
 * One spelling for every JSON value, so that a signature is over its meaning and not over its layout: RFC 8785
 * (JCS), narrowed to what signed documents hold. In JavaScript that RFC is JSON.stringify with sorted keys, so
 * what decides whether a proof holds is these few lines and not a package.
 *
 * Narrower than the RFC: numbers are whole and below 2^53, so that no reader's floating point matters, and lone
 * surrogates are refused, as I-JSON (RFC 7493) demands.
 */
import { DomainError } from '../errors.js';

/** The canonical text of a value. @throws DomainError `json.not_canonical` for what has no such form here */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean') return JSON.stringify(value);
  if (typeof value === 'string' && value.isWellFormed()) return JSON.stringify(value);
  if (Number.isSafeInteger(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && isPlain(value)) {
    // sort() compares UTF-16 code units, which is what RFC 8785 asks for. What is undefined is left out.
    const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
    const members = entries
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => `${canonicalJson(key)}:${canonicalJson(inner)}`);
    return `{${members.join(',')}}`;
  }
  throw new DomainError(
    'json.not_canonical',
    'A signed document holds a value that JSON cannot spell exactly.',
  );
}

const isPlain = (value: object): boolean => Object.getPrototypeOf(value) === Object.prototype;

/**
 * Reads JSON in which no object names a member twice: of two, one reader takes the first and another the last, and
 * both would call the signature good.
 * @throws DomainError `json.malformed`, `json.member_twice`
 */
export function parseOnce(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new DomainError('json.malformed', 'This is not JSON.', { cause: error });
  }
  if (namesTwice(text)) {
    throw new DomainError(
      'json.member_twice',
      'This JSON names a member twice, so readers may disagree on it.',
    );
  }
  return value;
}

// Of valid JSON: its strings, with the colon where they name a member, and its braces.
const TOKENS = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}]/g;

function namesTwice(text: string): boolean {
  const open: Set<string>[] = [];
  for (const [token, colon] of text.matchAll(TOKENS)) {
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (colon !== undefined) {
      const name = JSON.parse(token.slice(0, token.length - colon.length)) as string;
      const names = open.at(-1);
      if (names?.has(name)) return true;
      names?.add(name);
    }
  }
  return false;
}

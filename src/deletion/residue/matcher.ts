import { Literals } from './literals.js';
import { type Pattern } from './patterns.js';
import { Phones } from './phones.js';
import { spellings, Token } from './token.js';

/** Bytes around a match that decide whether it is a whole token. */
export const contextBytes = 64;

/** A place where a pattern may stand. */
export interface Candidate {
  pattern: number;
  from: number;
  to: number;
}

/**
 * Finds many identifiers in bytes as they are stored, UTF-8, without decoding them: what cannot be a match is
 * passed over, what may be one is decoded with its surroundings and judged by `Token`.
 */
export class ResidueMatcher {
  private readonly literals: Literals | undefined;
  /** literal → pattern */
  private readonly owners: number[] = [];
  private readonly phones: Phones | undefined;
  /** phone → pattern */
  private readonly phoneOwners: number[] = [];
  private readonly tokens: Token[];

  constructor(patterns: readonly Pattern[]) {
    this.tokens = patterns.map((pattern) => new Token(pattern));
    const texts: string[] = [];
    const numbers: string[] = [];
    patterns.forEach((pattern, index) => {
      if (pattern.kind === 'phone') {
        numbers.push(pattern.value.replace('+', ''));
        this.phoneOwners.push(index);
        return;
      }
      for (const text of spellingsOf(pattern)) {
        texts.push(text);
        this.owners.push(index);
      }
    });
    if (texts.length > 0) this.literals = new Literals(texts);
    if (numbers.length > 0) this.phones = new Phones(numbers);
  }

  /** Where in these bytes, which may hold many values, a pattern may stand; in order. */
  candidates(bytes: Buffer): Candidate[] {
    const found: Candidate[] = [];
    this.literals?.scan(bytes, 0, bytes.length, (literal, from, to) => {
      found.push({ pattern: this.owners[literal] as number, from, to });
    });
    this.phones?.scan(bytes, 0, bytes.length, (phone, from, to) => {
      found.push({ pattern: this.phoneOwners[phone] as number, from, to });
    });
    return found.sort((a, b) => a.from - b.from);
  }

  /** Whether a candidate is a whole token of the value that lies between these two. */
  isToken({ pattern, from, to }: Candidate, bytes: Buffer, valueFrom: number, valueTo: number): boolean {
    let first = Math.max(valueFrom, from - contextBytes);
    let last = Math.min(valueTo, to + contextBytes);
    // Not through the middle of a character, which would look like none.
    while (first < from && first > valueFrom && isInside(bytes[first])) first += 1;
    while (last > to && last < valueTo && isInside(bytes[last])) last -= 1;
    const text = (begin: number, end: number): string => bytes.toString('utf8', begin, end);
    return (this.tokens[pattern] as Token).isAt(text(first, from), text(from, to), text(to, last));
  }
}

const isInside = (byte: number | undefined): boolean => ((byte ?? 0) & 0xc0) === 0x80;

function spellingsOf({ kind, value }: Pattern): string[] {
  if (kind === 'uuid') return [value, value.replaceAll('-', '')];
  return Object.entries(spellings).reduce(
    (texts, [char, ways]) =>
      texts.flatMap((text) => (text.includes(char) ? ways.map((way) => text.replaceAll(char, way)) : [text])),
    [value],
  );
}

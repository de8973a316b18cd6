/**
 * What it means that a text holds an identifier: as a whole token, whatever its case, in plain text and in the
 * ways JSON and URLs write it.
 */
import { foldCase, type Pattern } from './patterns.js';

/** How `@` and `+` are written in text, in URLs, and in JSON by encoders that are afraid of HTML. */
export const spellings: Record<string, readonly string[]> = {
  '@': ['@', '%40', '\\u0040'],
  '+': ['+', '%2b', '\\u002b'],
};

/** What may stand between the digits of a phone number: blanks (also those that do not break), punctuation, dashes. */
export const betweenDigits = ' \t\n\v\f\r\u00a0\u2009\u202f().-/\u2010\u2011\u2012\u2013\u2014\u2015';
/** At most three of them. */
const gap = `[${betweenDigits.replace(/[-/]/g, '\\$&')}]{0,3}`;
const dialled = new RegExp(`(?:\\+|00|%2b|\\\\u002b)${gap}$`, 'u');

// All below are read against text in lower case.
const wordEnd = /[\p{L}\p{N}\p{M}]$/u;
const wordStart = /^[\p{L}\p{N}\p{M}]/u;
/** What looks like the end of a word and is none: `\n`, `\u0022`, `%3c`. */
const escapeEnd = /(?:\\[bfnrt]|\\u[0-9a-f]{4}|%[0-9a-f]{2})$/;
/** `x.maria@…` and `x-maria@…` are other mailboxes; `- maria@…` and `\n-maria@…` are this one. */
const mailboxEnd = /[\p{L}\p{N}\p{M}][._+-]$/u;
const escapedEnd = /(?:\\[bfnrt]|\\u[0-9a-f]{4}|%[0-9a-f]{2})[._+-]$/;
/** `…@example.com.br` is another domain; `…@example.com.` ends a sentence. */
const domainStart = /^[.-][\p{L}\p{N}\p{M}]/u;

/** Characters that the expressions above look at. */
const lookBehind = 8;
const lookAhead = 4;

/** Tells whether what stands at a certain place of a text is the identifier. */
export class Token {
  private readonly core: RegExp;

  constructor(private readonly pattern: Pattern) {
    this.core = new RegExp(`^(?:${coreOf(pattern)})$`, 'u');
  }

  /** @param before and `after`: the text around it, a few dozen characters where there are so many */
  isAt(before: string, body: string, after: string): boolean {
    if (!this.core.test(foldCase(body)) || !this.mayEnd(foldCase(after))) return false;
    const folded = foldCase(before);
    if (this.mayBegin(folded)) return true;
    const prefix = this.pattern.value.startsWith('+') && dialled.exec(folded);
    return prefix ? this.mayBegin(folded.slice(0, prefix.index)) : false;
  }

  private mayBegin(before: string): boolean {
    if (wordEnd.test(before)) return escapeEnd.test(before);
    return this.pattern.kind !== 'mail' || !mailboxEnd.test(before) || escapedEnd.test(before);
  }

  private mayEnd(after: string): boolean {
    return !wordStart.test(after) && !(this.pattern.kind === 'mail' && domainStart.test(after));
  }
}

/** Whether a text holds a name, its words spaced in any way. Only for a person's own rows: many share a name. */
export function holdsName(text: string, name: string): boolean {
  const words = foldCase(name.trim()).split(/\s+/).map(escaped);
  const core = new RegExp(words.join('\\s+'), 'gu');
  const folded = foldCase(text);
  for (const match of folded.matchAll(core)) {
    const before = folded.slice(Math.max(0, match.index - lookBehind), match.index);
    const end = match.index + match[0].length;
    const after = folded.slice(end, end + lookAhead);
    if ((!wordEnd.test(before) || escapeEnd.test(before)) && !wordStart.test(after)) return true;
  }
  return false;
}

function coreOf({ kind, value }: Pattern): string {
  if (kind === 'uuid') return `${value}|${value.replaceAll('-', '')}`;
  if (kind === 'phone') return Array.from(value.replace('+', '')).join(gap);
  return Array.from(value, (char) => {
    const ways = spellings[char];
    return ways ? `(?:${ways.map(escaped).join('|')})` : escaped(char);
  }).join('');
}

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');

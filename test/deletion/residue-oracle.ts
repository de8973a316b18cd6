import { type Pattern } from '../../src/deletion/residue/patterns.js';

/**
 * The search as one would explain it: try every character of the text, one after the other. Slow, and written apart
 * from what it checks.
 */
export function holds(text: string, { kind, value }: Pattern): boolean {
  const chars = Array.from(text, lower);
  return chars.some((_, at) => {
    const ends =
      kind === 'phone'
        ? phoneEnds(chars, at, value)
        : kind === 'uuid'
          ? [value, value.replaceAll('-', '')].flatMap((form) => literalEnds(chars, at, form))
          : literalEnds(chars, at, value);
    return ends.some((end) => isWhole(chars, at, end, kind === 'mail'));
  });
}

const lower = (char: string): string => {
  const folded = char.toLowerCase();
  const sameLength = new TextEncoder().encode(folded).length === new TextEncoder().encode(char).length;
  return sameLength && Array.from(folded).length === 1 ? folded : char;
};

const isWord = (char: string | undefined): boolean => char !== undefined && /[\p{L}\p{N}\p{M}]/u.test(char);

/** Where the value ends if it stands here, each of its `@` and `+` written in any of three ways. */
function literalEnds(chars: string[], at: number, value: string): number[] {
  let ends = [at];
  for (const char of value) {
    const ways = char === '@' ? ['@', '%40', '\\u0040'] : char === '+' ? ['+', '%2b', '\\u002b'] : [char];
    ends = ends.flatMap((end) =>
      ways
        .filter((way) => chars.slice(end, end + way.length).join('') === way)
        .map((way) => end + Array.from(way).length),
    );
  }
  return ends;
}

function phoneEnds(chars: string[], at: number, value: string): number[] {
  const digits = Array.from(value.replace('+', ''));
  const gaps = (end: number): number[] => {
    const places = [end];
    while (
      places.length < 4 &&
      /^[ \t\n\v\f\r\u00a0\u2009\u202f()./\u2010-\u2015-]$/.test(chars[places.at(-1) as number] ?? '')
    )
      places.push((places.at(-1) as number) + 1);
    return places;
  };
  const starts = [at];
  if (value.startsWith('+'))
    for (const way of ['+', '00', '%2b', '\\u002b'])
      if (chars.slice(at, at + way.length).join('') === way) starts.push(...gaps(at + way.length));
  let ends = starts;
  digits.forEach((digit, n) => {
    if (n > 0) ends = ends.flatMap(gaps);
    ends = [...new Set(ends)].filter((end) => chars[end] === digit).map((end) => end + 1);
  });
  return ends;
}

function isWhole(chars: string[], at: number, end: number, isMail: boolean): boolean {
  const before = (length: number): string => chars.slice(Math.max(0, at - length), at).join('');
  const isEscape = (text: string): boolean =>
    /\\[bfnrt]$/.test(text) || /\\u[0-9a-f]{4}$/.test(text) || /%[0-9a-f]{2}$/.test(text);
  if (isWord(chars[at - 1])) {
    if (!isEscape(before(8))) return false;
  } else if (isMail && '._+-'.includes(chars[at - 1] ?? '|') && isWord(chars[at - 2])) {
    if (!isEscape(before(8).slice(0, -1))) return false;
  }
  if (isWord(chars[end])) return false;
  return !(isMail && '.-'.includes(chars[end] ?? '|') && isWord(chars[end + 1]));
}

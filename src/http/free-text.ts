import { z } from 'zod';

/**
 * Turns the direction of what follows, so that a line reads as something else than it says (CVE-2021-42574). Mails and
 * pages find the direction of each paragraph by themselves.
 */
const turns = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Nothing that anybody would see: white space, format and control characters, fillers, the blank of Braille. */
const unseen = /[\p{White_Space}\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Default_Ignorable_Code_Point}\u2800]/gu;

/** What nobody means at the edge of a text. Not the selectors and tags that end an emoji (❤️, 🏴󠁧󠁢󠁥󠁮󠁧󠁿). */
const edge = /[\p{White_Space}\u00ad\u180e\u200b-\u200d\u2060-\u2064\ufeff]/u;

/**
 * What somebody typed, as it is kept: without white space or invisible characters around it, and without characters
 * that turn its direction. A text in which nothing can be seen is ''. Control characters stay, for a rule to refuse.
 */
export function plainText(typed: string): string {
  const text = typed.replace(turns, '');
  if (text.replace(unseen, '') === '') return '';
  // By hand, because an expression for the end would look at each run of blanks once per blank.
  const isEdge = (at: number) => edge.test(text.charAt(at));
  let [from, to] = [0, text.length];
  while (isEdge(from)) from++;
  while (isEdge(to - 1)) to--;
  return text.slice(from, to);
}

/** One line of text that somebody typed, of at most so many UTF-16 units: a name, a ground. */
export const Line = (longest: number) =>
  freeText(longest).regex(/^[^\p{Cc}\p{Zl}\p{Zp}]*$/u, 'must be one line of text');

/** One or more lines of text that somebody typed. */
export const Words = (longest: number) =>
  freeText(longest).regex(
    /^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]*$/,
    'no control characters',
  );

const freeText = (longest: number) => z.string().overwrite(plainText).min(1).max(longest);

/** Control and format characters that could forge a header or a line, or turn a name's reading direction around. */
const unsafe = /[\p{Cc}\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ufeff]+/gu;

const LONGEST_NAME = 120;
const names = new Set(['controller', 'workspace', 'part', 'label', 'contact', 'reference', 'law']);

/**
 * Parameters as they may stand in a letter: every string is one line without control characters, every name at
 * most 120 characters. So a workspace called "Acme\r\nBcc: …" cannot write a header, nor a paragraph of its own.
 */
export function plainParams<T>(params: T): T {
  return clean('', params) as T;
}

function clean(key: string, value: unknown): unknown {
  if (typeof value === 'string')
    return names.has(key) ? shorten(oneLine(value), LONGEST_NAME) : oneLine(value);
  if (Array.isArray(value)) return value.map((item: unknown) => clean(key, item));
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, clean(name, item)]));
  }
  return value;
}

const oneLine = (text: string): string =>
  text.toWellFormed().replace(unsafe, ' ').replace(/ {2,}/g, ' ').trim();

/** Cut between characters as people see them, so that an emoji or an accent is never halved. */
export function shorten(text: string, longest: number): string {
  if (text.length <= longest) return text;
  let cut = '';
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    if (cut.length + segment.length >= longest) break;
    cut += segment;
  }
  return `${cut.trimEnd()}…`;
}

import { en } from './en.js';
import { type Formats } from './formats.js';
import { type Frame, type Letter } from './letter.js';
import { type MailParams, type Template } from './params.js';

/** All words of one language. The type makes a language that lacks a letter a compile error. */
export interface Catalogue {
  frame: Frame;
  letters: { [T in Template]: (params: MailParams[T], say: Formats) => Letter };
}

/** A new language is one file beside `en.ts`, and its name here. Keys are BCP 47 tags in canonical case. */
const catalogues = { en } satisfies Record<string, Catalogue>;

const fallback = 'en';

export interface Language {
  catalogue: Catalogue;
  /** How dates and numbers are written: the reader's own region, in the language of the words. */
  locale: string;
}

/**
 * The words for a reader whose language column says `wanted`: the closest there is (`de-AT` is served by `de`),
 * else English. Anything that is no language tag is English too, so a stray value is never kept or shown.
 */
export function languageFor(
  wanted: string | null | undefined,
  available: Record<string, Catalogue> = catalogues,
): Language {
  const locale = canonical(wanted);
  // RFC 4647, 3.4: drop the last subtag until something fits.
  for (let tag = locale; tag; tag = tag.slice(0, Math.max(0, tag.lastIndexOf('-')))) {
    const catalogue = Object.hasOwn(available, tag) ? available[tag] : undefined;
    if (catalogue) return { catalogue, locale };
  }
  return { catalogue: catalogues[fallback], locale: fallback };
}

function canonical(wanted: string | null | undefined): string {
  try {
    const { language, script, region } = new Intl.Locale((wanted ?? '').trim().replaceAll('_', '-'));
    return [language, script, region].filter(Boolean).join('-');
  } catch {
    return '';
  }
}

import { type Language, languageFor } from './catalogue.js';
import { Formats } from './formats.js';
import { type Enclosure, type Letter } from './letter.js';
import { type MailParams, type Template } from './params.js';
import { plainParams, shorten } from './plain.js';
import { renderHtml } from './render-html.js';
import { renderText } from './render-text.js';

/** A letter as it is sent. */
export interface RenderedLetter {
  subject: string;
  text: string;
  html: string;
  /** BCP 47; the language of the words, in the reader's region. */
  language: string;
  enclosures: readonly Enclosure[];
}

/** A letter with all that stands around it, ready to be set as text or HTML. */
export interface Composition extends Letter {
  from: string;
  language: string;
  linkHint: string;
  footer: readonly string[];
}

const LONGEST_SUBJECT = 160;

/** Writes a letter in the reader's language, or the closest there is. */
export function render<T extends Template>(
  template: T,
  params: MailParams[T],
  wanted?: string | Language,
): RenderedLetter {
  const { catalogue, locale } = typeof wanted === 'object' ? wanted : languageFor(wanted);
  const safe = plainParams(params);
  const letter = catalogue.letters[template](safe, new Formats(locale));
  const composition: Composition = {
    ...letter,
    subject: shorten(letter.subject, LONGEST_SUBJECT),
    from: safe.controller,
    language: locale,
    linkHint: catalogue.frame.linkHint,
    footer: catalogue.frame.footer(safe),
  };
  return {
    subject: composition.subject,
    text: renderText(composition),
    html: renderHtml(composition),
    language: locale,
    enclosures: letter.enclosures ?? [],
  };
}

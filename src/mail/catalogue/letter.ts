import { type Asked } from './params.js';

/** One piece of a letter. Plain text and HTML are both made of these, so the words exist once. */
export type Block =
  | { type: 'paragraph'; text: string; link?: string }
  | { type: 'heading'; text: string }
  | { type: 'list'; items: readonly string[] }
  | { type: 'facts'; facts: readonly Fact[] }
  | { type: 'button'; label: string; url: string };

export type Fact = readonly [label: string, value: string];

/** A file that goes with a letter, as text. */
export interface Enclosure {
  name: string;
  mediaType: string;
  content: string;
}

/** A letter in words. `subject` is its headline too; `preview` is what inboxes show beside it. */
export interface Letter {
  subject: string;
  preview: string;
  blocks: readonly Block[];
  enclosures?: readonly Enclosure[];
}

/** What stands around every letter. */
export interface Frame {
  /** Above the bare address beneath a button. */
  linkHint: string;
  footer(about: { controller: string; contact?: string; asked: Asked }): readonly string[];
}

export const paragraph = (text: string): Block => ({ type: 'paragraph', text });
/** A paragraph that ends with an address of ours, which can be followed. */
export const leadingTo = (text: string, link: string): Block => ({ type: 'paragraph', text, link });
export const paragraphs = (texts: readonly string[]): Block[] => texts.map(paragraph);
/** For a page that the reader can open as they are: most have no way to show who they are, so no address of the API. */
export const button = (label: string, url: string): Block => ({ type: 'button', label, url });
export const heading = (text: string): Block => ({ type: 'heading', text });
export const list = (items: readonly string[]): Block => ({ type: 'list', items });

/** A heading with its paragraphs, or nothing at all when there are none. */
export const section = (title: string, texts: readonly string[]): Block[] =>
  texts.length ? [heading(title), ...paragraphs(texts)] : [];

/** Lines of label and value; a line without a value is left out. */
export const facts = (...lines: readonly (readonly [string, string | undefined])[]): Block => ({
  type: 'facts',
  facts: lines.filter((line): line is Fact => line[1] !== undefined),
});

/** Free text as the paragraphs that a letter takes: split at line breaks. */
export const paragraphsOf = (text: string): string[] =>
  text
    .split(/[\r\n\u2028\u2029]+/)
    .map((line) => line.trim())
    .filter((line) => line !== '');

import { escapeHtml } from './html-page.js';

/** Markup that is safe to send: made by `html` alone. */
export class Html {
  constructor(readonly text: string) {}
}

type Piece = Html | readonly Html[] | string | number | null | undefined | false;

/** A piece of a page. What is put into it is escaped, unless it is a piece itself; nothing stands for nothing. */
export const html = (literals: TemplateStringsArray, ...pieces: readonly Piece[]): Html =>
  new Html(literals.map((literal, n) => literal + markupOf(pieces[n])).join(''));

function markupOf(piece: Piece): string {
  if (piece instanceof Html) return piece.text;
  if (typeof piece === 'string' || typeof piece === 'number') return escapeHtml(String(piece));
  return piece ? piece.map(({ text }) => text).join('') : '';
}

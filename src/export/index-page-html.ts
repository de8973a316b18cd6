/** Markup that is safe to place as it is. */
export class Html {
  constructor(readonly text: string) {}
}

type Single = Html | string | number | false | null | undefined;
export type Placed = Single | readonly Placed[];

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/**
 * Control characters have no business on a page, and the invisible ones that turn the reading direction
 * could make text around them lie: they are shown as what they are.
 */
const unseen = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

const escaped = (text: string): string =>
  text
    .toWellFormed()
    .replace(unseen, '\ufffd')
    .replace(/[&<>"']/g, (char) => entities[char] ?? char);

const placed = (value: Placed): string => {
  if (value instanceof Html) return value.text;
  if (typeof value === 'string' || typeof value === 'number') return escaped(`${value}`);
  return value ? value.map(placed).join('') : '';
};

/** Everything placed into the template is escaped, except what `html` itself made. */
export function html(parts: TemplateStringsArray, ...values: Placed[]): Html {
  return new Html(parts.reduce((text, part, n) => text + placed(values[n - 1]) + part));
}

import { type Block } from './letter.js';
import { type Composition } from './render.js';
import { darkStyle, light, type Part } from './style.js';

/**
 * The letter as one HTML page that mail clients can show: styles inline, nothing loaded from anywhere (so that
 * opening it tells nobody), light or dark as the reader has it. Every block finds its own reading direction.
 */
export function renderHtml({
  subject,
  preview,
  blocks,
  from,
  language,
  linkHint,
  footer,
}: Composition): string {
  const body = blocks.map((block) => blockHtml(block, linkHint)).join('\n      ');
  const foot = footer.map((line) => element('p', 'foot', escapeHtml(line))).join('\n      ');
  return `<!doctype html>
<html lang="${escapeHtml(language)}" dir="auto">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <meta name="supported-color-schemes" content="light dark">
  <meta name="referrer" content="no-referrer">
  <meta name="x-apple-disable-message-reformatting">
  <title>${escapeHtml(subject)}</title>
  <style>${darkStyle}</style>
</head>
<body class="page" style="${light.page}">
  <div style="display:none;max-height:0;overflow:hidden" aria-hidden="true">${escapeHtml(preview)}</div>
  <div style="${light.column}" role="article" aria-roledescription="email">
    ${element('p', 'from', escapeHtml(from))}
    <div class="card" style="${light.card}">
      ${element('h1', 'title', escapeHtml(subject))}
      ${body}
    </div>
    <div style="${light.footer}">
      ${foot}
    </div>
  </div>
</body>
</html>
`;
}

function blockHtml(block: Block, linkHint: string): string {
  switch (block.type) {
    case 'paragraph':
      return element('p', 'text', paragraphHtml(block));
    case 'heading':
      return element('h2', 'heading', escapeHtml(block.text));
    case 'list':
      return element(
        'ul',
        'list',
        block.items.map((item) => element('li', 'item', escapeHtml(item))).join(''),
      );
    case 'facts':
      return factsHtml(block.facts);
    case 'button':
      return buttonHtml(block, linkHint);
  }
}

function factsHtml(facts: readonly (readonly [string, string])[]): string {
  const rows = facts.map(
    ([label, value]) =>
      `<tr>${element('th', 'label', escapeHtml(label), ' scope="row"')}${element('td', 'value', escapeHtml(value))}</tr>`,
  );
  return `<table style="${light.facts}">${rows.join('')}</table>`;
}

const paragraphHtml = ({ text, link }: { text: string; link?: string }): string =>
  link === undefined ? escapeHtml(text) : `${escapeHtml(text)} ${linkHtml(link)}`;

function linkHtml(url: string): string {
  const href = escapeHtml(webAddress(url));
  return element('a', 'link', href, ` href="${href}" rel="noreferrer"`, 'ltr');
}

function buttonHtml({ label, url }: { label: string; url: string }, linkHint: string): string {
  const href = escapeHtml(webAddress(url));
  return `<p style="${light.action}">${element('a', 'button', escapeHtml(label), ` href="${href}" rel="noreferrer"`)}</p>
      ${element('p', 'hint', `${escapeHtml(linkHint)}<br>${linkHtml(url)}`)}`;
}

const element = (tag: string, part: Part, content: string, attributes = '', direction = 'auto'): string =>
  `<${tag}${attributes} dir="${direction}" class="${part}" style="${light[part]}">${content}</${tag}>`;

/** Our own links only ever lead to the web; anything else is a mistake of the caller. */
function webAddress(text: string): string {
  const { protocol, href } = new URL(text);
  if (protocol !== 'https:' && protocol !== 'http:')
    throw new TypeError('A link in a mail must be a web address.');
  return href;
}

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (char) => entities[char] ?? char);

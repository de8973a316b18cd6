import { describe, expect, test } from '@jest/globals';
import { acceptedType } from '../../src/http/accepted-type.js';
import { html } from '../../src/http/html.js';
import { layout } from '../../src/http/page-layout.js';

describe('what a caller asks to read', () => {
  test.each([
    [undefined, 'any'],
    ['*/*', 'any'],
    ['image/png', 'any'],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'html'],
    ['application/json', 'json'],
    ['application/problem+json', 'json'],
    ['Application/JSON, text/plain, */*', 'json'],
    ['text/html;q=0.4, application/json;q=0.5', 'json'],
    ['text/html, application/json', 'html'],
    ['application/json, text/html;q=0', 'json'],
    ['text/html;q=nonsense', 'any'],
  ])('%s is read as %s', (accept, type) => {
    expect(acceptedType(accept)).toBe(type);
  });
});

describe('a piece of a page', () => {
  test('escapes what is put into it, and keeps pieces as they are', () => {
    const name = `<b onclick="x('&')">`;
    const piece = html`<p title="${name}">
      ${html`<i>${name}</i>`}${[html`<u>${1}</u>`]}${false}${null}${undefined}
    </p>`;
    const safe = '&#60;b onclick=&#34;x(&#39;&#38;&#39;)&#34;&#62;';
    expect(piece.text.replaceAll(/\s*\n\s*/g, '')).toBe(`<p title="${safe}"><i>${safe}</i><u>1</u></p>`);
  });

  test('shows a zero and an empty text for what they are', () => {
    expect(html`${0}|${''}`.text).toBe('0|');
  });
});

test('a title cannot leave its place', () => {
  const page = layout({ title: '</title><script>', from: '</p><script>', body: html`<p>x</p>` });
  expect(page).not.toContain('<script');
});

import { html, Html } from './html.js';

/** One of the few pages that people without an account see: one card, one thing to do. */
export interface Page {
  title: string;
  /** Who speaks: the controller's name, above the card. */
  from?: string | undefined;
  body: Html;
  /** Below the card, small. */
  foot?: Html | undefined;
}

/** Everything in one file and without script, so that it works in any browser, and for any reader. */
export function layout({ title, from, body, foot }: Page): string {
  const page = html`<!doctype html>
    <html lang="en" dir="ltr">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        <style>
          ${new Html(css)}
        </style>
      </head>
      <body>
        <div class="column">
          ${from !== undefined && html`<p class="from"><bdi>${from}</bdi></p>`}
          <main class="card">
            <h1>${title}</h1>
            ${body}
          </main>
          ${foot && html`<footer>${foot}</footer>`}
        </div>
      </body>
    </html> `;
  return page.text;
}

/** Label and value, side by side where there is room. */
export const facts = (rows: readonly (readonly [label: string, value: Html | string])[]): Html =>
  html`<dl>
    ${rows.map(
      ([label, value]) =>
        html`<div>
          <dt>${label}</dt>
          <dd><bdi>${value}</bdi></dd>
        </div>`,
    )}
  </dl>`;

/** A moment that programs can read too. `text` is how a person reads it. */
export const time = (at: Date | string, text: string): Html =>
  html`<time datetime="${typeof at === 'string' ? at : at.toISOString()}">${text}</time>`;

/** The mails' colours (mail/catalogue/style.ts); text on its ground has a contrast of 4.5:1 or more. */
const css = `
:root{color-scheme:light dark;--ground:#f4f3ef;--card:#fff;--line:#e2e0d8;--ink:#23261f;--strong:#14170f;--soft:#5d6156;--act:#1f4d3f;--on-act:#fff;--act-hover:#17392f;--warn:#8a2b1d}
@media (prefers-color-scheme:dark){:root{--ground:#151712;--card:#1e211a;--line:#34382e;--ink:#e6e7e0;--strong:#f6f7f1;--soft:#a9ad9f;--act:#a8d8c3;--on-act:#10231b;--act-hover:#c3e6d6;--warn:#f0a596}}
*{box-sizing:border-box}
body{margin:0;padding:clamp(20px,6vh,72px) 16px 48px;background:var(--ground);color:var(--ink);font:16px/1.55 ui-sans-serif,system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif;-webkit-text-size-adjust:100%}
.column{max-width:592px;margin-inline:auto}
.from{margin:0 0 14px;padding-inline:4px;font-size:15px;font-weight:600;overflow-wrap:anywhere}
.card{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:36px 36px 28px}
h1{margin:0 0 14px;color:var(--strong);font-size:26px;line-height:1.25;font-weight:650;letter-spacing:-.01em;overflow-wrap:anywhere;text-wrap:balance}
h2{margin:32px 0 8px;color:var(--strong);font-size:16px;line-height:1.4;font-weight:650}
p{margin:0 0 14px;overflow-wrap:anywhere;text-wrap:pretty}
a{color:var(--act);text-underline-offset:2px;overflow-wrap:anywhere}
ul{margin:0 0 14px;padding-inline-start:20px}
li{margin:0 0 4px;overflow-wrap:anywhere}
dl{margin:0 0 20px}
dl div{display:grid;grid-template-columns:minmax(7.5em,34%) 1fr;column-gap:16px;padding:8px 0;border-block-start:1px solid var(--line)}
dt{color:var(--soft);font-size:15px;overflow-wrap:anywhere}
dd{margin:0;font-size:15px;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.counts div{grid-template-columns:1fr auto}
.counts dt{color:inherit}
.soft{color:var(--soft);font-size:14px;line-height:1.5}
form{margin:24px 0 14px}
button{appearance:none;border:0;border-radius:9px;padding:13px 26px;background:var(--act);color:var(--on-act);font:inherit;font-weight:600;cursor:pointer}
button:hover{background:var(--act-hover)}
button.plain{padding:10px 20px;background:transparent;color:var(--warn);box-shadow:inset 0 0 0 1px currentColor}
button.plain:hover{background:transparent;box-shadow:inset 0 0 0 2px currentColor}
:focus-visible{outline:3px solid var(--act);outline-offset:3px;border-radius:6px}
button:focus-visible{border-radius:9px}
details{margin:28px 0 4px;border-block-start:1px solid var(--line);padding-block-start:16px}
summary{cursor:pointer;margin-block-end:10px;width:fit-content;color:var(--soft);font-size:15px}
details form{margin-block-end:8px}
.timeline{list-style:none;margin:0 0 14px;padding:0}
.timeline li{position:relative;margin:0;padding-block-end:16px;padding-inline-start:24px}
.timeline li:last-child{padding-block-end:0}
.timeline li::before{content:'';position:absolute;inset-block-start:.5em;inset-inline-start:1px;width:9px;height:9px;border-radius:50%;background:var(--line);box-shadow:0 0 0 1px var(--soft)}
.timeline li:not(:last-child)::after{content:'';position:absolute;inset-block:1.35em 0;inset-inline-start:5px;width:1px;background:var(--line)}
.timeline li:last-child::before{background:var(--act);box-shadow:0 0 0 1px var(--act)}
.timeline time{display:block;color:var(--soft);font-size:14px}
footer{padding:18px 4px 0;color:var(--soft);font-size:13px;line-height:1.5}
footer p{margin:0 0 6px}
@media (max-width:480px){.card{padding:26px 22px 20px}h1{font-size:23px}form button{width:100%}dl:not(.counts) div{grid-template-columns:1fr}}
@media (forced-colors:active){button{border:1px solid}.timeline li::before{background:CanvasText}}
@media print{body{background:none;padding:0}.card{border:0;padding:0}form,details{display:none}}
`;

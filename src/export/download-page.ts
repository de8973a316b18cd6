import { html, type Html } from '../http/html.js';
import { facts, layout, type Page, time } from '../http/page-layout.js';
import { type ProblemPages } from '../http/page-problem.js';
import { Formats } from '../mail/catalogue/formats.js';
import { type PackageFacts } from './package-facts.js';

const number = new Intl.NumberFormat('en-GB');

/** Says what would be downloaded, with one button. Nothing happens before it is pressed. */
export function downloadPage(its: PackageFacts): string {
  const found = its.contents.filter(({ rows }) => rows > 0);
  const empty = its.contents.filter(({ rows }) => rows === 0);
  const page: Page = {
    title:
      its.scope === 'workspace' ? 'The copy of your workspace is ready' : 'The copy of your data is ready',
    from: its.controllers[0],
    body: html` <p>
        It is one ZIP file. Unpack it and open <b>index.html</b> to read it; the other files are for taking
        the data elsewhere.
      </p>
      ${facts([
        ['What it covers', scopes[its.scope]],
        ...(its.controllers.length > 1 ? [['Who holds the data', its.controllers.join(', ')] as const] : []),
        ...(its.region ? [['Where it is kept', its.region.name] as const] : []),
        ['Put together', moment(its.builtAt)],
        ['Can be downloaded until', moment(its.expiresAt)],
        ['Size', size(its.bytes)],
      ])}
      <form method="post"><button>Download (${size(its.bytes)})</button></form>
      <p class="soft">
        Whoever has this link can download the file, so please keep it to yourself, and mind where you save
        it.
      </p>
      <h2>What is in it</h2>
      ${found.length === 0 ? html`<p>No records were found.</p>` : counts(found)}
      ${empty.length > 0 && html`<p class="soft">Looked for, and nothing found: ${list(empty)}.</p>`}
      ${notes(its)} ${leftOut(its.leftOut)}`,
    foot: html`<p>Reference: ${its.requestId}</p>`,
  };
  return layout(page);
}

const scopes: Record<PackageFacts['scope'], string> = {
  account: 'Your account, and what you left in the workspaces you are or were in',
  person: 'What this workspace holds about you',
  workspace: 'Everything in the workspace',
};

const counts = (rows: PackageFacts['contents']): Html =>
  html`<dl class="counts">
    ${rows.map(
      (row) =>
        html`<div>
          <dt><bdi>${row.title}</bdi></dt>
          <dd>${number.format(row.rows)}</dd>
        </div>`,
    )}
  </dl>`;

const list = (rows: PackageFacts['contents']): string => rows.map(({ title }) => title).join(', ');

function notes({ sealedValues, missingFiles }: PackageFacts): Html {
  const values = sealedValues === 1 ? '1 value is' : `${number.format(sealedValues)} values are`;
  const files = missingFiles === 1 ? '1 file' : `${number.format(missingFiles)} files`;
  return html` ${sealedValues > 0 && html`<p>${values} stored encrypted. They are in the file as they are stored, and cannot be read without a key that the file does not hold.</p>`}
  ${missingFiles > 0 && html`<p>${files} could no longer be found where the records say. The manifest in the package names them.</p>`}`;
}

const reasons: Record<PackageFacts['leftOut'][number]['reason'], string> = {
  refused: 'this part was refused',
  not_decided_in_time: 'those who decide about it did not answer in time',
};

const leftOut = (parts: PackageFacts['leftOut']): Html | false =>
  parts.length > 0 &&
  html`<h2>What is not in it</h2>
    <ul>
      ${parts.map((part) => html`<li><bdi>${part.name ?? `Workspace ${part.workspaceId}`}</bdi>: ${reasons[part.reason]}</li>`)}
    </ul>
    <p class="soft">You can ask about these parts, or object; the mail that brought you here says how.</p>`;

const say = new Formats('en');

/** In UTC: who opens a link has no zone that we know. */
const moment = (at: string): Html => time(at, say.moment({ at, zone: 'UTC' }));

const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;

/** `1.4 MB`: decimal units, as the browser that saves the file will show. */
function size(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  const unit = { style: 'unit', unit: units[power], unitDisplay: power === 0 ? 'long' : 'short' } as const;
  return new Intl.NumberFormat('en-GB', { ...unit, maximumFractionDigits: 1 }).format(bytes / 1000 ** power);
}

const again = html`<p>
  Sign in where you asked for your data and ask for a new link there. If you asked by mail, answer the mail
  that brought you here.
</p>`;

/** What happened to a link that leads nowhere (any more), and what to do. */
export const downloadProblems: ProblemPages = {
  'link.not_found': () => ({
    title: 'This link is not one of ours',
    body: html`<p>
        Part of it may be missing: mail programs sometimes break long links over two lines. Open it from the
        mail again, or copy it whole.
      </p>
      <p class="soft">If it still does not work, ask for a new link where you asked for your data.</p>`,
  }),
  'link.revoked': () => ({
    title: 'This link was withdrawn',
    body: html`<p>
        It no longer leads to a download. Somebody who may do so ended it, for instance because a newer one
        was sent.
      </p>
      ${again}`,
  }),
  'link.expired': () => ({
    title: 'This link has ended',
    body: html`<p>
        A copy of personal data is not left lying about: after a few days the link stops and the file is
        removed. Nothing else was changed or deleted.
      </p>
      ${again}`,
  }),
  'object.link_expired': () => ({
    title: 'This download took a break too long',
    body: html`<p>
      The address of a download lasts a few minutes. Open the link in your mail again and press the button
      once more.
    </p>`,
  }),
  'object.link_invalid': () => ({
    title: 'This address is not valid',
    body: html`<p>Open the link in your mail again and press the button there.</p>`,
  }),
  'object.not_found': () => ({
    title: 'This file is no longer here',
    body: html`<p>It was removed after its time. Nothing else was changed or deleted.</p>
      ${again}`,
  }),
};

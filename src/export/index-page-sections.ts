import { html, type Html, type Placed } from './index-page-html.js';
import { bytes, count, plural, readable, relative, sealedBytes, spoken } from './index-page-wording.js';
import {
  type AttachedFile,
  type DataFile,
  type LeftOutPart,
  type LegalInformation,
  type Manifest,
  type MissingFile,
  type WorkspaceTouched,
} from './manifest.js';
import { type Row } from './package-writer-samples.js';

/** A page with ten thousand lines helps nobody; the folder and the manifest have them all, and the page says so. */
const filesShown = 100;

export function collectionCards(
  data: readonly DataFile[],
  samples: ReadonlyMap<string, readonly Row[]>,
): Html {
  if (data.length === 0) return html`<p class="none">There is no data in this package.</p>`;
  // What holds nothing comes last, in one line each.
  const [full, empty] = [data.filter(({ rows }) => rows > 0), data.filter(({ rows }) => rows === 0)];
  return html`${full.map((file) => collectionCard(file, samples.get(file.path) ?? []))}
  ${empty.length > 0 && html`<p class="quiet">Nothing was found in: ${empty.map((file, n) => html`${n > 0 && ', '}<a href="${relative(file.path)}" dir="auto">${file.title}</a>`)}.</p>`}`;
}

function collectionCard(file: DataFile, rows: readonly Row[]): Html {
  const shown = rows.length < file.rows && rows.length > 0;
  return html`<article class="card">
    <div class="about">
      <div class="title">
        <h3 dir="auto">${file.title}</h3>
        <span class="count">${count(file.rows)} ${plural(file.rows, 'record', 'records')}</span>
      </div>
      <p dir="auto">${file.purpose}</p>
      <p class="quiet">
        <a href="${relative(file.path)}">${file.path}</a
        >${shown && html`, of which the first ${count(rows.length)} are shown`}
      </p>
    </div>
    ${rows.length > 0 && table(file, rows)}
  </article> `;
}

function table(file: DataFile, rows: readonly Row[]): Html {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return html`<div class="scroll" tabindex="0" role="region" aria-label="First rows of ${file.title}">
    <table>
      <thead>
        <tr>
          ${columns.map((name) => html`<th scope="col">${spoken(name)}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              ${columns.map((name) => cell(row[name], file.sealedColumns?.includes(name) ?? false))}
            </tr> `,
        )}
      </tbody>
    </table>
  </div>`;
}

function cell(value: unknown, sealed: boolean): Html {
  if (value === null || value === undefined) return html`<td><span class="none">none</span></td>`;
  if (value === '') return html`<td><span class="none">empty</span></td>`;
  if (sealed) return html`<td><span class="sealed">sealed, ${bytes(sealedBytes(value))}</span></td>`;
  const text = readable(value);
  // Dates, ids and addresses read badly when broken; sentences need room.
  const width = /^\S{1,40}$/.test(text) ? 'one-line' : text.length > 60 ? 'wide' : '';
  return html`<td dir="auto" class="${width}">${text}</td>`;
}

export const filesSection = ({ files, missingFiles }: Manifest): Html =>
  html`<section id="files" aria-labelledby="files-title">
    <h2 id="files-title">Files</h2>
    ${files.length > 0 && fileTable(files)} ${missingFiles.length > 0 && missing(missingFiles)}
  </section> `;

const fileTable = (files: readonly AttachedFile[]): Html =>
  html`<div class="card">
      <div class="scroll first" tabindex="0" role="region" aria-label="Files">
        <table>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">From</th>
              <th scope="col" class="figure">Size</th>
            </tr>
          </thead>
          <tbody>
            ${files.slice(0, filesShown).map(
              (file) =>
                html`<tr>
                  <td><a href="${relative(file.path)}" dir="auto">${file.name ?? file.path}</a></td>
                  <td>${spoken(file.collection)}</td>
                  <td class="figure">${bytes(file.bytes)}</td>
                </tr> `,
            )}
          </tbody>
        </table>
      </div>
    </div>
    ${files.length > filesShown && html`<p class="quiet">And ${count(files.length - filesShown)} more in the folder <code>files</code>.</p>`}`;

const missing = (files: readonly MissingFile[]): Html =>
  html`<div class="note">
    <p>
      ${plural(files.length, 'One file is', `${count(files.length)} files are`)} named in the data but no
      longer stored, so there is nothing to give you:
    </p>
    <ul>
      ${files.slice(0, filesShown).map((file) => html`<li><bdi>${file.name ?? 'A file without a name'}</bdi>, from ${spoken(file.collection)}</li>`)}
    </ul>
    ${files.length > filesShown && html`<p>The others are listed in <a href="manifest.json">manifest.json</a>.</p>`}
  </div>`;

const reasons: Record<LeftOutPart['reason'], string> = {
  refused:
    'was refused by those who decide there; you received the reason, and how to object to it, by mail.',
  not_decided_in_time:
    'was not decided by those who must approve it before this package was due. You may ask them, or the supervisory authority, for it.',
};

export const leftOutSection = (leftOut: readonly LeftOutPart[]): Html =>
  html`<section id="left-out" aria-labelledby="left-out-title">
    <h2 id="left-out-title">What is not in here, and why</h2>
    <div class="note">
      <ul>
        ${leftOut.map(
          ({ workspaceId, name, reason }) =>
            html`<li>
              The part of <strong><bdi>${name ?? workspaceId}</bdi></strong> ${reasons[reason]}
            </li> `,
        )}
      </ul>
    </div>
  </section> `;

export const workspacesSection = (workspaces: readonly WorkspaceTouched[]): Html =>
  html`<section id="workspaces" aria-labelledby="workspaces-title">
    <h2 id="workspaces-title">Workspaces, and their regions</h2>
    <div class="card">
      <div class="about">
        <p>
          An account belongs to no region of its own. Each workspace that holds something of yours is assigned
          to one.
        </p>
      </div>
      ${facts(workspaces.map(({ id, name, region }) => [name ?? id, region?.name ?? 'none'] as const))}
    </div>
  </section> `;

export const sealedSection = (sealed: number): Html =>
  html`<section id="sealed" aria-labelledby="sealed-title">
    <h2 id="sealed-title">Sealed values</h2>
    <p>
      ${plural(sealed, 'One value', `${count(sealed)} values`)} in this package ${plural(sealed, 'is', 'are')}
      <span class="sealed">sealed</span>: encrypted before being stored, with a key that is not stored beside
      the data. The data files hold ${plural(sealed, 'it', 'them')} exactly as stored. Whoever has the key can
      open ${plural(sealed, 'it', 'them')}; without it nobody can.
    </p>
  </section> `;

export const legalSection = ({ legalInformation }: Manifest): Html =>
  html`<section id="legal" aria-labelledby="legal-title">
    <h2 id="legal-title">Who is responsible, and your rights</h2>
    ${legalInformation.map(controllerCard)}
  </section> `;

const controllerCard = ({ controller, items }: LegalInformation): Html =>
  html`<article class="card">
    <div class="about"><h3 dir="auto">${controller.name}</h3></div>
    ${facts([
      ['Contact', controller.contact],
      ['Data protection officer', controller.dpo],
      ['Established in', controller.establishment],
      ['Complaints to', controller.authority],
    ])}
    ${items.map(
      ({ title, article, text }) =>
        html`<div class="legal">
          <div class="title">
            <h4 dir="auto">${title}</h4>
            ${article !== null && html`<span class="count">${article}</span>`}
          </div>
          ${text.map((paragraph) => html`<p dir="auto">${paragraph}</p> `)}
        </div> `,
    )}
  </article> `;

function facts(list: readonly (readonly [string, Placed])[]): Html | false {
  const given = list.filter(([, value]) => value !== undefined);
  return (
    given.length > 0 &&
    html`<dl class="facts">
      ${given.map(
        ([name, value]) =>
          html`<dt dir="auto">${name}</dt>
            <dd dir="auto">${value}</dd> `,
      )}
    </dl>`
  );
}

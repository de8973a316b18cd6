import { Html, html } from './index-page-html.js';
import {
  collectionCards,
  filesSection,
  legalSection,
  leftOutSection,
  sealedSection,
  workspacesSection,
} from './index-page-sections.js';
import { bytes, count, day, plural } from './index-page-wording.js';
import { indexPageStyle } from './index-page-style.js';
import { type Manifest } from './manifest.js';
import { type Row } from './package-writer-samples.js';

export interface PackageContents {
  manifest: Manifest;
  /** The first rows of each data file, by its path in the package. */
  samples: ReadonlyMap<string, readonly Row[]>;
}

/** `index.html`: the package for a person, readable without network, script or any other file. */
export function indexPage(contents: PackageContents): string {
  const { manifest, samples } = contents;
  const names = namesIn(manifest);
  const title = titleOf(manifest, names);
  const touched = manifest.workspaces ?? [];
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; base-uri 'none'; form-action 'none'"
        />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <meta name="robots" content="noindex" />
        <title>${title}</title>
        <style>
          ${style}
        </style>
      </head>
      <body>
        <header>
          <p class="eyebrow"><bdi>${names.host}</bdi></p>
          <h1>${title}</h1>
          <p class="lead">${leadOf(manifest, names)}</p>
          ${figures(manifest)}
          <nav aria-label="On this page">
            <ul>
              <li><a href="#data">The data</a></li>
              ${hasFiles(manifest) && html`<li><a href="#files">Files</a></li>`}
              ${touched.length > 0 && html`<li><a href="#workspaces">Workspaces</a></li>`}
              ${manifest.leftOut.length > 0 && html`<li><a href="#left-out">What is not in here</a></li>`}
              ${manifest.sealedValues > 0 && html`<li><a href="#sealed">Sealed values</a></li>`}
              <li><a href="#legal">Who is responsible, and your rights</a></li>
            </ul>
          </nav>
        </header>
        <main>
          <section id="data" aria-labelledby="data-title">
            <h2 id="data-title">The data</h2>
            <p>
              Each collection below is a file in the folder <code>data</code>, with everything in it. Here you
              see its first rows.
            </p>
            ${collectionCards(manifest.data, samples)}
          </section>
          ${hasFiles(manifest) && filesSection(manifest)} ${touched.length > 0 && workspacesSection(touched)}
          ${manifest.leftOut.length > 0 && leftOutSection(manifest.leftOut)}
          ${manifest.sealedValues > 0 && sealedSection(manifest.sealedValues)} ${legalSection(manifest)}
        </main>
        <footer>
          <p>
            Package <code>${manifest.id}</code> for request
            <code>${manifest.requestId}</code
            >${manifest.region && html`, from the region ${manifest.region.name}`}.
            <a href="manifest.json">manifest.json</a> lists every file with its size and SHA-256 fingerprint,
            so that anybody can check that nothing was changed. Nothing on this page is fetched from anywhere;
            it tells nobody that you opened it.
          </p>
        </footer>
      </body>
    </html> `.text;
}

const style = new Html(indexPageStyle);

interface Names {
  host: string;
  workspace: string;
}

/** Who speaks on this page: the controllers, as their legal information names them. */
function namesIn({ legalInformation, workspaceId }: Manifest): Names {
  const host = legalInformation.find((information) => information.workspaceId === undefined);
  const workspace = legalInformation.find((information) => information.workspaceId === workspaceId);
  return {
    host: host?.controller.name ?? 'this service',
    workspace: workspace?.controller.name ?? 'this workspace',
  };
}

const titleOf = ({ scope }: Manifest, { host, workspace }: Names): string =>
  ({
    account: `Your data at ${host}`,
    person: `Your data in ${workspace}`,
    workspace: `The data of ${workspace}`,
  })[scope];

const leadOf = ({ scope, generatedAt, leftOut }: Manifest, { host, workspace }: Names): Html => {
  const all = leftOut.length > 0 ? 'what' : 'all that';
  const whose = {
    account: html`This is a copy of ${all} <bdi>${host}</bdi> holds about you`,
    person: html`This is a copy of ${all} the workspace <bdi>${workspace}</bdi> holds about you`,
    workspace: html`This is a copy of ${all} the workspace <bdi>${workspace}</bdi> keeps here`,
  }[scope];
  const moment = html`<time datetime="${generatedAt}">${day(generatedAt)}</time>`;
  return html`${whose}, as it was on ${moment}. It is yours to keep, to read, and to take elsewhere.`;
};

const hasFiles = ({ files, missingFiles }: Manifest): boolean => files.length + missingFiles.length > 0;

function figures({ data, files }: Manifest): Html {
  const rows = data.reduce((sum, file) => sum + file.rows, 0);
  const size = [...data, ...files].reduce((sum, file) => sum + file.bytes, 0);
  return html`<dl class="figures">
    <div>
      <dt>${plural(data.length, 'Collection', 'Collections')}</dt>
      <dd>${count(data.length)}</dd>
    </div>
    <div>
      <dt>${plural(rows, 'Record', 'Records')}</dt>
      <dd>${count(rows)}</dd>
    </div>
    <div>
      <dt>${plural(files.length, 'File', 'Files')}</dt>
      <dd>${count(files.length)}</dd>
    </div>
    <div>
      <dt>Size, unpacked</dt>
      <dd>${bytes(size)}</dd>
    </div>
  </dl>`;
}

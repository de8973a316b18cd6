import yauzl from 'yauzl';
import { type TestDesk } from '../support/desk.js';

interface DataFile {
  collection: string;
  path: string;
  rows: number;
}

/** A package as its reader has it: the manifest, and the rows of a collection. */
export interface OpenedPackage {
  manifest: {
    data: DataFile[];
    leftOut: { workspaceId: string; reason: string }[];
    [field: string]: unknown;
  };
  rows(collection: string): Record<string, unknown>[];
  /** Everything in it, as one text. */
  text: string;
}

/** Follows a link from a mail to the ZIP, and opens it. */
export async function download(desk: TestDesk, token: string): Promise<OpenedPackage> {
  const sentOn = await desk.anybody().post(`/d/${token}`);
  if (sentOn.status !== 303) throw new Error(`the link answered ${sentOn.status}`);
  const answer = await fetch(sentOn.headers.get('location') ?? '');
  const files = await unzip(Buffer.from(await answer.arrayBuffer()));
  const read = (path: string): string => files.get(path)?.toString() ?? '';
  const manifest = JSON.parse(read('manifest.json')) as OpenedPackage['manifest'];
  const pathOf = (name: string) => manifest.data.find(({ collection }) => collection === name)?.path;
  return {
    manifest,
    rows: (name) => JSON.parse(read(pathOf(name) ?? '') || '[]') as Record<string, unknown>[],
    text: [...files.keys()]
      .filter((path) => !path.startsWith('files/'))
      .map(read)
      .join('\n'),
  };
}

/** Every file of a ZIP, by its name. */
export function unzip(zip: Buffer): Promise<Map<string, Buffer>> {
  return new Promise((resolve, reject) => {
    const files = new Map<string, Buffer>();
    yauzl.fromBuffer(zip, { lazyEntries: true }, (error, file) => {
      if (error) {
        reject(error);
        return;
      }
      file.on('entry', (entry: yauzl.Entry) => {
        file.openReadStream(entry, (failed, stream) => {
          if (failed) {
            reject(failed);
            return;
          }
          const chunks: Buffer[] = [];
          stream.on('data', (chunk: Buffer) => chunks.push(chunk));
          stream.on('end', () => {
            files.set(entry.fileName, Buffer.concat(chunks));
            file.readEntry();
          });
        });
      });
      file.on('end', () => {
        resolve(files);
      });
      file.readEntry();
    });
  });
}

import { DomainError } from '../errors.js';
import { type ObjectStores } from '../storage/object-store.js';
import { type FileList, type NamedFile } from './file-list.js';
import { type AttachedFile, type MissingFile } from './manifest.js';
import { type PackageWriter } from './package-writer.js';
import { safeFileName } from './safe-file-name.js';

/** Nothing is there, or nothing can be: told of in the manifest, and no reason to try again. */
const notThere = new Set([
  'object.not_found',
  'object.path_invalid',
  'storage.bucket_invalid',
  'storage.bucket_ours',
]);

/** The attachments that rows name, out of the host's buckets into the package. */
export class PackageFiles {
  constructor(private readonly hostStores: ObjectStores) {}

  /** Writes them in the order of the list; one that is gone is listed as missing. @throws what the store throws */
  async write(
    writer: PackageWriter,
    list: FileList,
  ): Promise<{ files: AttachedFile[]; missingFiles: MissingFile[] }> {
    const files: AttachedFile[] = [];
    const missingFiles: MissingFile[] = [];
    for await (const named of list.read()) {
      const { collection, key, name } = named;
      const source = await this.open(named);
      if (!source) {
        missingFiles.push({ collection, key, name });
        continue;
      }
      const position = String(files.length + 1).padStart(4, '0');
      const path = `files/${collection}/${position}-${safeFileName(name ?? named.path)}`;
      const { bytes, sha256 } = await writer.file(path, source);
      files.push({ collection, key, name, path, bytes, sha256 });
    }
    return { files, missingFiles };
  }

  private async open({ bucket, path }: NamedFile) {
    if (bucket === null) return undefined;
    try {
      return await this.hostStores.bucket(bucket).get(path);
    } catch (error) {
      if (error instanceof DomainError && notThere.has(error.code)) return undefined;
      throw error;
    }
  }
}

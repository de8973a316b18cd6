import { DomainError } from '../../errors.js';
import { type ObjectStores } from '../../storage/object-store.js';

interface Named {
  path: string;
}

/** What became of files that a store was asked to remove; the rest is still to be removed. */
export interface Removed<File> {
  /** The store confirms that they are gone. */
  gone: File[];
  /** Nothing of the host's can lie under such a name: there is nothing to remove, now or later. */
  nowhere: File[];
}

/** A place on the web, which is no name in a bucket; and yet there is a file, which somebody has to remove. */
export const isAddress = (path: string): boolean => /^[a-z][a-z0-9+.-]*:\/\//i.test(path);

/** As supabase-js writes a path that it is handed: no slash at its ends, and of several only one. */
export const asClientsWrite = (path: string): string => path.replace(/\/+/g, '/').replace(/^\/|\/$/g, '');

/** S3 limits the whole of a name only; what no driver of ours can ask for may lie there all the same. */
const isBeyondUs = (path: string): boolean =>
  Buffer.byteLength(path) <= 1024 && path.split('/').some((part) => Buffer.byteLength(part) > 255);

/** Of a name under which no object lies: whether that is all there is to it. */
const isNowhere = ({ path }: Named): boolean => !isAddress(path) && !isBeyondUs(path);

/** One round of removing files from their stores. A store that is down is asked no more in this round. */
export class FileRemoval {
  private readonly down = new Set<string>();

  constructor(private readonly stores: ObjectStores) {}

  /** @param isOthers whether what a client would have written for this path is somebody else's file, which stays */
  async from<File extends Named>(
    bucket: string,
    files: File[],
    isOthers: (file: File) => boolean = () => false,
  ): Promise<Removed<File>> {
    if (this.isOurs(bucket)) return { gone: [], nowhere: files };
    const { gone, nowhere } = await this.removed(bucket, files);
    const nothing: File[] = [];
    // After all others: the object may have been one of those.
    for (const file of nowhere)
      if (isOthers(file) || !(await this.isThereForClients(bucket, file))) nothing.push(file);
    return { gone, nowhere: nothing };
  }

  /** What a row says of our own bucket is no file of the host's, and no reason to look into it. */
  private isOurs(bucket: string): boolean {
    try {
      this.stores.bucket(bucket);
      return false;
    } catch (error) {
      return error instanceof DomainError && error.code === 'storage.bucket_ours';
    }
  }

  /** Whether an object lies where a client that was handed this path would have put it: likely this file, but nobody knows. */
  private async isThereForClients(bucket: string, { path }: Named): Promise<boolean> {
    const written = asClientsWrite(path);
    if (written === path) return false;
    try {
      return (await this.stores.bucket(bucket).stat(written)) !== null;
    } catch (error) {
      return !(error instanceof DomainError && error.code === 'object.path_invalid');
    }
  }

  private async removed<File extends Named>(bucket: string, files: File[]): Promise<Removed<File>> {
    if (this.down.has(bucket)) return { gone: [], nowhere: [] };
    try {
      const store = this.stores.bucket(bucket);
      // A storage may hold `a//b` beside `a/b`. Where it does not, to have removed nothing is no proof.
      const absent = new Set<File>();
      for (const file of files)
        if (asClientsWrite(file.path) !== file.path && (await store.stat(file.path)) === null)
          absent.add(file);
      await store.remove(files.map(({ path }) => path));
      const gone = [];
      for (const file of files)
        if (!absent.has(file) && (await store.stat(file.path)) === null) gone.push(file);
      return { gone, nowhere: [...absent].filter(isNowhere) };
    } catch (error) {
      const code = error instanceof DomainError ? error.code : undefined;
      if (code === 'storage.unavailable') this.down.add(bucket);
      const alone = files.length === 1;
      if (alone && code === 'object.path_invalid') return { gone: [], nowhere: files.filter(isNowhere) };
      if (alone || this.down.has(bucket)) return { gone: [], nowhere: [] };
      // One name that the store refuses must not keep the others: half by half it is found.
      const middle = files.length >> 1;
      const first = await this.removed(bucket, files.slice(0, middle));
      const second = await this.removed(bucket, files.slice(middle));
      return { gone: [...first.gone, ...second.gone], nowhere: [...first.nowhere, ...second.nowhere] };
    }
  }
}

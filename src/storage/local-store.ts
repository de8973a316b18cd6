import { randomUUID } from 'node:crypto';
import { constants, type Dir } from 'node:fs';
import { mkdir, open, opendir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { type Readable } from 'node:stream';
import { notFound } from '../errors.js';
import { writeDurably } from './durable-file.js';
import { bucketName, folderPath, objectPath } from './object-path.js';
import {
  bucketPublic,
  type ByteRange,
  type ObjectStore,
  type ObjectStores,
  type PutOptions,
  type SignedUrlOptions,
  type StoredObject,
} from './object-store.js';
import { type SignedPath, signPath, verifySignedPath } from './signed-path.js';

export interface LocalStoresOptions {
  /** Folder that holds one folder per bucket. */
  root: string;
  /** Where this service answers `/objects/…`, without a closing slash. */
  publicUrl: string;
  /** 32 bytes; signs download addresses. */
  key: Buffer;
  now?: () => Date;
}

/** Buckets as folders on this machine: for development, tests, and small installations with one server. */
export class LocalStores implements ObjectStores {
  readonly versions = 'none';

  constructor(private readonly options: LocalStoresOptions) {}

  bucket(name: string): ObjectStore {
    return new LocalStore(bucketName(name), this.options);
  }

  /** What one of our signed addresses (path and query) grants now. @throws DomainError `object.link_*` */
  grantedBy(address: string): SignedPath {
    return verifySignedPath(this.options.key, address, this.options.now?.() ?? new Date());
  }
}

const dayOld = 24 * 60 * 60 * 1000;

class LocalStore implements ObjectStore {
  private readonly folder: string;
  /** Beside the buckets, on the same disk, so that a finished file appears by one rename. */
  private readonly incoming: string;

  constructor(
    readonly bucket: string,
    private readonly options: LocalStoresOptions,
  ) {
    this.folder = join(options.root, bucket);
    this.incoming = join(options.root, '.incoming');
  }

  async put(path: string, source: Readable, { signal }: PutOptions): Promise<{ bytes: number }> {
    const target = this.fileOf(path);
    const arriving = join(this.incoming, randomUUID());
    try {
      await mkdir(this.incoming, { recursive: true, mode: 0o700 });
      const bytes = await writeDurably(arriving, source, signal);
      await this.moveInto(arriving, target);
      return { bytes };
    } catch (error) {
      source.destroy();
      await rm(arriving, { force: true });
      throw error;
    }
  }

  async get(path: string, range?: ByteRange): Promise<Readable> {
    const file = await this.missingAsNull(open(this.fileOf(path), constants.O_RDONLY | constants.O_NOFOLLOW));
    if (!file) throw notFound('object');
    if (!(await file.stat()).isFile()) {
      await file.close();
      throw notFound('object');
    }
    return file.createReadStream({
      highWaterMark: 256 * 1024,
      ...(range && { start: range.from, end: range.to }),
    });
  }

  async stat(path: string): Promise<StoredObject | null> {
    const found = await this.missingAsNull(stat(this.fileOf(path)));
    return found?.isFile() ? { path, bytes: found.size, modifiedAt: found.mtime } : null;
  }

  async *list(prefix: string): AsyncIterable<StoredObject> {
    const start = join(this.folder, folderPath(prefix));
    const folder = await this.missingAsNull(opendir(start));
    if (!folder) return;
    for await (const file of filesBelow(folder)) {
      const path = relative(this.folder, file).split(sep).join('/');
      const object = await this.stat(path);
      if (object) yield object;
    }
  }

  async remove(paths: readonly string[]): Promise<void> {
    for (const path of paths) {
      const file = this.fileOf(path);
      if (!(await this.stat(path))) continue;
      await rm(file, { force: true });
      await this.dropEmptyFolders(dirname(file));
    }
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- a bad path rejects, as in the drivers that ask a server
  async signedUrl(path: string, { expiresInSeconds, downloadAs }: SignedUrlOptions): Promise<string> {
    const now = this.options.now?.() ?? new Date();
    const granted = {
      bucket: this.bucket,
      path: objectPath(path),
      ...(downloadAs !== undefined && { downloadAs }),
    };
    const expiresAt = new Date(now.getTime() + expiresInSeconds * 1000);
    return this.options.publicUrl + signPath(this.options.key, granted, expiresAt);
  }

  async ready(): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    // A folder that others on this machine may read is this driver's public bucket.
    if (((await stat(this.folder)).mode & 0o077) !== 0) throw bucketPublic(this.bucket);
    await this.dropAbandoned();
  }

  private readonly fileOf = (path: string): string => join(this.folder, objectPath(path));

  private async moveInto(arriving: string, target: string): Promise<void> {
    // A removal may drop the empty folder between the two calls.
    for (let attempt = 1; ; attempt += 1) {
      await mkdir(dirname(target), { recursive: true, mode: 0o700 });
      try {
        await rename(arriving, target);
        break;
      } catch (error) {
        if (attempt === 3 || !isMissing(error)) throw error;
      }
    }
    const folder = await open(dirname(target));
    await folder.sync().finally(() => folder.close());
  }

  private async dropEmptyFolders(folder: string): Promise<void> {
    for (let current = folder; current.startsWith(this.folder + sep); current = dirname(current)) {
      const dropped = await rmdir(current).then(
        () => true,
        () => false,
      );
      if (!dropped) return;
    }
  }

  /** What a killed process left half-written. */
  private async dropAbandoned(): Promise<void> {
    const folder = await this.missingAsNull(opendir(this.incoming));
    if (!folder) return;
    for await (const file of filesBelow(folder)) {
      const found = await this.missingAsNull(stat(file));
      if (found && found.mtimeMs < Date.now() - dayOld) await rm(file, { force: true });
    }
  }

  private async missingAsNull<T>(found: Promise<T>): Promise<T | null> {
    try {
      return await found;
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  }
}

const isMissing = (error: unknown): boolean =>
  ['ENOENT', 'ENOTDIR', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? '');

async function* filesBelow(folder: Dir): AsyncIterable<string> {
  for await (const entry of folder) {
    const path = join(folder.path, entry.name);
    if (entry.isFile()) yield path;
    if (entry.isDirectory()) {
      try {
        yield* filesBelow(await opendir(path));
      } catch (error) {
        if (!isMissing(error)) throw error; // removed while we listed
      }
    }
  }
}

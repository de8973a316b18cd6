import { type Readable } from 'node:stream';
import { S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { StorageClient } from '@supabase/storage-js';
import { notFound } from '../errors.js';
import { bucketName, folderPath, isObjectPath, noPath, objectName, objectPath } from './object-path.js';
import {
  bucketPublic,
  type ByteRange,
  type ObjectStore,
  type ObjectStores,
  type PutOptions,
  type SignedUrlOptions,
  type StoredObject,
} from './object-store.js';
import { Patience } from './patience.js';
import { isBent, isExisting, isMissing, storageError, withCode } from './supabase-errors.js';

export interface SupabaseStoresOptions {
  /** The project's address, without `/storage/v1`. */
  url: string;
  serviceKey: string;
  /** With these, large objects go in parts, each sent again if it fails; without, in one request. */
  s3?: { accessKey: string; secret: string };
  /** How long the storage may make no progress before it is an error. */
  patienceMs?: number;
}

/** From this size on the documentation advises parts. */
const largeBytes = 6 * 1024 * 1024;
/** S3 allows 10,000 parts: packages up to 80 GB. Three of them are in memory at most. */
const partBytes = 8 * 1024 * 1024;
const pageSize = 100;

/** Buckets of Supabase Storage, hosted or self-hosted. */
export class SupabaseStores implements ObjectStores {
  // The bucket behind it may keep versions (S3's versioning), and Supabase's API neither tells nor reaches them.
  readonly versions = 'unknown';
  private readonly s3: S3Client | undefined;

  constructor(private readonly options: SupabaseStoresOptions) {
    this.s3 = options.s3 && s3Client(options.url, options.s3);
  }

  bucket(name: string): ObjectStore {
    return new SupabaseStore(bucketName(name), this.options, this.s3);
  }
}

class SupabaseStore implements ObjectStore {
  private readonly api: string;
  private readonly headers: Record<string, string>;
  private readonly patienceMs: number;

  constructor(
    readonly bucket: string,
    { url, serviceKey, patienceMs = 30_000 }: SupabaseStoresOptions,
    private readonly s3: S3Client | undefined,
  ) {
    this.api = `${url.replace(/\/+$/, '')}/storage/v1`;
    this.headers = { apikey: serviceKey, authorization: `Bearer ${serviceKey}` };
    this.patienceMs = patienceMs;
  }

  async put(path: string, source: Readable, { contentType, signal }: PutOptions): Promise<{ bytes: number }> {
    objectPath(path);
    const patience = new Patience(this.patienceMs);
    const giveUp = signal ? AbortSignal.any([signal, patience.signal]) : patience.signal;
    const stop = (): unknown => source.destroy();
    giveUp.addEventListener('abort', stop, { once: true });
    const size = { bytes: 0 };
    try {
      giveUp.throwIfAborted();
      const body = await beginningOf(counted(source, size));
      patience.expect();
      if (Buffer.isBuffer(body)) await this.upload(path, body, contentType, giveUp);
      else if (this.s3) await this.uploadParts(this.s3, path, patience.offering(body), contentType, giveUp);
      else await this.upload(path, patience.offering(body), contentType, giveUp);
      return size;
    } catch (error) {
      if (signal?.aborted) throw signal.reason as Error;
      throw source.errored ?? storageError('store the object', error);
    } finally {
      patience.rest();
      giveUp.removeEventListener('abort', stop);
      source.destroy();
    }
  }

  async get(path: string, range?: ByteRange): Promise<Readable> {
    const address = isObjectPath(path)
      ? `${this.api}/object/authenticated/${inAddress(this.bucket)}/${inAddress(path)}`
      : await this.signedName(path);
    if (isResolved(path)) throw notFound('object');
    const patience = new Patience(this.patienceMs);
    patience.expect();
    try {
      const headers = { ...this.headers, ...(range && { range: `bytes=${range.from}-${range.to}` }) };
      const response = await fetch(address, { headers, redirect: 'error', signal: patience.signal });
      if (!response.ok) throw Object.assign(new Error('refused'), await response.json());
      // An empty object has no body.
      return patience.receiving((response.body ?? []) as AsyncIterable<Uint8Array>);
    } catch (error) {
      throw isMissing(error) || isBent(error) ? notFound('object') : storageError('read the object', error);
    } finally {
      patience.rest();
    }
  }

  async stat(path: string): Promise<StoredObject | null> {
    if (!isObjectPath(path)) return this.statName(path);
    const { data, error } = await this.files().info(inAddress(path));
    if (error) {
      if (isMissing(error)) return null;
      throw storageError('look the object up', error);
    }
    return { path, bytes: data.size ?? 0, modifiedAt: new Date(data.lastModified ?? data.createdAt) };
  }

  async *list(prefix: string): AsyncIterable<StoredObject> {
    const folder = folderPath(prefix);
    yield* this.beginningWith(folder && `${folder}/`);
  }

  private async *beginningWith(prefix: string): AsyncIterable<StoredObject> {
    // By cursor, not by offset: what is removed while a sweep lists must not make it skip others.
    for (let cursor: string | undefined; ;) {
      const page = {
        prefix,
        limit: pageSize,
        with_delimiter: false,
        ...(cursor && { cursor }),
      };
      const { data, error } = await this.files().listV2(page);
      if (error) throw storageError('list its objects', error);
      for (const { key, name, metadata, updated_at: updated } of data.objects) {
        const path = key ?? name;
        // The server takes `_` and `%` for any characters.
        if (!path.startsWith(prefix)) continue;
        yield { path, bytes: metadata?.['size'] ?? 0, modifiedAt: new Date(updated) };
      }
      cursor = data.hasNext ? data.nextCursor : undefined;
      if (!cursor) return;
    }
  }

  async remove(paths: readonly string[]): Promise<void> {
    const odd = paths.map(objectName).filter((path) => !isObjectPath(path));
    for (const name of odd) await this.signedName(name);
    for (let n = 0; n < paths.length; n += pageSize) {
      const { error } = await this.files().remove(paths.slice(n, n + pageSize));
      if (error) throw storageError('remove the objects', error);
    }
  }

  async signedUrl(path: string, { expiresInSeconds, downloadAs }: SignedUrlOptions): Promise<string> {
    const address = await this.signed(objectPath(path), expiresInSeconds);
    if (!address) throw notFound('object');
    return downloadAs === undefined ? address : `${address}&download=${encodeURIComponent(downloadAs)}`;
  }

  async ready(): Promise<void> {
    const { data, error } = await this.client().getBucket(this.bucket);
    if (data?.public) throw bucketPublic(this.bucket);
    if (data) return;
    if (!isMissing(error)) throw storageError('look its bucket up', error);
    const created = await this.client().createBucket(this.bucket, { public: false });
    // Another instance may have been first, and may have made it public.
    if (created.error && isExisting(created.error)) return this.ready();
    if (created.error) throw storageError('create its bucket', created.error);
  }

  /** An address for an object of exactly this name, whatever it is, if there is one. */
  private async signed(name: string, seconds: number): Promise<string | undefined> {
    // The call for several takes names in its body; that for one signs what it makes of its own address.
    const { data, error } = await this.files().createSignedUrls([name], seconds);
    if (error && !isMissing(error)) throw storageError('sign an address', error);
    const token = data?.[0]?.signedUrl?.split('?token=').at(-1);
    return token && `${this.api}/object/sign/${inAddress(this.bucket)}/${inAddress(name)}?token=${token}`;
  }

  /**
   * A name that is no path may be there all the same, put by others: over S3, by a resumable upload, by a client that writes its
   * addresses itself. @throws DomainError `object.path_invalid` where it is not
   */
  private async signedName(name: string): Promise<string> {
    const address = await this.signed(objectName(name), 60);
    if (!address) throw noPath();
    return address;
  }

  private async statName(name: string): Promise<StoredObject | null> {
    if (!(await this.signed(objectName(name), 60))) return null;
    for await (const object of this.beginningWith(name)) if (object.path === name) return object;
    return null;
  }

  private async upload(
    path: string,
    body: Buffer | Readable,
    contentType: string,
    signal: AbortSignal,
  ): Promise<void> {
    const { error } = await this.client(signal)
      .from(this.bucket)
      .upload(inAddress(path), body, { contentType, upsert: true, cacheControl: '0' });
    if (error) throw error;
  }

  private async uploadParts(
    s3: S3Client,
    path: string,
    body: Readable,
    contentType: string,
    signal: AbortSignal,
  ): Promise<void> {
    const upload = new Upload({
      client: s3,
      params: {
        Bucket: this.bucket,
        Key: path,
        Body: body,
        ContentType: contentType,
        CacheControl: 'max-age=0',
      },
      partSize: partBytes,
      queueSize: 2,
    });
    const abort = (): unknown => upload.abort();
    signal.addEventListener('abort', abort, { once: true });
    await upload.done().finally(() => signal.removeEventListener('abort', abort));
  }

  private files() {
    return this.client().from(this.bucket);
  }

  /** Every request ends: with an answer, or by the signal, by default after the limit. */
  private client(signal?: AbortSignal): StorageClient {
    return new StorageClient(this.api, this.headers, async (input, init) => {
      const response = await fetch(input, {
        ...init,
        // Following redirects, fetch would keep the whole body in memory to send it again.
        redirect: 'error',
        window: null,
        signal: signal ?? AbortSignal.timeout(this.patienceMs),
      });
      return response.ok ? response : withCode(response);
    });
  }
}

/**
 * The library puts names into addresses as they are: of `a?b`, `a#b` and, on older servers, `a;b` only `a` would arrive,
 * which is another object.
 */
const inAddress = (path: string): string => path.split('/').map(encodeURIComponent).join('/');

/** With `.` or `..` between slashes an address is another one for whoever resolves it, our own `fetch` first. */
const isResolved = (path: string): boolean => path.split('/').some((part) => part === '.' || part === '..');

const s3Client = (url: string, { accessKey, secret }: { accessKey: string; secret: string }): S3Client =>
  new S3Client({
    endpoint: `${url.replace(/\/+$/, '')}/storage/v1/s3`,
    region: 'us-east-1', // signed, and not looked at
    forcePathStyle: true,
    credentials: { accessKeyId: accessKey, secretAccessKey: secret },
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });

async function* counted(source: Readable, size: { bytes: number }): AsyncGenerator<Buffer> {
  for await (const piece of source as AsyncIterable<Buffer | string>) {
    const chunk = Buffer.from(piece as Buffer);
    size.bytes += chunk.length;
    yield chunk;
  }
}

/** The whole of a small source, or a source that goes on where the beginning was read. */
async function beginningOf(source: AsyncGenerator<Buffer>): Promise<Buffer | AsyncIterable<Buffer>> {
  const beginning: Buffer[] = [];
  let bytes = 0;
  while (bytes < largeBytes) {
    const next = await source.next();
    if (next.done) return Buffer.concat(beginning);
    beginning.push(next.value);
    bytes += next.value.length;
  }
  return (async function* () {
    yield* beginning.splice(0);
    yield* source;
  })();
}

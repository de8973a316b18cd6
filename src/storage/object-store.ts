import { type Readable } from 'node:stream';
import { DomainError } from '../errors.js';

/** Bytes `from` to `to`, both included, as in HTTP. */
export interface ByteRange {
  from: number;
  to: number;
}

export interface StoredObject {
  path: string;
  bytes: number;
  modifiedAt: Date;
}

export interface PutOptions {
  contentType: string;
  /** Aborting rejects `put` with the signal's reason and leaves nothing behind. */
  signal?: AbortSignal;
}

export interface SignedUrlOptions {
  expiresInSeconds: number;
  /** File name that a browser saves the object under; absent: shown as it is. */
  downloadAs?: string;
}

/**
 * One private bucket. Paths are relative, parts separated by `/`; an object is never listed or readable
 * before it is whole. Errors: `object.path_invalid`, `object.not_found`, `storage.unavailable` (nothing
 * reached, or no progress within the limit), `storage.full`, `storage.bucket_public`.
 */
export interface ObjectStore {
  readonly bucket: string;
  /** Stores the whole source, replacing an object of that name. A source's own error is passed on as it is. */
  put(path: string, source: Readable, options: PutOptions): Promise<{ bytes: number }>;
  /** The object, or a part of it; whoever takes the stream must read or destroy it. */
  get(path: string, range?: ByteRange): Promise<Readable>;
  stat(path: string): Promise<StoredObject | null>;
  /** Every object below the folder `prefix` (`''`: all), however many, fetched page by page. */
  list(prefix: string): AsyncIterable<StoredObject>;
  /** Exactly these objects; one that is not there is no error. */
  remove(paths: readonly string[]): Promise<void>;
  /** An address that needs nothing else to download the object until it expires. */
  signedUrl(path: string, options: SignedUrlOptions): Promise<string>;
  /** Creates the bucket, private, where it is missing; refuses one that is public. */
  ready(): Promise<void>;
}

/** Where buckets come from: our own for packages, the host app's for attachments. */
export interface ObjectStores {
  bucket(name: string): ObjectStore;
  /**
   * Whether an object that is removed or replaced may live on as an earlier version which we can neither see nor
   * remove; absent: unknown.
   */
  readonly versions?: 'none' | 'unknown';
}
/** Injects the ObjectStores that the configuration chose. */
export const OBJECT_STORES = Symbol('object stores');

export const unavailable = (what: string, cause?: unknown): DomainError =>
  new DomainError('storage.unavailable', `The object storage could not ${what}. Try again later.`, { cause });

export const bucketPublic = (bucket: string): DomainError =>
  new DomainError(
    'storage.bucket_public',
    `The bucket ${bucket} is public: anybody could read packages in it. Make it private, or name another bucket.`,
  );

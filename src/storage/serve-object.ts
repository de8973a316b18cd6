import { type Readable } from 'node:stream';
import { notFound } from '../errors.js';
import { parseRange } from './byte-range.js';
import { type ByteRange, type ObjectStore, type StoredObject } from './object-store.js';

/** What to answer over HTTP; `stream` is null where there is no body. */
export interface ObjectAnswer {
  status: 200 | 206 | 416;
  headers: Record<string, string>;
  stream: Readable | null;
}

export interface ObjectQuestion {
  range?: string | undefined;
  /** Lets a browser resume a download without mixing two versions (RFC 9110, 13.1.5). */
  ifRange?: string | undefined;
  downloadAs?: string | undefined;
  /** HEAD: the same headers, no body. */
  headOnly?: boolean;
}

/** Answers a GET or HEAD of one object, in whole or the part that was asked for. `object.not_found` where there is none. */
export async function serveObject(
  store: ObjectStore,
  path: string,
  question: ObjectQuestion = {},
): Promise<ObjectAnswer> {
  const object = await store.stat(path);
  if (!object) throw notFound('object');
  const etag = etagOf(object);
  const unchanged = question.ifRange === undefined || question.ifRange === etag;
  const range = unchanged ? parseRange(question.range, object.bytes) : null;
  const headers = { ...common(object, question.downloadAs), etag };
  if (range === 'unsatisfiable') {
    return {
      status: 416,
      headers: { ...headers, 'content-range': `bytes */${object.bytes}`, 'content-length': '0' },
      stream: null,
    };
  }
  const stream = question.headOnly ? null : await store.get(path, range ?? undefined);
  if (!range) return { status: 200, headers: { ...headers, 'content-length': String(object.bytes) }, stream };
  return { status: 206, headers: { ...headers, ...partHeaders(range, object.bytes) }, stream };
}

const etagOf = ({ bytes, modifiedAt }: StoredObject): string =>
  `"${bytes.toString(36)}-${modifiedAt.getTime().toString(36)}"`;

const partHeaders = ({ from, to }: ByteRange, bytes: number): Record<string, string> => ({
  'content-range': `bytes ${from}-${to}/${bytes}`,
  'content-length': String(to - from + 1),
});

const common = (object: StoredObject, downloadAs?: string): Record<string, string> => ({
  // Never a type that a browser would run in our origin, whatever the object is.
  'content-type': object.path.endsWith('.zip') ? 'application/zip' : 'application/octet-stream',
  'content-disposition': disposition(downloadAs),
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; sandbox",
  'accept-ranges': 'bytes',
  // The address is a key for its lifetime: it must not stay in a cache on the way.
  'cache-control': 'private, no-store',
  'last-modified': object.modifiedAt.toUTCString(),
});

/** RFC 6266: an ASCII name for the old, the real one for the rest. */
function disposition(name?: string): string {
  if (name === undefined) return 'attachment';
  const ascii = name.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  const exact = encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${exact}`;
}

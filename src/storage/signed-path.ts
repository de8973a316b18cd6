import { createHmac, timingSafeEqual } from 'node:crypto';
import { DomainError } from '../errors.js';
import { bucketName, objectPath } from './object-path.js';

/** What a signed address of the local store grants. */
export interface SignedPath {
  bucket: string;
  path: string;
  downloadAs?: string;
}

const base = '/objects/';

const signature = (key: Buffer, granted: SignedPath, expires: number): string =>
  createHmac('sha256', key)
    .update(JSON.stringify([granted.bucket, granted.path, expires, granted.downloadAs ?? null]))
    .digest('base64url');

/** `/objects/<bucket>/<path>?expires=<unix seconds>&as=<name>&sig=<hmac>`: enough to download, until `expires`. */
export function signPath(key: Buffer, granted: SignedPath, expiresAt: Date): string {
  const expires = Math.floor(expiresAt.getTime() / 1000);
  const query = new URLSearchParams({ expires: String(expires) });
  if (granted.downloadAs !== undefined) query.set('as', granted.downloadAs);
  query.set('sig', signature(key, granted, expires));
  const path = [granted.bucket, ...granted.path.split('/')].map(encodeURIComponent).join('/');
  return `${base}${path}?${query.toString()}`;
}

const invalid = (): DomainError =>
  new DomainError('object.link_invalid', 'This download address is not valid. Ask for a new one.');

/**
 * What the address (path and query as the request line has them) grants at `now`. Errors:
 * `object.link_invalid` for anything that we did not sign, `object.link_expired`.
 */
export function verifySignedPath(key: Buffer, address: string, now: Date): SignedPath {
  const { granted, expires, sig } = parse(address);
  const expected = Buffer.from(signature(key, granted, expires));
  const given = Buffer.from(sig);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw invalid();
  if (now.getTime() >= expires * 1000) {
    throw new DomainError(
      'object.link_expired',
      'This download address has expired. Open your link again for a new one.',
    );
  }
  return granted;
}

function parse(address: string): { granted: SignedPath; expires: number; sig: string } {
  try {
    const [path = '', query = ''] = address.split('?', 2);
    if (!path.startsWith(base)) throw invalid();
    const [bucket = '', ...parts] = path.slice(base.length).split('/').map(decodeURIComponent);
    const given = new URLSearchParams(query);
    const downloadAs = given.get('as');
    return {
      granted: {
        bucket: bucketName(bucket),
        path: objectPath(parts.join('/')),
        ...(downloadAs !== null && { downloadAs }),
      },
      expires: Number(given.get('expires')),
      sig: given.get('sig') ?? '',
    };
  } catch {
    throw invalid();
  }
}

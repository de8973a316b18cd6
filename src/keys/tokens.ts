import { randomBytes } from 'node:crypto';
import { hashToken } from './sealing.js';

/** A bearer secret as it is found again: whose it is, and the hash it is stored under. */
export interface PresentedToken {
  tenant: string;
  hash: Buffer;
}

const BYTES = 16 + 32;

/**
 * A new secret: base64url(tenant uuid ‖ 32 random bytes). The front part only finds the tenant, whose row-level
 * security then applies; the hash is what is stored.
 */
export function issueToken(tenant: string, prefix = ''): { token: string; hash: Buffer } {
  const bytes = Buffer.concat([Buffer.from(tenant.replaceAll('-', ''), 'hex'), randomBytes(32)]);
  return { token: prefix + bytes.toString('base64url'), hash: hashToken(bytes) };
}

/** Reads a presented secret; undefined when it cannot be one of ours. */
export function readToken(text: string, prefix = ''): PresentedToken | undefined {
  if (!text.startsWith(prefix) || !/^[A-Za-z0-9_-]{64}$/.test(text.slice(prefix.length))) return undefined;
  const bytes = Buffer.from(text.slice(prefix.length), 'base64url');
  if (bytes.length !== BYTES) return undefined;
  const tenant = bytes
    .subarray(0, 16)
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  return { tenant, hash: hashToken(bytes) };
}

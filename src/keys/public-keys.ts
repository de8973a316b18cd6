import { createHash, createPublicKey, verify, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { DomainError } from '../errors.js';
import { canonicalJson } from './canonical-json.js';

const base64url = (bytes: number) =>
  z.string().refine((text) => {
    const read = Buffer.from(text, 'base64url');
    return read.length === bytes && read.toString('base64url') === text;
  }, `must be ${bytes} bytes in base64url`);

/** An Ed25519 public key as RFC 8037 spells it. Strict, so that a private key (`d`) is never published by mistake. */
export const PublicJwk = z.strictObject({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: base64url(32),
  kid: z.string().min(1),
  use: z.literal('sig').optional(),
  alg: z.literal('EdDSA').optional(),
});
export type PublicJwk = z.infer<typeof PublicJwk>;

/** What `/.well-known/habeas-keys.json` answers: a JWK Set (RFC 7517). */
export const PublicKeySet = z.object({ keys: z.array(PublicJwk).min(1) });
export type PublicKeySet = z.infer<typeof PublicKeySet>;

export const Signature = z.strictObject({
  alg: z.literal('EdDSA'),
  kid: z.string().min(1).max(200),
  sig: base64url(64),
});
export type Signature = z.infer<typeof Signature>;

/** A document beside the signature over it. */
export type Signed<Document extends object> = Document & { signature: Signature };

/** RFC 7638: sha256 in base64url over the members that make the key, so that a name means one key for ever. */
export const thumbprint = ({ kty, crv, x }: Omit<PublicJwk, 'kid'>): string =>
  createHash('sha256').update(canonicalJson({ crv, kty, x })).digest('base64url');

/** What is signed: the canonical JSON of the whole document, with `signature` in it as far as it is known by then. */
export const signedBytes = (document: object, { alg, kid }: Omit<Signature, 'sig'>): Buffer =>
  Buffer.from(canonicalJson({ ...document, signature: { alg, kid } }), 'utf8');

/** The public keys by which documents are checked; needs no private key, no database and no network. */
export class PublicKeys {
  private readonly keys = new Map<string, KeyObject>();

  /** @throws DomainError `signature.key_misnamed` where a `kid` is not its key's thumbprint */
  constructor(keys: readonly PublicJwk[]) {
    for (const jwk of keys) {
      if (thumbprint(jwk) !== jwk.kid) {
        throw new DomainError(
          'signature.key_misnamed',
          'A public key has a kid that is not its thumbprint (RFC 7638).',
        );
      }
      const { kty, crv, x } = jwk;
      this.keys.set(jwk.kid, createPublicKey({ key: { kty, crv, x }, format: 'jwk' }));
    }
  }

  /**
   * Returns when the signature is over exactly this document.
   * @throws DomainError `signature.unknown_key`, `signature.wrong`
   */
  check({ signature, ...document }: Signed<object>): void {
    const key = this.keys.get(signature.kid);
    if (!key) {
      throw new DomainError(
        'signature.unknown_key',
        `It was signed with the key ${signature.kid}, which is not among the ${this.keys.size} given.`,
      );
    }
    const bytes = signedBytes(document, signature);
    if (!verify(null, bytes, key, Buffer.from(signature.sig, 'base64url'))) {
      throw new DomainError('signature.wrong', 'The signature does not fit the document: it was changed.');
    }
  }
}

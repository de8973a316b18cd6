import { createPrivateKey, createPublicKey, sign, type KeyObject } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DomainError } from '../errors.js';
import { keyOf } from './key-files.js';
import {
  PublicKeySet,
  PublicKeys,
  signedBytes,
  thumbprint,
  type PublicJwk,
  type Signed,
} from './public-keys.js';

/** RFC 8410: what stands before the 32 bytes of a seed in an Ed25519 private key's PKCS #8. */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** Public keys of before, as a JWK Set, in HABEAS_HOME: what they signed can still be checked. */
const PREVIOUS = 'previous-signing-keys.json';

/** Signs what outsiders check: certificates, entries of the erasure ledger. Ed25519, so the same input is the same bytes. */
export class Signing {
  /** The current key first, then those of before. */
  readonly publicKeys: readonly PublicJwk[];
  readonly verifier: PublicKeys;
  private readonly key: KeyObject;
  private readonly kid: string;

  /** @param seed 32 bytes, RFC 8032's private key */
  constructor(seed: Buffer, previous: readonly PublicJwk[] = []) {
    if (seed.length !== 32) throw new DomainError('config.invalid', 'SIGNING_KEY must be 32 bytes.');
    this.key = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
    const { x = '' } = createPublicKey(this.key).export({ format: 'jwk' });
    const own = { kty: 'OKP', crv: 'Ed25519', x, use: 'sig', alg: 'EdDSA' } as const;
    this.kid = thumbprint(own);
    this.publicKeys = [{ ...own, kid: this.kid }, ...previous.filter(({ kid }) => kid !== this.kid)];
    this.verifier = new PublicKeys(this.publicKeys);
  }

  /** The key of this installation: SIGNING_KEY, else one made once; and the public ones it used before. */
  static of({ home, signingKey }: { home: string; signingKey?: Buffer }): Signing {
    return new Signing(keyOf(home, 'signing', signingKey), previousIn(home));
  }

  /** The document with a signature over all of it. */
  sign<Document extends object>(document: Document): Signed<Document> {
    const header = { alg: 'EdDSA', kid: this.kid } as const;
    const sig = sign(null, signedBytes(document, header), this.key).toString('base64url');
    return { ...document, signature: { ...header, sig } };
  }
}

function previousIn(home: string): PublicJwk[] {
  const file = join(home, PREVIOUS);
  if (!existsSync(file)) return [];
  try {
    return PublicKeySet.parse(JSON.parse(readFileSync(file, 'utf8'))).keys;
  } catch (error) {
    throw new DomainError('config.invalid', `${file} is not a JWK Set of Ed25519 public keys.`, {
      cause: error,
    });
  }
}

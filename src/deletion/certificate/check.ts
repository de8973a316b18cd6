import { DomainError } from '../../errors.js';
import { parseOnce } from '../../keys/canonical-json.js';
import { PublicJwk, PublicKeySet, PublicKeys } from '../../keys/public-keys.js';
import { SignedCertificate } from './certificate.schema.js';

/**
 * The certificate that a file holds, once its form and its signature are found good; needs nothing but the keys.
 * @throws DomainError `certificate.unreadable` (no certificate, or not of this version), `json.*`, `signature.*`
 */
export function checkCertificate(text: string, keys: readonly PublicJwk[]): SignedCertificate {
  const parsed = SignedCertificate.safeParse(parseOnce(text));
  if (!parsed.success) {
    const wrong = parsed.error.issues
      .slice(0, 5)
      .map(({ path, message }) => `${path.join('.') || 'file'}: ${message}`);
    throw new DomainError(
      'certificate.unreadable',
      `This is not a certificate of an erasure as this version knows it (${wrong.join('; ')}).`,
    );
  }
  const known = new PublicKeys(keys);
  known.check(parsed.data);
  // It may be taken out and shown by itself, so its own signature has to be good as well.
  if (parsed.data.checkpoint) known.check(parsed.data.checkpoint);
  return parsed.data;
}

/** The keys of a JWK Set, or the one key that the file is. @throws DomainError `signature.keys_unreadable`, `json.*` */
export function readKeys(text: string): PublicJwk[] {
  const json = parseOnce(text);
  const set = PublicKeySet.safeParse(json);
  if (set.success) return set.data.keys;
  const one = PublicJwk.safeParse(json);
  if (one.success) return [one.data];
  throw new DomainError(
    'signature.keys_unreadable',
    'The key is neither a JWK Set nor a JWK of an Ed25519 public key with its kid.',
  );
}

import { createHash, createHmac } from 'node:crypto';
import sodium from 'libsodium-wrappers';
import { DomainError } from '../errors.js';

await sodium.ready;

/** First byte of every sealed field; a later scheme (subject keys) gets the next number. */
const VERSION = 0;

/**
 * Seals what Habeas itself keeps about a person. Later schemes give each subject a key of their own, so callers
 * name the purpose now; today every purpose has a key derived from MASTER_KEY.
 */
export class Sealing {
  constructor(private readonly masterKey: Buffer) {
    if (masterKey.length !== 32) throw new DomainError('config.invalid', 'MASTER_KEY must be 32 bytes.');
  }

  /** version ‖ nonce (24) ‖ secretbox (XSalsa20-Poly1305), a fresh nonce per record. */
  seal(purpose: string, value: unknown): Buffer {
    const nonce = sodium.randombytes_buf(sodium.crypto_secretbox_NONCEBYTES);
    const box = sodium.crypto_secretbox_easy(Buffer.from(JSON.stringify(value)), nonce, this.key(purpose));
    return Buffer.concat([Buffer.of(VERSION), nonce, box]);
  }

  /**
   * What was sealed; `T` is the caller's word for its shape, which the seal itself vouches for.
   * @throws DomainError `sealing.unreadable` for another key, purpose or version, or a changed byte
   */
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- see above
  open<T>(purpose: string, sealed: Buffer): T {
    const nonceEnd = 1 + sodium.crypto_secretbox_NONCEBYTES;
    if (sealed[0] !== VERSION || sealed.length <= nonceEnd) throw unreadable();
    try {
      const plain = sodium.crypto_secretbox_open_easy(
        sealed.subarray(nonceEnd),
        sealed.subarray(1, nonceEnd),
        this.key(purpose),
      );
      return JSON.parse(Buffer.from(plain).toString('utf8')) as T;
    } catch {
      throw unreadable();
    }
  }

  /** Keyed hash (HMAC-SHA256) that finds equal values without keeping them, e.g. the mail of an old request. */
  digest(purpose: string, value: string): Buffer {
    return createHmac('sha256', this.key(`digest:${purpose}`))
      .update(value, 'utf8')
      .digest();
  }

  private key(purpose: string): Buffer {
    return createHmac('sha256', this.masterKey).update(`habeas:${purpose}`).digest();
  }
}

const unreadable = () =>
  new DomainError(
    'sealing.unreadable',
    'A sealed field cannot be opened: MASTER_KEY is not the one it was sealed with.',
  );

/** What is kept of a bearer token: its sha256. The token itself has 256 random bits, so no salt is needed. */
export const hashToken = (token: Buffer): Buffer => createHash('sha256').update(token).digest();

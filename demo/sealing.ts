import sodium from 'libsodium-wrappers';

await sodium.ready;

// Atelier's own key, derived so that every load seals alike. Habeas never has it: to Habeas a sealed value
// is what is stored, and that is what it hands out.
const hostKey = sodium.crypto_generichash(
  sodium.crypto_secretbox_KEYBYTES,
  'the key of the demo host app',
  null,
);

/** A secretbox and its nonce, as Postgres writes bytea: `\x` and hex. */
export interface Sealed {
  sealed: string;
  nonce: string;
}

/** Seals for one record. `record` names it (table, column and key) and makes its nonce its own. */
export function seal(record: string, text: string): Sealed {
  const nonce = sodium.crypto_generichash(sodium.crypto_secretbox_NONCEBYTES, record, null);
  const sealed = sodium.crypto_secretbox_easy(text, nonce, hostKey);
  return { sealed: bytea(sealed), nonce: bytea(nonce) };
}

/** What Atelier itself would read. @throws when the box was sealed with another key or nonce. */
export function unseal({ sealed, nonce }: Sealed): string {
  return sodium.to_string(sodium.crypto_secretbox_open_easy(fromBytea(sealed), fromBytea(nonce), hostKey));
}

const bytea = (bytes: Uint8Array): string =>
  `\\x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`;
const fromBytea = (text: string): Uint8Array => Buffer.from(text.slice(2), 'hex');

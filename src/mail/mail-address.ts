import addressparser from 'nodemailer/lib/addressparser';
import { DomainError } from '../errors.js';

export interface MailAddress {
  name: string;
  address: string;
}

/**
 * Whether this is one address that can be put into a header and an SMTP command as it stands. Quoted local parts
 * are left out: nobody has them, and they are where injection hides. Whether the mailbox exists, its server says.
 */
export const isMailAddress = (text: string): boolean =>
  text.length <= 254 && /^[^\s\p{C}"(),:;<>@[\\\]]{1,64}@[^\s\p{C}"(),:;<>@[\\\]]+$/u.test(text);

/** Whether this is what an erasure has put in the place of an address: nobody reads it. */
export const isNobodys = (text: string): boolean => /@deleted\.invalid$/i.test(text.trim());

/**
 * `Habeas <privacy@example.com>` as name and address.
 * @throws DomainError `config.invalid` unless MAIL_FROM is exactly one address
 */
export function senderAddress(text: string): MailAddress {
  const [first, ...others] = /\p{Cc}/u.test(text) ? [] : addressparser(text, { flatten: true });
  if (first && others.length === 0 && isMailAddress(first.address)) {
    return { name: first.name, address: first.address };
  }
  throw new DomainError(
    'config.invalid',
    'MAIL_FROM must be one address, such as Habeas <privacy@example.com>.',
  );
}

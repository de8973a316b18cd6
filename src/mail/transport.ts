import { type Enclosure } from './catalogue/letter.js';

/** A mail that is ready to leave. */
export interface OutgoingMail {
  /** Of the outbox row: the same mail has the same id however often it is tried. */
  id: string;
  template: string;
  to: string;
  subject: string;
  text: string;
  html: string;
  language: string;
  enclosures: readonly Enclosure[];
  /** When it was written, which is what its Date header says. */
  writtenAt: Date;
}

/**
 * What became of a try. `failure` is a code of ours and never the server's words, which may quote the address.
 * Not accepted and not permanent: the same mail may be tried again.
 */
export type Handover = { accepted: true } | { accepted: false; permanent: boolean; failure: MailFailure };

export type MailFailure = `mail.${string}` | `sealing.${string}`;

/** Hands mails over to whoever carries them on. Expected failures are answered, not thrown. */
export interface MailTransport {
  /** Answers within `LONGEST_HANDOVER`, whatever the other side does. */
  send(mail: OutgoingMail): Promise<Handover>;
  close(): Promise<void>;
}

export const MAIL_TRANSPORT = Symbol('mail transport');

/** Milliseconds. The outbox's claim on a row is longer, so that two workers never hand over the same mail at once. */
export const LONGEST_HANDOVER = 2 * 60_000;

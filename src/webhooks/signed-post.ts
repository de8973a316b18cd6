import { Webhook } from 'standardwebhooks';
import { outgoing, type OutgoingAnswer } from '../http/outgoing.js';
import { type Reach } from '../http/outgoing-address.js';

export interface SignedPost {
  url: string;
  /** `whsec_…`; of several, each signs, so that a receiver may know either. */
  secret: string | readonly string[];
  /** `webhook-id`: the same for every attempt, so that a receiver can tell a repetition. */
  id: string;
  /** When this attempt is made; receivers refuse one that is older than minutes. */
  at: Date;
  /** As it is signed and sent, e.g. of `payload`. */
  body: string;
  reach: Reach;
  /** Milliseconds. */
  timeout?: number;
}

/** The body of a message, as the specification suggests: what happened, when, and ids and codes of it. */
export const payload = (type: string, at: Date, data: Record<string, unknown>): string =>
  JSON.stringify({ type, timestamp: at.toISOString(), data });

/** @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
export function signatureHeaders({
  secret,
  id,
  at,
  body,
}: Pick<SignedPost, 'secret' | 'id' | 'at' | 'body'>) {
  const secrets = typeof secret === 'string' ? [secret] : secret;
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': secrets.map((one) => new Webhook(one).sign(id, at, body)).join(' '),
  };
}

/**
 * One signed message (Standard Webhooks). Any status is an answer; only 2xx means that it was taken.
 * @throws DomainError as `outgoing` does
 */
export function signedPost({ url, reach, timeout, ...message }: SignedPost): Promise<OutgoingAnswer> {
  return outgoing(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...signatureHeaders(message) },
    body: message.body,
    reach,
    ...(timeout !== undefined && { timeout }),
  });
}

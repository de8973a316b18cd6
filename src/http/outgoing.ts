import { type IncomingMessage, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { DomainError } from '../errors.js';
import { guardedLookup, readTarget, type Reach, type Resolve } from './outgoing-address.js';

export interface OutgoingCall {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  headers?: Record<string, string>;
  body?: string;
  /** Where it may go: `reachOf(config)`. */
  reach: Reach;
  /** Milliseconds for all of it, the look-up of the name included; default 15,000. */
  timeout?: number;
  /** Of the name server; for tests of answers that change. */
  resolve?: Resolve;
}

export interface OutgoingAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  /** At most the first 4 KiB. */
  body: string;
}

const TIMEOUT = 15_000;
const CONNECT_TIMEOUT = 5_000;
const MOST_BYTES = 4096;

/**
 * One call to somebody else's server: to public addresses only (see `Reach`), over a connection of its own, following
 * no redirect. Any status is an answer; a server may not make us read more than 4 KiB of it.
 * @throws DomainError `outgoing.url_refused`, `outgoing.address_refused`, `outgoing.timeout`, `outgoing.unreachable`
 */
export async function outgoing(address: string, call: OutgoingCall): Promise<OutgoingAnswer> {
  const url = readTarget(address, call.reach);
  const over = AbortSignal.timeout(call.timeout ?? TIMEOUT);
  try {
    return await exchange(url, call, over);
  } catch (error) {
    if (error instanceof DomainError) throw error;
    // What the system says quotes the address; a code is enough to act on.
    if (over.aborted) throw new DomainError('outgoing.timeout', 'The other server took too long to answer.');
    throw new DomainError('outgoing.unreachable', 'The other server could not be reached.');
  }
}

function exchange(url: URL, { method, headers, body, reach, resolve }: OutgoingCall, over: AbortSignal) {
  return new Promise<OutgoingAnswer>((answer, fail) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const sent = send(url, {
      method,
      headers: { 'user-agent': 'Habeas', ...headers, ...length },
      lookup: guardedLookup(reach, resolve),
      agent: false,
      signal: over,
    });
    const connecting = setTimeout(() => {
      sent.destroy(new DomainError('outgoing.timeout', 'The other server took too long to connect.'));
    }, CONNECT_TIMEOUT);
    const connected = () => clearTimeout(connecting);
    sent.once('socket', (socket) =>
      socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', connected),
    );
    sent.once('close', connected);
    sent.once('error', fail);
    sent.once('response', (response) => {
      connected();
      readBeginning(response).then((text) => {
        answer({ status: response.statusCode ?? 0, headers: response.headers, body: text });
        sent.destroy();
      }, fail);
    });
    sent.end(body);
  });
}

async function readBeginning(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk.subarray(0, MOST_BYTES - bytes));
    bytes += chunk.length;
    if (bytes >= MOST_BYTES) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}

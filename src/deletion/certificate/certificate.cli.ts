/** What `habeas certificate verify` prints. */
import { readFile } from 'node:fs/promises';
import { DomainError, messageOf } from '../../errors.js';
import {
  type Certificate,
  type CertifiedCollection,
  type SignedCertificate,
  untilWhen,
} from './certificate.schema.js';
import { checkCertificate, readKeys } from './check.js';

export interface Verdict {
  text: string;
  /** 1: not to be relied on, or not to be checked with what was given. */
  exitCode: 0 | 1;
}

/** @param key a file with the issuer's public keys, which needs no network; or the https address of one */
export async function verifyCertificate(file: string, key: string): Promise<Verdict> {
  try {
    const keys = readKeys(await contentOf(key));
    return { text: told(checkCertificate(await contentOf(file), keys), key), exitCode: 0 };
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return { text: `NOT VERIFIED  ${error.message}\n${adviceOn(error.code)}`, exitCode: 1 };
  }
}

async function contentOf(place: string): Promise<string> {
  try {
    return /^https?:/.test(place) ? await fetched(place) : await readFile(place, 'utf8');
  } catch (error) {
    throw new DomainError('file.unreadable', `${place} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

async function fetched(address: string): Promise<string> {
  const { protocol, hostname } = new URL(address);
  if (protocol === 'http:' && !['localhost', '127.0.0.1', '[::1]'].includes(hostname))
    throw new Error('without https anybody on the way could have put another key there');
  const response = await fetch(address, { redirect: 'error', signal: AbortSignal.timeout(10_000) });
  if (!response.ok) throw new Error(`it answered ${response.status}`);
  return response.text();
}

const advice: Record<string, string> = {
  'signature.unknown_key':
    'Either somebody else signed it, or the keys given are older or newer than the certificate. The issuer publishes\n' +
    'its keys, those of before included, at /.well-known/habeas-keys.json. Take the address from whoever you asked to\n' +
    'erase, not from the certificate.\n',
  'signature.wrong':
    'At least one value differs from what was signed. Layout and order do not matter; everything else does.\n',
};
const adviceOn = (code: string): string => advice[code] ?? '';

const scopes: Record<Certificate['scope'], string> = {
  account: 'a person’s account and of what was held about them',
  person: 'what one workspace held about a person',
  workspace: 'a workspace with what was in it',
};
const fates: Record<CertifiedCollection['rule'], string> = {
  delete: 'deleted',
  pseudonymise: 'pseudonymised',
  clear: 'cleared',
  tombstone: 'cleared, then swept',
  keep: 'kept',
};

function told(certificate: SignedCertificate, key: string): string {
  const { scope, law, completedAt, mentions, signature } = certificate;
  const lines = [
    `VERIFIED  The signature fits, by key ${signature.kid} from ${key}.`,
    '',
    `Erasure of ${scopes[scope]}${law === null ? '' : ` (${law})`}, done on ${momentOf(completedAt)}.`,
    `Erasure ${certificate.erasureId} of request ${certificate.requestId}, certified by ${certificate.issuer}.`,
    '',
    ...tableOf(certificate.collections),
    '',
    certificate.scope === 'workspace'
      ? 'Counted again afterwards: nothing of the workspace was left but what is kept.'
      : 'Searched afterwards: nothing was left that identifies the person.',
    ...(mentions > 0
      ? [`${count(mentions, 'place')} in what others wrote may mention them, for review.`]
      : []),
    ...(certificate.recipients ?? []).map((title) => `Told of it, or to be told: ${title}.`),
    ...pendingOf(certificate),
    `Gone from backups by the end of ${certificate.backups.goneBy} (UTC).`,
    ...(certificate.storage.versionsGoneBy
      ? [
          `Earlier versions of files gone from the object store by the end of ${certificate.storage.versionsGoneBy} (UTC).`,
        ]
      : []),
    `By the data map with sha256 ${certificate.dataMap}.`,
  ];
  return `${lines.join('\n')}\n`;
}

function tableOf(collections: readonly CertifiedCollection[]): string[] {
  const width = Math.max(0, ...collections.map(({ collection }) => collection.length));
  return collections.map(({ collection, rule, rows, files, ground, until }) => {
    const counts = `${count(rows, 'row')}${files > 0 ? `, ${count(files, 'file')}` : ''}`;
    const why = ground === undefined || until === undefined ? (ground ?? until) : untilWhen(ground, until);
    return `  ${collection.padEnd(width)}  ${fates[rule].padEnd(19)}  ${counts}${why ? `  (${why})` : ''}`;
  });
}

function pendingOf({ pendingSweeps, final }: Certificate): string[] {
  if (final) return ['This is the final certificate: nothing is left to be swept.'];
  const each = pendingSweeps.map(
    ({ collection, rows, on }) => `${count(rows, 'row')} of ${collection} on ${on}`,
  );
  return [`Emptied, and still to be swept: ${each.join(', ')}. A final certificate follows.`];
}

const momentOf = (iso: string): string => `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;

import { DomainError, type ErrorCode } from '../errors.js';
import { unavailable } from './object-store.js';

/** Supabase answers most errors with HTTP 400, and says in the body which one it is. */
interface Said {
  statusCode?: string;
  code?: string;
  error?: string;
  name?: string;
  message?: string;
}

const known: Record<string, { code: ErrorCode; message: string }> = {
  InvalidKey: { code: 'object.path_invalid', message: 'The object storage does not accept such a name.' },
  EntityTooLarge: {
    code: 'storage.too_large',
    message: 'The object is larger than the storage allows. Raise its upload limit.',
  },
};

/** The error to throw for what the storage, or the way to it, said; `what` completes "could not …". */
export function storageError(what: string, error: unknown): DomainError {
  if (error instanceof DomainError) return error;
  const said = (error ?? {}) as Said;
  const match =
    known[said.code ?? ''] ??
    known[said.error ?? ''] ??
    (said.statusCode === '413' ? known['EntityTooLarge'] : undefined);
  return match ? new DomainError(match.code, match.message, { cause: error }) : unavailable(what, error);
}

export function isMissing(error: unknown): boolean {
  const { statusCode, code } = (error ?? {}) as Said;
  return statusCode === '404' || code === 'NoSuchKey' || code === 'NoSuchBucket';
}

export function isExisting(error: unknown): boolean {
  const { statusCode, code } = (error ?? {}) as Said;
  return statusCode === '409' || code === 'ResourceAlreadyExists' || code === 'KeyAlreadyExists';
}

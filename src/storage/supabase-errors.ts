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

/** Nothing can be there under a name that the storage does not accept, either. */
export function isMissing(error: unknown): boolean {
  const { statusCode, code, error: named } = (error ?? {}) as Said;
  return statusCode === '404' || ['NoSuchKey', 'NoSuchBucket', 'InvalidKey'].includes(code ?? named ?? '');
}

/** The address is not the one that was signed: something on the way made another of it. */
export const isBent = (error: unknown): boolean => {
  const { code, error: named } = (error ?? {}) as Said;
  return (code ?? named) === 'InvalidSignature';
};

/** The refusal with its name as `code`: older servers say it in `error` only, which the library does not pass on. */
export async function withCode(refusal: Response): Promise<Response> {
  const text = await refusal.text();
  const { status, statusText } = refusal;
  try {
    const said = JSON.parse(text) as Said;
    return Response.json({ code: said.error, ...said }, { status, statusText });
  } catch {
    return new Response(text, { status, statusText });
  }
}

export function isExisting(error: unknown): boolean {
  const { statusCode, code } = (error ?? {}) as Said;
  return statusCode === '409' || code === 'ResourceAlreadyExists' || code === 'KeyAlreadyExists';
}

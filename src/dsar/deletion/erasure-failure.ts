import { DomainError } from '../../errors.js';
import { type Failure } from '../request.js';

/** Why an erasure stopped, in our own words: messages of databases and libraries may quote values. */
export function erasureFailureOf(error: unknown): Failure {
  if (error instanceof DomainError) return { code: error.code, message: error.message };
  const { code } = error as { code?: unknown };
  const known = typeof code === 'string' && /^[A-Z0-9_]{2,40}$/.test(code) ? ` (${code})` : '';
  return { code: 'erasure.failed', message: `The erasure could not be finished${known}.` };
}

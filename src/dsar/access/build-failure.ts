import { isMisfit } from '../../datamap/misfit.js';
import { DomainError, type ErrorCode } from '../../errors.js';

/** What Postgres says of a schema that is not as the map says: these words hold names of the schema only. */
const schemaWords =
  /^(?:(?:column|relation|table|type|schema|function) \S+ does not exist|permission denied for \w+ \S+|query would be affected by row-level security policy for table "[^"]+")$/;

/** Why a package could not be built, in our own words: messages of databases and libraries may quote values. */
export function failureOf(error: unknown): { code: ErrorCode; message: string } {
  if (error instanceof DomainError) return { code: error.code, message: error.message };
  const { code, message } = error as { code?: unknown; message?: unknown };
  const known = typeof code === 'string' && /^[A-Z0-9_]{2,40}$/.test(code) ? code : undefined;
  if (known === 'ENOSPC' || known === 'EDQUOT')
    return { code: 'storage.full', message: 'The disk is full. Make room; the work is then retried.' };
  if (isMisfit(error)) {
    const says = typeof message === 'string' && schemaWords.test(message) ? message : `error ${known ?? ''}`;
    return {
      code: 'export.host_changed',
      message: `The database is not what the data map was checked against: ${says}. See npx habeas datamap check.`,
    };
  }
  return {
    code: 'export.failed',
    message: `The package could not be built${known === undefined ? '' : ` (${known})`}.`,
  };
}

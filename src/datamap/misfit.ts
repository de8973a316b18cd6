import { DomainError } from '../errors.js';

/** Undefined column, table, function, type, schema; no privilege: the host's schema is not as the map says. */
const schemaErrors = new Set(['42703', '42P01', '42501', '42883', '42704', '3F000']);

/** Whether Postgres refused a statement over host tables because they are not what the data map was checked against. */
export const isMisfit = (error: unknown): boolean =>
  schemaErrors.has(String((error as { code?: unknown } | undefined)?.code));

/** The answer where nothing can be done without the host's tables; any other error is thrown as it is. */
export function driftOr(error: unknown): never {
  if (!isMisfit(error)) throw error;
  throw new DomainError(
    'datamap.drift',
    'The database has changed in a way that the data map does not know. Try again later.',
    { cause: error },
  );
}

/** For what must go on without the host's tables: `fallback` where they do not fit; any other error is thrown. */
export const unlessMisfit =
  <T>(fallback: T) =>
  (error: unknown): T => {
    if (isMisfit(error)) return fallback;
    throw error;
  };

import { DomainError } from '../errors.js';

/**
 * What a log may hold of an error: its kind, its codes and where it was thrown. Not the message, unless it is
 * ours: Postgres quotes values in `message`, `detail` and `where`, TypeORM adds `query` and `parameters`.
 */
export function describeError(error: unknown, depth = 0): Record<string, unknown> {
  if (!(error instanceof Error)) return { type: typeof error };
  const { cause } = error;
  // TypeORM wraps pg's error and repeats it.
  const { driverError, errors } = error as { driverError?: unknown; errors?: unknown };
  return {
    type: error.constructor.name,
    ...(error instanceof DomainError && { message: error.message }),
    ...codesOf(error),
    ...(depth < 3 && driverError instanceof Error && { driver: describeError(driverError, depth + 1) }),
    ...(depth < 3 && cause !== undefined && { cause: describeError(cause, depth + 1) }),
    ...(depth < 3 &&
      Array.isArray(errors) && {
        errors: errors.slice(0, 5).map((inner) => describeError(inner, depth + 1)),
      }),
    stack: framesOf(error),
  };
}

/** Names of things in a schema or a system, never contents. */
const safeFields = [
  'code',
  'severity',
  'schema',
  'table',
  'column',
  'constraint',
  'routine',
  'syscall',
  'statusCode',
];

const codesOf = (error: Error) =>
  Object.fromEntries(
    safeFields
      .map((name) => [name, (error as unknown as Record<string, unknown>)[name]] as const)
      .filter(
        ([, value]) =>
          typeof value === 'number' || (typeof value === 'string' && /^[\w.$-]{1,80}$/.test(value)),
      ),
  );

/** The frames alone: the first lines of a stack are the message. */
const framesOf = ({ stack = '' }: Error) =>
  stack
    .split('\n')
    .filter((line) => /^ {4}at .*:\d+:\d+\)?$/.test(line))
    .slice(0, 12)
    .map((line) => line.trim().replace('at ', ''));

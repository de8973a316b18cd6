/** What Postgres says when a batch fails, as far as it may be told: names of tables and constraints, never values. */
import { DomainError } from '../errors.js';
import { type Hindrance } from './hindrance/hindrances.js';

interface PostgresError {
  code?: string;
  constraint?: string;
  schema?: string;
  table?: string;
}

/** Somebody holds a lock, or two transactions met: nothing is wrong, it only has to be tried again. */
export function isPassing(error: unknown): boolean {
  // lock_not_available, deadlock_detected, serialization_failure, query_canceled (statement timeout)
  return ['55P03', '40P01', '40001', '57014'].includes((error as PostgresError).code ?? '');
}

/**
 * The error to tell. Integrity violations (class 23) name their constraint; of what else Postgres says only the code
 * is told, since its words, and the driver's error with its parameters, may hold values.
 */
export function failureOf(error: unknown, collection: string, table: string, done: number): unknown {
  const { code, constraint, schema, table: at } = error as PostgresError;
  if (error instanceof DomainError || code?.length !== 5) return error;
  if (!code.startsWith('23'))
    return new DomainError(
      'erasure.refused_by_database',
      `Postgres refuses to erase ${collection} (table ${table}): SQLSTATE ${code}, see its own log. ${soFar(done)}`,
      { extra: { collection, table, sqlState: code, done } },
    );
  const where = at === undefined ? table : `${schema ?? ''}.${at}`;
  return new DomainError(
    'erasure.blocked_by_constraint',
    `Constraint ${constraint ?? '(without a name)'} of table ${where} stops the erasure of ${collection} (table ${table}). ` +
      `${soFar(done)} Tell the data map what is to become of ${where}, or free the rows; then try again.`,
    { extra: { collection, table, constraint: constraint ?? '', at: where, done } },
  );
}

export const rowsLocked = (collection: string, table: string, rows: number): DomainError =>
  new DomainError(
    'erasure.rows_locked',
    `${rows} rows of ${collection} (table ${table}) are locked by somebody else. It is tried again.`,
    { extra: { collection, table, rows } },
  );

export const rowsCameBack = (collection: string, table: string, rows: number, done: number): DomainError =>
  new DomainError(
    'erasure.rows_came_back',
    `Of ${collection}, ${rows} rows are in table ${table} again after they were erased: a trigger or the application ` +
      `puts them back. ${soFar(done)}`,
    { extra: { collection, table, rows, done } },
  );

export const reachesOthers = (
  collection: string,
  table: string,
  rows: number,
  keys: string,
  done: number,
): DomainError =>
  new DomainError(
    'erasure.blocked_by_constraint',
    `${rows} rows of ${collection} (table ${table}) stay: deleting them would, by ON DELETE CASCADE of ${keys}, take along rows ` +
      `that are not theirs. ${soFar(done)}`,
    { extra: { collection, table, constraint: keys, rows, done } },
  );

/** Everything that a dry run has found, in one. @param begun whether an earlier attempt has erased something */
export function standsInTheWay(found: readonly Hindrance[], begun: boolean): DomainError {
  const sentences = found.map(
    ({ collection, table, constraint, at, what }) =>
      `constraint ${constraint} of table ${at} ${consequence[what]} ${collection} (table ${table})`,
  );
  const each = [...new Set(sentences)];
  const list = (values: string[]) => [...new Set(values)].join(', ');
  return new DomainError(
    'erasure.blocked_by_constraint',
    `${each.length === 1 ? 'A foreign key stands' : `${each.length} foreign keys stand`} in the way of this erasure: ${each.join('; ')}. ` +
      `${begun ? 'What was erased before stays erased; this time nothing has been.' : 'Nothing of it has been erased.'} ` +
      `Tell the data map what is to become of these rows, or free them; then try again.`,
    {
      extra: {
        constraint: list(found.map(({ constraint }) => constraint)),
        at: list(found.map(({ at }) => at)),
        table: list(found.map(({ table }) => table)),
        begun,
      },
    },
  );
}

const consequence: Record<Hindrance['what'], string> = {
  'takes along': 'would by ON DELETE CASCADE take rows that are not theirs along with',
  'holds back': 'refers from rows that stay to',
  'leads where nobody may look': 'would by ON DELETE CASCADE take rows that nobody may look at along with',
};

const soFar = (done: number): string =>
  done === 0 ? 'Nothing of it has been erased.' : `${done} of its rows have been erased already.`;

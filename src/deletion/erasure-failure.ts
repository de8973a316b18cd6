/** What Postgres says when a batch fails, as far as it may be told: names of tables and constraints, never values. */
import { DomainError } from '../errors.js';
import { type Hindrance } from './hindrance/hindrances.js';

interface PostgresError {
  code?: string;
  constraint?: string;
  schema?: string;
  table?: string;
}

/** How far an erasure is, in rows. */
export interface SoFar {
  /** Of the collection that is told of. */
  own: number;
  /** Of all others. */
  elsewhere: number;
  /** Whether anything has been changed for good, a whole row or not. */
  begun: boolean;
}

/** Somebody holds a lock, or two transactions met: nothing is wrong, it only has to be tried again. */
export function isPassing(error: unknown): boolean {
  // lock_not_available, deadlock_detected, serialization_failure, query_canceled (statement timeout)
  return ['55P03', '40P01', '40001', '57014'].includes((error as PostgresError).code ?? '');
}

/**
 * The error to tell. Integrity violations (class 23) name their constraint; of what else Postgres says only the code
 * is told, since its words, and the driver's error with its parameters, may hold values.
 * @param far 0: nothing has been done; absent: nobody can tell
 */
export function failureOf(error: unknown, collection: string, table: string, far?: SoFar | 0): unknown {
  const { code, constraint, schema, table: at } = error as PostgresError;
  if (!isOfPostgres(error) || code === undefined) return error;
  const done = far === 0 ? 0 : (far?.own ?? 0);
  if (!code.startsWith('23'))
    return new DomainError(
      'erasure.refused_by_database',
      `Postgres refuses to erase ${collection} (table ${table}): SQLSTATE ${code}, see its own log. ${soFar(far)}`,
      { extra: { collection, table, sqlState: code, done } },
    );
  const where = at === undefined ? table : `${schema ?? ''}.${at}`;
  return new DomainError(
    'erasure.blocked_by_constraint',
    `Constraint ${constraint ?? '(without a name)'} of table ${where} stops the erasure of ${collection} (table ${table}). ` +
      `${soFar(far)} Tell the data map what is to become of ${where}, or free the rows; then try again.`,
    { extra: { collection, table, constraint: constraint ?? '', at: where, done } },
  );
}

/** Whether Postgres itself has said it. */
export const isOfPostgres = (error: unknown): boolean =>
  !(error instanceof DomainError) && (error as PostgresError).code?.length === 5;

export const rowsLocked = (collection: string, table: string, rows: number): DomainError =>
  new DomainError(
    'erasure.rows_locked',
    `${rows} rows of ${collection} (table ${table}) are locked by somebody else. It is tried again.`,
    { extra: { collection, table, rows } },
  );

/** They had gone, and are there again. */
export const rowsCameBack = (collection: string, table: string, rows: number, far: SoFar): DomainError =>
  new DomainError(
    'erasure.rows_came_back',
    `Of ${collection}, ${rows} rows are in table ${table} again after they were erased: a trigger or the application ` +
      `puts them back. ${soFar(far)}`,
    { extra: { collection, table, rows, done: far.own } },
  );

/** They were never gone: whatever was done to them was undone before it could be committed. */
export const rowsKept = (collection: string, table: string, rows: number, far: SoFar): DomainError =>
  new DomainError(
    'erasure.rows_came_back',
    `Of ${collection}, the database kept ${rows} rows in table ${table} as they were, or put them back at once: a trigger ` +
      `or a rule of it does not let them be erased. ${soFar(far)}`,
    { extra: { collection, table, rows, done: far.own } },
  );

export const reachesOthers = (
  collection: string,
  table: string,
  rows: number,
  keys: string,
  far: SoFar,
): DomainError =>
  new DomainError(
    'erasure.blocked_by_constraint',
    `${rows} rows of ${collection} (table ${table}) stay: deleting them would, by ON DELETE CASCADE of ${keys}, take along rows ` +
      `that are not theirs. ${soFar(far)}`,
    { extra: { collection, table, constraint: keys, rows, done: far.own } },
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

function soFar(far: SoFar | 0 | undefined): string {
  if (far === undefined) return 'What has been erased stays erased.';
  const { own, elsewhere, begun } = far === 0 ? { own: 0, elsewhere: 0, begun: false } : far;
  if (own > 0)
    return `${own} of its rows have been erased already${elsewhere > 0 ? `, and ${elsewhere} of other collections` : ''}.`;
  if (elsewhere > 0)
    return `None of its rows has been erased; ${elsewhere} rows of other collections have been already.`;
  return begun ? 'No row has been erased as a whole.' : 'Nothing of it has been erased.';
}

import { isClean, type Place, type ResidueReport } from '../../deletion/residue/report.js';
import { DomainError } from '../../errors.js';

/**
 * Holds an erasure against what the search has found, in names of tables.
 * @throws DomainError `residue.found`; `erasure.rows_came_back`, to be tried again, where only Habeas's own rows name the
 * person: all had gone, and another matter of theirs, or an event of the app, has written of them since
 */
export function assertNothingLeft(report: ResidueReport | undefined): asserts report is ResidueReport {
  if (!report) throw new Error('the search gave no report');
  if (isClean(report)) return;
  const { residues, unreadable } = report;
  const places = [
    ...byColumn(residues).map(([column, rows]) => `${column} (${rows})`),
    ...unreadable.map(({ schema, table, why }) => `${schema}.${table} (${why})`),
  ].join(', ');
  if (unreadable.length === 0 && residues.every(({ schema }) => schema === 'habeas'))
    throw new DomainError(
      'erasure.rows_came_back',
      `While they were erased, something else was written of them: ${places}. It is tried again.`,
    );
  throw new DomainError('residue.found', `Something is left, or cannot be searched: ${places}.`);
}

/** Each column once: a row that holds a mail and a key is told for both, so there are as many rows as for either at least. */
function byColumn(places: readonly Place[]): [column: string, rows: number][] {
  const most = new Map<string, number>();
  for (const { schema, table, column, rows } of places) {
    const name = `${schema}.${table}.${column}`;
    most.set(name, Math.max(rows, most.get(name) ?? 0));
  }
  return [...most];
}

/** What becomes of tombstones whose time has come. Whom they were about is forgotten by then. */
import { changesOf } from '../../datamap/changes.js';
import { qualified, quoted } from '../../datamap/names.js';
import { type SqlRunner } from '../../database/unit-of-work.js';
import { lockedFirst } from '../step/row-locks.js';
import { type Statement, statementOf, type Values } from '../step/statement.js';
import { liesAt, type StepRows } from '../step/rows.js';

/** Deletes the rows of these tombstones, as far as they still are what erasure made of them and nobody has locked them. */
export async function sweepTombstones(db: SqlRunner, rows: StepRows, keys: unknown[]): Promise<void> {
  const due = (values: Values) => isCleared(rows, values, keys);
  const places = await lockedFirst(db, rows, { rows: due, locked: 'skip' });
  const { sql, values } = statementOf((all) => {
    const condition = [...(places ? [liesAt(all, places)] : []), due(all)].join(' and ');
    return `delete from ${qualified(rows.table)} as t where ${condition}`;
  });
  await db.query(sql, values);
}

/** `{key, filled}`: the tombstones among these whose rows exist, and whether somebody has written into them again. */
export const stillBuried = (rows: StepRows, keys: unknown[]): Statement =>
  statementOf((values) => {
    const empty = emptied(rows).join(' and ') || 'true';
    const filled = `(${empty}) is not true as filled`;
    return `select ${rows.keyArray()} as key, ${filled} from ${qualified(rows.table)} as t where ${rows.hasKey(values, keys)}`;
  });

function isCleared(rows: StepRows, values: Values, keys: unknown[]): string {
  const guard = rows.guard.takesNobodyAlong(rows.table);
  return [rows.hasKey(values, keys), ...emptied(rows), ...(guard === undefined ? [] : [guard])].join(' and ');
}

const emptied = ({ collection }: StepRows): string[] =>
  Object.entries(changesOf(collection))
    .filter(([, value]) => value === null)
    .map(([column]) => `t.${quoted(column)} is null`);

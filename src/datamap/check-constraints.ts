/** CHECK constraints, and NOT NULL of computed columns, over what erasure writes. */
import { type SqlRunner } from '../database/unit-of-work.js';
import { columnsIn, erasable, rewritten, type RowQuestions, type Written } from './check-rows.js';
import { ask, type Found } from './check-values.js';
import { finding } from './findings.js';
import { type DataMap } from './map.js';
import { quoted } from './names.js';

interface Constraint {
  /** As a sentence begins with it. */
  name: string;
  expression: string;
}

/**
 * One that looks at written columns only has an answer. Of one that looks at others too the rows know: those that are
 * there are tried with what erasure would write.
 */
export async function refusedByChecks(
  db: SqlRunner,
  map: DataMap,
  written: Written,
  rows: RowQuestions,
): Promise<Found> {
  const found: Found = { errors: [], warnings: [] };
  for (const constraint of constraintsOf(written)) {
    const columns = columnsIn(written, constraint.expression);
    const own = columns.filter((column) => column in written.changes);
    const others = columns.filter((column) => !(column in written.changes));
    if (own.length === 0) continue;
    const asked =
      others.length === 0
        ? await byItself(db, written, constraint)
        : await byRows(map, written, constraint, rows);
    if (asked === 'allowed') continue;
    const where = own.join(', ');
    const { name } = constraint;
    const table = written.table;
    const looks = `${name} looks at ${others.join(', ')} as well, which the erasure rule leaves as they are`;
    if (asked === 'refused')
      found.errors.push(
        finding(
          'erasure.impossible',
          table,
          where,
          others.length === 0
            ? `${name} refuses what the erasure rule writes. Set values that it allows, or change it.`
            : `${looks}: it refuses what the rule writes into ${where} of a row that is there. Set those columns too, set values that it allows, or change it.`,
        ),
      );
    else
      found.warnings.push(
        finding(
          'erasure.uncertain',
          table,
          where,
          others.length === 0
            ? `${name} could not be tried with what the erasure rule writes: ${asked.why}.`
            : `${looks}: it may refuse some rows, and could not be tried (${asked.why}). Set those columns too, or make sure that it allows every combination.`,
        ),
      );
  }
  return found;
}

const constraintsOf = ({ facts }: Written): Constraint[] => [
  ...facts.checks.map(({ name, expression }) => ({ name: `CHECK constraint ${name}`, expression })),
  ...facts.generated
    .filter(({ notNull }) => notNull)
    .map(({ name }) => ({
      name: `NOT NULL of the computed column ${name}`,
      expression: `${quoted(name)} is not null`,
    })),
];

type Verdict = 'allowed' | 'refused' | { why: string };

async function byItself(db: SqlRunner, written: Written, { expression }: Constraint): Promise<Verdict> {
  const { row, refusal } = await ask(
    db,
    `select (${expression}) is false as v from ${rewritten(written, [expression])}`,
  );
  if (!row) return { why: refusal ?? 'Postgres did not answer' };
  return row.v ? 'refused' : 'allowed';
}

async function byRows(
  map: DataMap,
  written: Written,
  { expression }: Constraint,
  rows: RowQuestions,
): Promise<Verdict> {
  const from = `from ${rewritten(written, [expression], { rows: erasable(map, written.collection) })}`;
  const answer = await rows.refused(`${from} where (${expression}) is false`, from);
  if (answer === 'yes') return 'refused';
  if (answer === 'no') return 'allowed';
  return { why: answer === 'none' ? 'there is no row yet to try it with' : answer.unanswered };
}

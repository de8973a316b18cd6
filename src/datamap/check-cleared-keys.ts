/** CHECK constraints over the columns of others' rows that a foreign key clears (ON DELETE SET NULL) when erasure deletes a row. */
import { type SqlRunner } from '../database/unit-of-work.js';
import { type Catalogue, tableIn } from './catalogue.js';
import { isDeleted } from './changes.js';
import { columnsIn, rewritten, type RowQuestions, type Written } from './check-rows.js';
import { type Found } from './check-values.js';
import { erasureFacts } from './erasure-facts.js';
import { finding } from './findings.js';
import { type Collection, type DataMap } from './map.js';
import { quoted, shown } from './names.js';
import { type Referrer, referrersOf, tableBehind } from './referrers.js';

/** Must run in a transaction. Rows that hold the key are tried without it: one refusal refuses the map. */
export async function refusedByClearedKeys(
  db: SqlRunner,
  map: DataMap,
  catalogue: Catalogue,
  rows: RowQuestions,
): Promise<Found> {
  const found: Found = { errors: [], warnings: [] };
  for (const collection of Object.values(map.collections).filter(isDeleted)) {
    const table = tableIn(catalogue, collection.table);
    const behind = table && !collection.builtIn && tableBehind(catalogue, table);
    if (!behind) continue;
    for (const referrer of referrersOf(catalogue, behind))
      if (referrer.key.onDelete === 'set null') await tryOne(db, collection, referrer, rows, found);
  }
  return found;
}

async function tryOne(
  db: SqlRunner,
  collection: Collection,
  { child, key }: Referrer,
  rows: RowQuestions,
  found: Found,
): Promise<void> {
  const facts = await erasureFacts(db, child);
  const changes = Object.fromEntries(key.letsGo.map((column) => [column, null]));
  const written: Written = { collection, table: child, facts, changes };
  const held = key.columns.map((column) => `t.${quoted(column)} is not null`).join(' and ');
  for (const { name, expression } of facts.checks) {
    if (!columnsIn(written, expression).some((column) => column in changes)) continue;
    const from = `from ${rewritten(written, [expression], { rows: held, extra: { habeas_row: '1' } })}`;
    const answer = await rows.refused(`${from} where (${expression}) is false`, from);
    if (answer === 'no') continue;
    const where = key.columns.join(', ');
    const says =
      `When rows of ${shown(key.target)} are deleted (${collection.name}), ${key.name} clears ${key.letsGo.join(', ')} of rows that ` +
      `refer to them, and CHECK constraint ${name}`;
    if (answer === 'yes')
      found.errors.push(
        finding(
          'erasure.foreign_key',
          child,
          where,
          `${says} refuses that of a row that is there, so the delete fails. Let the constraint allow it, or let the rows of ${collection.name} stay (rule \`clear\` or \`pseudonymise\`).`,
        ),
      );
    else
      found.warnings.push(
        finding(
          'erasure.uncertain',
          child,
          where,
          `${says} could not be tried (${answer === 'none' ? 'there is no row yet to try it with' : answer.unanswered}). See that it allows that.`,
        ),
      );
  }
}

/**
 * Would Postgres take what the erasure rules write? It is asked, value by value and constraint by constraint, with
 * the values that a rule would set. No row is changed; rows are read where only they can tell (check-rows.ts).
 */
import { type SqlRunner } from '../database/unit-of-work.js';
import { type Catalogue, tableIn } from './catalogue.js';
import { changesOf } from './changes.js';
import { refusedByClearedKeys } from './check-cleared-keys.js';
import { refusedByChecks } from './check-constraints.js';
import { circles, sideEffects } from './check-facts.js';
import { heldColumns } from './check-followers.js';
import { ownIdentifiers } from './check-own-identifiers.js';
import { rewriteRules } from './check-rewrites.js';
import { type RowQuestions, type Written } from './check-rows.js';
import { collisions } from './check-unique.js';
import { ask, type Found, isPseudonym, typeOf, valueSql } from './check-values.js';
import { words } from './check-words.js';
import { erasureFacts } from './erasure-facts.js';
import { type Finding, finding } from './findings.js';
import { type DataMap } from './map.js';
import { qualified, quoted, shown } from './names.js';

/** Must run in a transaction: each question is asked in a savepoint. */
export async function checkChanges(
  db: SqlRunner,
  map: DataMap,
  catalogue: Catalogue,
  rows: RowQuestions,
): Promise<Found> {
  const found: Found = { errors: [], warnings: circles(map, catalogue) };
  for (const collection of Object.values(map.collections)) {
    const table = tableIn(catalogue, collection.table);
    if (!table || collection.builtIn || collection.erasure.rule === 'keep') continue;
    const facts = await erasureFacts(db, table);
    const changes = Object.fromEntries(
      Object.entries(changesOf(collection)).filter(([name]) => table.columns.some((c) => c.name === name)),
    );
    const written = { collection, table, facts, changes };
    const refused = await refusedValues(db, written);
    found.errors.push(...refused);
    // A constraint over a value that is none would only say so again.
    if (refused.length === 0) {
      add(found, await refusedByChecks(db, map, written, rows));
      add(found, await collisions(db, map, written, rows));
    }
    add(found, await danglings(db, written));
    found.errors.push(...heldColumns(map, catalogue, written));
    found.warnings.push(...sideEffects(written));
    add(found, words(written));
    add(found, ownIdentifiers(map, catalogue, written));
  }
  add(found, await refusedByClearedKeys(db, map, catalogue, rows));
  found.errors.push(...(await rewriteRules(db, map, catalogue)));
  return found;
}

const add = (found: Found, { errors, warnings }: Found): void => {
  found.errors.push(...errors);
  found.warnings.push(...warnings);
};

/** A label that the enum does not have, a value that the domain refuses, a date that is none. */
async function refusedValues(db: SqlRunner, { table, changes }: Written): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [name, value] of Object.entries(changes)) {
    const asked = await ask(db, `select ${valueSql(table, name, value)} as v`);
    if (asked.refusal !== undefined)
      findings.push(
        finding(
          'erasure.impossible',
          table,
          name,
          `Postgres refuses what the erasure rule writes: ${asked.refusal}. Set a value that ${typeOf(table, name)} takes.`,
        ),
      );
  }
  return findings;
}

/** Foreign keys that would point at nothing: a pseudonym is nobody's key. */
async function danglings(db: SqlRunner, { table, facts, changes }: Written): Promise<Found> {
  const found: Found = { errors: [], warnings: [] };
  for (const { name, columns, target, targetColumns } of facts.refersTo) {
    const written = columns.filter((column) => column in changes);
    // One part that is null and nothing is referred to.
    if (written.length === 0 || columns.some((column) => changes[column] === null)) continue;
    const where = written.join(', ');
    const message = `Foreign key ${name} refers to ${shown(target)}`;
    if (written.some((column) => isPseudonym(changes[column]))) {
      const say = `${message}, where no row has a pseudonym for a key. Clear the column, or leave it: who is pseudonymised there is nobody any more.`;
      found.errors.push(finding('erasure.impossible', table, where, say));
      continue;
    }
    if (written.length < columns.length) continue;
    const same = targetColumns.map(
      (column, n) =>
        `t.${quoted(column)} = ${valueSql(table, columns[n] ?? '', changes[columns[n] ?? ''] ?? null)}`,
    );
    const asked = await ask(
      db,
      `select exists (select from ${qualified(target)} as t where ${same.join(' and ')}) as v`,
    );
    if (asked.row && !asked.row.v)
      found.errors.push(
        finding(
          'erasure.impossible',
          table,
          where,
          `${message}, where no row has the key that the rule writes.`,
        ),
      );
    else if (!asked.row)
      found.warnings.push(
        finding(
          'erasure.uncertain',
          table,
          where,
          `${message}, where it could not be seen whether a row has the key that the rule writes: ${asked.refusal ?? ''}.`,
        ),
      );
  }
  return found;
}

/**
 * Would Postgres take what the erasure rules write? It is asked, value by value and constraint by constraint, with
 * the values that a rule would set; no row is changed, and none is read but the one that a constant refers to.
 */
import { messageOf } from '../errors.js';
import { type SqlRunner } from '../database/unit-of-work.js';
import { type Catalogue, type CatalogueTable, tableIn } from './catalogue.js';
import { changesOf, isDeleted } from './changes.js';
import {
  type Changes,
  circles,
  collisions,
  followers,
  type Found,
  heldColumns,
  isPseudonym,
  sideEffects,
} from './check-facts.js';
import { erasureFacts, type ErasureFacts } from './erasure-facts.js';
import { type Finding, finding } from './findings.js';
import { type Collection, type DataMap } from './map.js';
import { literal, qualified, quoted, shown } from './names.js';
import { type SetValue } from './schema.js';

const SAMPLE = '7a9b8c10-0000-4000-8000-000000000000';

/** Must run in a transaction: each question is asked in a savepoint. */
export async function checkChanges(db: SqlRunner, map: DataMap, catalogue: Catalogue): Promise<Found> {
  const found: Found = { errors: [], warnings: circles(map, catalogue) };
  for (const collection of Object.values(map.collections)) {
    const table = tableIn(catalogue, collection.table);
    if (!table || collection.builtIn || collection.erasure.rule === 'keep') continue;
    const facts = await erasureFacts(db, table);
    const changes = Object.fromEntries(
      Object.entries(changesOf(collection)).filter(([name]) => table.columns.some((c) => c.name === name)),
    );
    const refused = await refusedValues(db, table, changes);
    found.errors.push(...refused);
    // A constraint over a value that is none would only say so again.
    if (refused.length === 0) add(found, await refusedByChecks(db, table, facts, changes));
    add(found, collisions(table, facts, changes));
    add(found, await danglings(db, table, facts, changes));
    found.errors.push(...heldColumns(map, table, facts, changes));
    found.warnings.push(...followers(map, table, facts, changes));
    found.warnings.push(
      ...sideEffects(collection, table, facts, changes),
      ...words(collection, table, changes),
    );
  }
  return found;
}

/** Words of a text taken apart are no identifiers any more, so no search finds them in a row that stays. */
const words = (collection: Collection, table: CatalogueTable, changes: Changes): Finding[] =>
  isDeleted(collection)
    ? []
    : table.columns
        .filter(
          ({ base, generated, name }) => base === 'pg_catalog.tsvector' && !generated && !(name in changes),
        )
        .map(({ name }) =>
          finding(
            'erasure.words_stay',
            table,
            name,
            'It holds words of what the erasure clears, unless a trigger writes it anew on each update. Clear it, or see that one does.',
          ),
        );

const add = (found: Found, { errors, warnings }: Found): void => {
  found.errors.push(...errors);
  found.warnings.push(...warnings);
};

/** A label that the enum does not have, a value that the domain refuses, a date that is none. */
async function refusedValues(db: SqlRunner, table: CatalogueTable, changes: Changes): Promise<Finding[]> {
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

/**
 * CHECK constraints over what is written. One that looks at written columns only has an answer; of one that looks
 * at others too only the rows would know.
 */
async function refusedByChecks(
  db: SqlRunner,
  table: CatalogueTable,
  { checks }: ErasureFacts,
  changes: Changes,
): Promise<Found> {
  const found: Found = { errors: [], warnings: [] };
  for (const { name, expression, columns } of checks) {
    const written = columns.filter((column) => column in changes);
    if (written.length === 0) continue;
    const others = columns.filter((column) => !(column in changes));
    const row = written.map((c) => `${valueSql(table, c, changes[c] ?? null)} as ${quoted(c)}`);
    const sql = `select (${expression}) is false as v from (select ${row.join(', ')}) as ${quoted(table.name)}`;
    const asked = others.length === 0 ? await ask(db, sql) : {};
    const where = written.join(', ');
    if (asked.row?.v)
      found.errors.push(
        finding(
          'erasure.impossible',
          table,
          where,
          `CHECK constraint ${name} refuses what the erasure rule writes. Set values that it allows, or change it.`,
        ),
      );
    else if (others.length > 0)
      found.warnings.push(
        finding(
          'erasure.uncertain',
          table,
          where,
          `CHECK constraint ${name} looks at ${others.join(', ')} as well, which the erasure rule leaves as they are: ` +
            'it may refuse some rows. Set those columns too, or make sure that it allows every combination.',
        ),
      );
    else if (asked.refusal !== undefined)
      found.warnings.push(
        finding(
          'erasure.uncertain',
          table,
          where,
          `CHECK constraint ${name} could not be tried with what the erasure rule writes: ${asked.refusal}.`,
        ),
      );
  }
  return found;
}

/** Foreign keys that would point at nothing: a pseudonym is nobody's key. */
async function danglings(
  db: SqlRunner,
  table: CatalogueTable,
  { refersTo }: ErasureFacts,
  changes: Changes,
): Promise<Found> {
  const found: Found = { errors: [], warnings: [] };
  for (const { name, columns, target, targetColumns } of refersTo) {
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

/** What would stand in the column, of the column's own type: a domain's constraints are looked at by the cast. */
function valueSql(table: CatalogueTable, name: string, value: SetValue): string {
  if (value === null) return `null::${typeOf(table, name)}`;
  if (value === 'pseudonym-mail') return valueSql(table, name, `deleted-${SAMPLE}@deleted.invalid`);
  const text = value === 'pseudonym-uuid' ? SAMPLE : String(value);
  return `(${literal(text)}::text)::${typeOf(table, name)}`;
}

const typeOf = (table: CatalogueTable, name: string): string =>
  table.columns.find((c) => c.name === name)?.type ?? 'text';

async function ask(db: SqlRunner, sql: string): Promise<{ row?: { v: boolean }; refusal?: string }> {
  await db.query('savepoint habeas_check');
  try {
    const [row] = await db.query<{ v: boolean }>(sql);
    await db.query('release savepoint habeas_check');
    return row === undefined ? {} : { row };
  } catch (error) {
    await db.query('rollback to savepoint habeas_check');
    return { refusal: messageOf(error) };
  }
}

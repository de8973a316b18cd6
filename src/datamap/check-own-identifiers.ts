/**
 * Identifiers of a person in a row that stays for good as their own. The search after each erasure looks for them
 * (deletion/residue/verdict.ts) and would fail it, after everything else has gone: the map alone can tell before.
 */
import { type Catalogue, type CatalogueColumn, tableIn } from './catalogue.js';
import { changesOf } from './changes.js';
import { columnsIn, type Written } from './check-rows.js';
import { type Found, mentions } from './check-values.js';
import { finding } from './findings.js';
import { type Collection, type DataMap, type SubjectKind } from './map.js';
import { matches, qualified } from './names.js';
import { tableBehind } from './referrers.js';
import { isText } from './types.js';

/** Of rules that let the person's own row stay. Which values the search looks for: deletion/residue/patterns.ts and tables.ts. */
export function ownIdentifiers(map: DataMap, catalogue: Catalogue, written: Written): Found {
  const found: Found = { errors: [], warnings: [] };
  const { collection, table, facts } = written;
  const { rule } = collection.erasure;
  if (rule === 'delete' || rule === 'keep' || collection.shared) return found;
  for (const kind of Object.values(map.subjects))
    for (const { name, column } of Object.values(kind.identifiers)) {
      const own = table.columns.find((one) => one.name === column);
      if (!own || column === undefined || !isOwnRow(kind, collection)) continue;
      if (isKey(kind, column) || !isSearched(map, collection, own)) continue;
      if (goesOtherwise(map, catalogue, kind, written, column)) continue;
      // One that Postgres computes changes with what it is made from.
      const sources = facts.generated.some((one) => one.name === column)
        ? columnsIn(written, `"${column.replaceAll('"', '""')}"`)
        : [column];
      if (sources.some((one) => one in written.changes)) continue;
      const says = `It is the ${name} of ${kind.name}, and the row of ${collection.name} stays with it`;
      const writer = facts.triggers.find(
        ({ onUpdateOf, source }) =>
          onUpdateOf &&
          (onUpdateOf.length === 0 || onUpdateOf.some((one) => one in written.changes)) &&
          mentions(source, column),
      );
      if (writer)
        found.warnings.push(
          finding(
            'erasure.identifier_stays',
            table,
            column,
            `${says}, unless trigger ${writer.name} (function ${writer.function}) writes it anew: otherwise each erasure fails in the end, because it is found. See that it does.`,
          ),
        );
      else
        found.errors.push(
          finding(
            'erasure.identifier_stays',
            table,
            column,
            `${says}: each erasure would fail in the end, because it is found. ${wayOut(collection, own, sources)}`,
          ),
        );
    }
  return found;
}

function wayOut({ erasure: { rule } }: Collection, { name }: CatalogueColumn, sources: string[]): string {
  const column = sources.includes(name) ? name : `what it is computed from (${sources.join(', ')})`;
  const list = rule === 'clear' ? '`columns`' : rule === 'tombstone' ? '`clear` or `set`' : '`set`';
  return `Name ${column} in ${list} of its erasure rule.`;
}

/** A path to the person from the very row that they are. */
const isOwnRow = ({ name, table, key, identifiers }: SubjectKind, collection: Collection): boolean =>
  table !== undefined &&
  qualified(table) === qualified(collection.table) &&
  (collection.subject[name] ?? []).some(
    ({ columns, join, json, array, as }) =>
      join.length === 0 &&
      !json &&
      !array &&
      (as === undefined
        ? columns.length === key.length && columns.every((column) => key.includes(column))
        : columns[0] === identifiers[as]?.column),
  );

/** A row that stays is pointed at by its key. */
const isKey = ({ key }: SubjectKind, column: string): boolean => key.length === 1 && key[0] === column;

const numbers = ['pg_catalog.int8', 'pg_catalog.numeric'];

/** Not what the map exempts, and not what is too short in every row to be told from anything else. */
function isSearched(map: DataMap, { table, columns }: Collection, column: CatalogueColumn): boolean {
  const { name, base, length } = column;
  const exempt = map.exempt.some(
    (one) =>
      matches(one.table.schema, table.schema) &&
      matches(one.table.name, table.name) &&
      (!('column' in one) || matches(one.column, name)),
  );
  if (exempt || columns[name]?.sealed || columns[name]?.secret) return false;
  if (isText(base)) return length === undefined || length >= 6;
  return base === 'pg_catalog.uuid' || numbers.includes(base);
}

/** Another collection over the same rows deletes or keeps them, or writes the column. */
function goesOtherwise(
  map: DataMap,
  catalogue: Catalogue,
  { name: kind }: SubjectKind,
  { collection, table }: Written,
  column: string,
): boolean {
  const behind = tableBehind(catalogue, table) ?? table;
  return Object.values(map.collections).some((other) => {
    const theirs = tableIn(catalogue, other.table);
    if (other.name === collection.name || !theirs || !(kind in other.subject)) return false;
    if (qualified(tableBehind(catalogue, theirs) ?? theirs) !== qualified(behind)) return false;
    const { rule } = other.erasure;
    return rule === 'keep' || rule === 'delete' || column in changesOf(other);
  });
}

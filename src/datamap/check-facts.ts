/** What the catalogue says about the rows that erasure writes or deletes, without asking Postgres to try. */
import { type Catalogue, type CatalogueTable } from './catalogue.js';
import { isDeleted } from './changes.js';
import { type ErasureFacts } from './erasure-facts.js';
import { erasureOrder } from './erasure-order.js';
import { type Finding, finding } from './findings.js';
import { type Collection, type DataMap } from './map.js';
import { qualified, shown } from './names.js';
import { type SetValue } from './schema.js';

export interface Found {
  errors: Finding[];
  warnings: Finding[];
}

export type Changes = Record<string, SetValue>;

export const isPseudonym = (value: SetValue | undefined): boolean =>
  value === 'pseudonym-mail' || value === 'pseudonym-uuid';

/** Unique indexes in which the second row that is erased would meet the first. */
export function collisions(table: CatalogueTable, { uniques }: ErasureFacts, changes: Changes): Found {
  const found: Found = { errors: [], warnings: [] };
  for (const { name, columns, partial, nullsEqual } of uniques) {
    const constant = columns.filter(
      (column) =>
        column in changes && (changes[column] !== null || nullsEqual) && !isPseudonym(changes[column]),
    );
    const apart = columns.filter((column) => !constant.includes(column));
    const differ =
      apart.some((column) => isPseudonym(changes[column]) || changes[column] === null) ||
      // What tells rows apart by itself still does.
      uniques.some(
        (other) => !other.partial && other.columns.every((c) => apart.includes(c) && !(c in changes)),
      );
    if (constant.length === 0 || differ) continue;
    const among = apart.length > 0 ? ` with the same ${apart.join(', ')}` : '';
    (partial ? found.warnings : found.errors).push(
      finding(
        partial ? 'erasure.uncertain' : 'erasure.impossible',
        table,
        constant.join(', '),
        `Unique index ${name} lets only one row${among} have the value that the erasure rule writes, so the second ` +
          `erasure ${partial ? 'may fail' : 'fails'}. Use pseudonym-mail or pseudonym-uuid, or clear the column.`,
      ),
    );
  }
  return found;
}

/** Collections that no order of batches can delete: their rows go in one statement, however many they are. */
export const circles = (map: DataMap, catalogue: Catalogue): Finding[] =>
  erasureOrder(catalogue, Object.values(map.collections))
    .stages.map(({ collections }) => collections.filter(({ erasure }) => erasure.rule === 'delete'))
    .flatMap(([first, ...others]) => {
      if (!first || others.length === 0) return [];
      const names = [first, ...others].map(({ name }) => name).join(', ');
      return [
        finding(
          'erasure.one_statement',
          first.table,
          undefined,
          `Foreign keys lead in a circle through ${names}: what is erased there goes in one statement instead of in batches. ` +
            'Where that may be many rows, make one of the keys ON DELETE SET NULL.',
        ),
      ];
    });

/** Columns that are written while rows which stay refer to them. */
export const heldColumns = (
  map: DataMap,
  table: CatalogueTable,
  { heldBy }: ErasureFacts,
  changes: Changes,
): Finding[] =>
  heldBy.flatMap(({ name, columns, child, follows }) => {
    if (follows) return [];
    const written = columns.filter((column) => column in changes);
    const mapped = Object.values(map.collections).filter((c) => qualified(c.table) === qualified(child));
    if (written.length === 0 || (mapped.length > 0 && mapped.every(isDeleted))) return [];
    return [
      finding(
        'erasure.foreign_key',
        table,
        written.join(', '),
        `Foreign key ${name} of ${shown(child)} refers to it and does not follow a change, so writing it fails while ` +
          'such a row is there. Make the key ON UPDATE CASCADE, delete those rows too, or leave the column.',
      ),
    ];
  });

/** Rows that a law keeps, and that are changed all the same: by a key that follows what erasure writes. */
export const followers = (
  map: DataMap,
  table: CatalogueTable,
  { heldBy }: ErasureFacts,
  changes: Changes,
): Finding[] =>
  heldBy
    .filter(
      ({ columns, child, follows }) =>
        follows &&
        columns.some((column) => column in changes) &&
        Object.values(map.collections).some(
          (c) => qualified(c.table) === qualified(child) && c.erasure.rule === 'keep',
        ),
    )
    .map(({ name, columns, child }) =>
      finding(
        'erasure.side_effect',
        table,
        columns.join(', '),
        `Foreign key ${name} (ON UPDATE) writes it into rows of ${shown(child)} too, which the map keeps as they are.`,
      ),
    );

/** What runs along with a delete or an update is not the map's to know: somebody has to look. */
export function sideEffects(
  collection: Collection,
  table: CatalogueTable,
  { triggers, rules }: ErasureFacts,
  changes: Changes,
): Finding[] {
  const deletes = isDeleted(collection);
  const updates = Object.keys(changes).length > 0;
  const fired = triggers.flatMap(({ name, function: run, onDelete, onUpdateOf, before }) => {
    const byUpdate =
      updates && !!onUpdateOf && (onUpdateOf.length === 0 || onUpdateOf.some((column) => column in changes));
    const what = [...(deletes && onDelete ? ['deletes'] : []), ...(byUpdate ? ['changes'] : [])];
    if (what.length === 0) return [];
    const may = before ? 'refuse or alter it' : 'refuse it, or keep a copy of the row elsewhere';
    return `Trigger ${name} (function ${run}) runs when erasure ${what.join(' or ')} a row, and may ${may}. Look at what it does.`;
  });
  const replaced = rules
    .filter(({ on }) => (on === 'd' ? deletes : updates))
    .map(
      ({ name }) =>
        `Rule ${name} does something else instead of what erasure asks for. Look at what it does.`,
    );
  const isTable = table.kind === 'table' || table.kind === 'partitioned';
  return [...fired, ...(isTable ? replaced : [])].map((message) =>
    finding('erasure.side_effect', table, undefined, message),
  );
}

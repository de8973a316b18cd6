/** Which foreign keys lead to the rows of a table: also those that name a partition of it, or a table that inherits from it. */
import { type Catalogue, type CatalogueTable, type ForeignKey, tableIn } from './catalogue.js';
import { literal, qualified, type TableRef } from './names.js';

export interface Referrer {
  child: CatalogueTable;
  key: ForeignKey;
}

/** Foreign keys by which deleting rows of this table does something to, or is stopped by, rows of another. Each once. */
export function referrersOf(catalogue: Catalogue, table: CatalogueTable): Referrer[] {
  return [...catalogue.tables.values()].flatMap((child) =>
    child.foreignKeys
      .filter((key) =>
        isSame(key.target, table) ? !isRepeated(catalogue, child, key) : isBelow(catalogue, key, table),
      )
      .map((key) => ({ child, key })),
  );
}

/** The one table whose rows go when rows of this view do; undefined where only its trigger knows. */
export function tableBehind(catalogue: Catalogue, view: CatalogueTable): CatalogueTable | undefined {
  if (view.kind !== 'view') return view;
  const [read, ...more] = view.reads;
  const next = read && more.length === 0 ? tableIn(catalogue, read) : undefined;
  return next && tableBehind(catalogue, next);
}

/** A partition repeats the keys that its parent has; it may have others of its own. */
const isRepeated = (
  catalogue: Catalogue,
  { root }: CatalogueTable,
  { repeats = false }: ForeignKey,
): boolean => repeats && root !== undefined && tableIn(catalogue, root)?.kind === 'partitioned';

/** The key names another table of the same tree; rows of that one are found by way of this one too. */
const isBelow = (
  catalogue: Catalogue,
  { target, repeats = false }: ForeignKey,
  table: CatalogueTable,
): boolean => {
  const root = tableIn(catalogue, target)?.root;
  return !repeats && root !== undefined && isSame(root, table.root ?? table);
};

const isSame = (one: TableRef, other: TableRef): boolean => qualified(one) === qualified(other);

/** Whether rows of the table show what the key names. Where its columns are only an heir's, they do not. */
export const isSeen = ({ targetColumns }: ForeignKey, { columns }: CatalogueTable): boolean =>
  targetColumns.every((column) => columns.some(({ name }) => name === column));

/** Condition: row `t` lies in this table or in a partition of it. No right to read that table is needed. */
export function liesIn(table: TableRef): string {
  const rel = `${literal(qualified(table))}::regclass`;
  return `t.tableoid = any (array(select ${rel}::oid union all select relid::oid from pg_partition_tree(${rel})))`;
}

/** What refers to a row by foreign keys, and what that says about whether it hangs from it. */
import { type Catalogue, type CatalogueTable, type ForeignKey, tableIn } from '../../datamap/catalogue.js';
import { qualified, quoted, shown } from '../../datamap/names.js';
import { DomainError } from '../../errors.js';

/** A row of the child's table that refers to `t`, other than itself, and of which `condition` is true. */
export function someChild(
  child: CatalogueTable,
  key: ForeignKey,
  condition: string,
  more: readonly string[] = [],
): string {
  const parent = [...key.targetColumns.map((column, n) => `t.${quoted(column)} as k${n}`), ...more];
  const same = key.columns.map((column, n) => `t.${quoted(column)} = p.k${n}`);
  return (
    `exists (select from (select ${parent.join(', ')}, t.tableoid as o, t.ctid as c) as p, ${qualified(child)} as t ` +
    `where ${same.join(' and ')} and (t.tableoid <> p.o or t.ctid <> p.c) and (${condition}))`
  );
}

/** Tables with foreign keys to this one. */
export function childrenOf(
  catalogue: Catalogue,
  table: CatalogueTable,
): { child: CatalogueTable; key: ForeignKey }[] {
  return (
    [...catalogue.tables.values()]
      // A partition repeats its parent's keys.
      .filter(({ root }) => root === undefined || tableIn(catalogue, root)?.kind !== 'partitioned')
      .flatMap((child) =>
        child.foreignKeys
          .filter(({ target }) => qualified(target) === qualified(table))
          .map((key) => ({ child, key })),
      )
  );
}

/** Whether a row cannot be without the one it refers to by this key. */
export const clings = ({ columns }: CatalogueTable, key: ForeignKey): boolean =>
  key.onDelete === 'cascade' ||
  key.columns.every((column) => columns.find(({ name }) => name === column)?.notNull);

/** Tables that a row of this one cannot be without, theirs included. */
export function ownersOf(
  catalogue: Catalogue,
  table: CatalogueTable,
  found = new Set<string>(),
): Set<string> {
  for (const key of table.foreignKeys) {
    const owner = tableIn(catalogue, key.target);
    if (!owner || !clings(table, key) || found.has(qualified(owner))) continue;
    found.add(qualified(owner));
    ownersOf(catalogue, owner, found);
  }
  return found;
}

export const cascadesOut = (table: CatalogueTable, child: CatalogueTable, key: ForeignKey): DomainError =>
  new DomainError(
    'retention.cascades_out',
    `Constraint ${key.name} of table ${shown(child)} would delete its rows with those of ${shown(table)} (ON DELETE ` +
      `CASCADE), and the data map does not know ${shown(child)}. Map the table.`,
    { extra: { table: shown(child), constraint: key.name } },
  );

import { type Catalogue, tableIn } from './catalogue.js';
import { type Collection, type DataMap, type Path } from './map.js';
import { qualified } from './names.js';

/** A column of a shared row that names a person, and can do without. */
export interface NamingColumn {
  kind: string;
  path: Path;
  column: string;
  /** It refers to the person's own row, which stays under a pseudonym when their account is erased. */
  pseudonymised: boolean;
}

/**
 * Where a shared row that stays for others names a person: columns of its own that may be null. What leads to them
 * through other rows goes with those.
 */
export function namingColumns(map: DataMap, catalogue: Catalogue, collection: Collection): NamingColumn[] {
  const table = tableIn(catalogue, collection.table);
  if (!table || !collection.shared || collection.erasure.rule !== 'delete') return [];
  return Object.entries(collection.subject).flatMap(([kind, paths]) =>
    paths.flatMap((path) => {
      const [name, ...more] = path.columns;
      const column = table.columns.find((c) => c.name === name);
      const isPlain = path.join.length === 0 && !path.array && !path.json && more.length === 0;
      if (!column || !isPlain || column.notNull || column.generated) return [];
      return [{ kind, path, column: column.name, pseudonymised: isPseudonymised(map, kind, path) }];
    }),
  );
}

function isPseudonymised(map: DataMap, kind: string, path: Path): boolean {
  const own = map.subjects[kind]?.table;
  if (!own || path.as !== undefined) return false;
  return Object.values(map.collections).some(
    (c) =>
      qualified(c.table) === qualified(own) && c.controller === 'host' && c.erasure.rule === 'pseudonymise',
  );
}

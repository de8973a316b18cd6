/** Can the erasure rules be executed? What the catalogue can tell before anybody is erased. */
import { type Catalogue, type CatalogueColumn, type CatalogueTable, tableIn } from './catalogue.js';
import { changesOf, isDeleted } from './changes.js';
import { erasureOrder } from './erasure-order.js';
import { type Finding, finding } from './findings.js';
import { type Collection, type DataMap } from './map.js';
import { qualified, shown } from './names.js';
import { type Referrer, referrersOf, tableBehind } from './referrers.js';
import { type SetValue } from './schema.js';
import { staysBehind } from './stays-behind.js';
import { isText } from './types.js';
import { keyOf } from './walk.js';

/** Not-null columns cleared, values that do not fit, keys written, and foreign keys that stop a delete. */
export function checkErasure(map: DataMap, catalogue: Catalogue): Finding[] {
  const collections = Object.values(map.collections);
  const { gathered } = erasureOrder(catalogue, collections);
  return collections
    .flatMap((collection) => {
      const table = tableIn(catalogue, collection.table);
      if (!table) return [];
      const changes = Object.entries(changesOf(collection)).flatMap(([name, value]) => {
        const column = table.columns.find((c) => c.name === name);
        if (!column)
          return [
            finding('column.unknown', table, name, 'The erasure rule names it, but there is no such column.'),
          ];
        const problem = cannotBecome(table, column, value);
        return problem === undefined ? [] : [finding('erasure.impossible', table, name, problem)];
      });
      const rights = [
        ...(isDeleted(collection) &&
        !table.deletable &&
        table.kind !== 'table' &&
        table.kind !== 'partitioned'
          ? [
              finding(
                'erasure.impossible',
                table,
                undefined,
                'Rows of this view cannot be deleted. Map the table behind it, or keep with a ground.',
              ),
            ]
          : []),
        ...(Object.keys(changesOf(collection)).length > 0 && !table.updatable
          ? [
              finding(
                'erasure.impossible',
                table,
                undefined,
                'Rows of this view cannot be updated. Map the table behind it, or keep with a ground.',
              ),
            ]
          : []),
      ];
      return [
        ...changes,
        ...rights,
        ...unfindable(catalogue, collection, table, gathered),
        ...(isDeleted(collection) ? referrers(map, catalogue, collection, table) : []),
      ];
    })
    .concat(cycles(collections, catalogue));
}

/** Rules that need more than a condition: a key to come back to, and a name of the file that does not stay. */
function unfindable(
  catalogue: Catalogue,
  collection: Collection,
  table: CatalogueTable,
  gathered: Set<string>,
): Finding[] {
  const { name, erasure, files } = collection;
  const changes = changesOf(collection);
  const impossible = (message: string) => [finding('erasure.impossible', table, undefined, message)];
  const noted = erasure.rule === 'tombstone' || (erasure.rule !== 'keep' && gathered.has(name));
  const stored = table.kind === 'table' || table.kind === 'partitioned';
  return [
    ...(noted && keyOf(collection, table).length === 0
      ? impossible(
          `Rows of ${name} must be found again by a key. Give the table a primary key, or name a \`key\`.`,
        )
      : []),
    ...(noted &&
    keyOf(collection, table).length > 0 &&
    !isUnique(tableBehind(catalogue, table), keyOf(collection, table))
      ? impossible(
          `The key of ${name} is not unique, so rows of others could be taken for it. Name columns of a unique index that are NOT NULL (of a view: of the one table behind it).`,
        )
      : []),
    ...(erasure.rule !== 'keep' && !stored && keyOf(collection, table).length === 0
      ? impossible(`Rows of ${name} are of a view and need a \`key\`.`)
      : []),
    ...(erasure.rule === 'tombstone' && Object.keys(changes).length === 0
      ? impossible(`The tombstones of ${name} clear nothing. Name the columns in \`clear\` or \`set\`.`)
      : []),
    ...(erasure.rule === 'tombstone' && files && !(files.path in changes)
      ? impossible(`The tombstones of ${name} would still name their files. Clear ${files.path}.`)
      : []),
  ];
}

/** Two rows never have the same key, and none has a part of it missing. */
const isUnique = (table: CatalogueTable | undefined, key: readonly string[]): boolean =>
  !!table?.uniques.some((unique) => unique.every((name) => key.includes(name))) &&
  key.every((name) => table.columns.find((column) => column.name === name)?.notNull);

const MAIL_LENGTH = 'deleted-00000000-0000-0000-0000-000000000000@deleted.invalid'.length;

function cannotBecome(table: CatalogueTable, column: CatalogueColumn, value: SetValue): string | undefined {
  if (column.generated) return 'It is computed and cannot be written: change what it is made from.';
  if (value === null)
    return column.notNull ? 'It is NOT NULL and cannot be cleared: use `set` with a value.' : undefined;
  const pseudonym = value === 'pseudonym-mail' || value === 'pseudonym-uuid';
  const length =
    value === 'pseudonym-mail' ? MAIL_LENGTH : value === 'pseudonym-uuid' ? 36 : String(value).length;
  if (column.length !== undefined && length > column.length)
    return `The value has ${length} characters, the column takes ${column.length}.`;
  if (!pseudonym && table.uniques.some((u) => u.length === 1 && u[0] === column.name))
    return 'It is unique, so the second person could not get the same value: use pseudonym-mail or pseudonym-uuid.';
  if (!fits(column, value)) return `A ${column.type} cannot take this value.`;
  return undefined;
}

function fits(column: CatalogueColumn, value: Exclude<SetValue, null>): boolean {
  if (isText(column.base)) return true;
  if (column.base === 'pg_catalog.uuid')
    return value === 'pseudonym-uuid' || /^[0-9a-f-]{36}$/i.test(String(value));
  if (value === 'pseudonym-mail' || value === 'pseudonym-uuid') return false;
  if (column.base === 'pg_catalog.bool')
    return typeof value === 'boolean' || /^(true|false|t|f)$/.test(String(value));
  if (/^pg_catalog\.(int[248]|numeric|float[48])$/.test(column.base))
    return value !== '' && Number.isFinite(Number(value));
  // An enum's labels, a date's spelling: Postgres is asked when the erasure is planned.
  return true;
}

/** Foreign keys of other tables that would stop, or silently widen, the delete of rows of this table. */
function referrers(
  map: DataMap,
  catalogue: Catalogue,
  collection: Collection,
  table: CatalogueTable,
): Finding[] {
  const behind = tableBehind(catalogue, table);
  const hidden = behind && behind !== table ? referrersOf(catalogue, behind) : [];
  return [
    ...referrersOf(catalogue, table).map(({ child, key }) => ({
      ...{ child, key },
      problem: stops(map, { child, key }, collection),
    })),
    ...hidden
      .filter(({ key }) => key.onDelete === 'cascade')
      .map(({ child, key }) => ({
        ...{ child, key },
        problem: `ON DELETE CASCADE deletes rows of which the view ${shown(table)} says nothing. Map the table behind it.`,
      })),
  ].flatMap(({ child, key, problem }) =>
    problem === undefined
      ? []
      : [
          finding(
            'erasure.foreign_key',
            child,
            key.columns.join(', '),
            `${key.name} refers to ${shown(key.target)}, whose rows are deleted: ${problem}`,
          ),
        ],
  );
}

function stops(map: DataMap, referrer: Referrer, collection: Collection): string | undefined {
  const { child, key } = referrer;
  const {
    erasure: { rule },
    shared,
    subject,
  } = collection;
  const mapped = Object.values(map.collections).filter((c) => qualified(c.table) === qualified(child));
  if (key.onDelete === 'set null' || key.onDelete === 'set default') {
    // It may name some of the key's columns, and leaves the others as they are.
    const cleared = child.columns.filter(
      (c) => c.notNull && key.letsGo.includes(c.name) && (key.onDelete === 'set null' || !c.hasDefault),
    );
    return cleared.length > 0
      ? `ON DELETE ${key.onDelete.toUpperCase()} fails on a NOT NULL column (${cleared.map((c) => c.name).join(', ')}).`
      : undefined;
  }
  if (key.onDelete === 'cascade') {
    if (mapped.some((c) => c.erasure.rule === 'keep'))
      return 'ON DELETE CASCADE would delete rows that the map keeps.';
    // What several people use goes when nobody is left, and then what would stay for others need not.
    const staying = mapped.filter(
      (c) => c.erasure.rule !== 'delete' && !(isDeleted(c) && rule === 'tombstone'),
    );
    // A purge has rules of its own (decision 0007).
    const reached = Object.keys(subject).length > 0;
    if (reached && !shared && staying.some((c) => !key.columns.some((name) => changesOf(c)[name] === null)))
      return 'ON DELETE CASCADE would delete rows that the map lets stay. Delete them too, clear the column, or use another rule.';
    return mapped.length === 0
      ? 'ON DELETE CASCADE deletes rows that the map does not know. Map the table.'
      : undefined;
  }
  // A tombstone waits as long as they are there, and the check warns of it (check-hanging.ts).
  if (rule === 'tombstone' && mapped.length > 0) return undefined;
  return staysBehind(map, referrer, collection)
    ? 'its rows stay and would stop the delete. Delete them too, clear the column, or use another rule.'
    : undefined;
}

/** Deleted collections that refer to each other in a circle that no order can undo. */
function cycles(collections: Collection[], catalogue: Catalogue): Finding[] {
  const deleted = new Map(
    collections.filter(isDeleted).flatMap((c) => {
      const table = tableIn(catalogue, c.table);
      return table ? [[qualified(table), table] as const] : [];
    }),
  );
  // A nullable column can be emptied first, a deferrable key is looked at on commit.
  const strict = (table: CatalogueTable) =>
    table.foreignKeys.filter(
      (key) =>
        (key.onDelete === 'no action' || key.onDelete === 'restrict') &&
        !key.deferrable &&
        qualified(key.target) !== qualified(table) &&
        table.columns.filter((c) => key.columns.includes(c.name)).every((c) => c.notNull),
    );
  const leadsTo = (from: CatalogueTable, goal: string, seen = new Set<string>()): boolean =>
    strict(from).some(({ target }) => {
      const name = qualified(target);
      const next = deleted.get(name);
      if (name === goal) return true;
      if (!next || seen.has(name)) return false;
      return leadsTo(next, goal, seen.add(name));
    });
  return [...deleted]
    .filter(([name, table]) => leadsTo(table, name))
    .map(([, table]) =>
      finding(
        'erasure.cycle',
        table,
        undefined,
        'It is in a circle of NOT NULL foreign keys, so there is no order to delete in. Make one of them deferrable.',
      ),
    );
}

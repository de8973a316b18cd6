/** The data map walked: for each collection the SQL that export, erasure and counting run. */
import { DomainError } from '../errors.js';
import { type Catalogue, type CatalogueTable } from './catalogue.js';
import { bucketSql, pathSql } from './file-names.js';
import { ownRows } from './heirs.js';
import { type Collection, type DataMap } from './map.js';
import { qualified, quoted } from './names.js';
import { subjectCondition, workspaceCondition, workspacesOfRow } from './paths.js';
import { exportedColumns, rowSql, tableOf } from './render.js';
import { type Selection, workspacesSql } from './settings.js';
import { isText } from './types.js';

/** A query over one collection. Run settingsStatement(selection) before it, on the same connection. */
export interface CollectionQuery {
  /** Answers one row of one text column: the row as JSON followed by a comma. Ordered by key, no bind parameters. */
  sql: string;
  /** Names of the columns in each row. */
  columns: string[];
  /** Names of the sealed columns among them. */
  sealed: string[];
  /** Sealed columns that are never null: rows × these is their share of the number of sealed values. */
  sealedPerRow: number;
  /** Sealed columns that may be null: `sealed` of countQuery counts them. */
  sealedNullable: string[];
}

/** The collection by its name, or DomainError `datamap.unknown_collection`. */
export function collectionIn(map: DataMap, name: string): Collection {
  const collection = map.collections[name];
  if (!collection)
    throw new DomainError('datamap.unknown_collection', `The data map has no collection ${name}.`);
  return collection;
}

/** Whether rows of this collection can be part of the selection at all. */
export const reaches = (collection: Collection, { subjects, workspaces }: Selection): boolean =>
  (!subjects || subjects.some(({ kind }) => (collection.subject[kind] ?? []).length > 0)) &&
  (!workspaces || collection.workspace.length > 0);

/**
 * The rows of a collection that are the subjects' and in the workspaces, as JSON lines. The text holds no
 * value of the selection, it only depends on which of its parts are given, on the kinds of its people,
 * and on whether it is about one or several.
 */
export function collectionQuery(
  map: DataMap,
  catalogue: Catalogue,
  name: string,
  selection: Selection,
): CollectionQuery {
  const collection = collectionIn(map, name);
  const table = tableOf(catalogue, collection);
  const columns = exportedColumns(map, collection, table);
  const masked = selection.subjects !== undefined;
  if (masked && !selection.maskKey && columns.some((column) => column.classification.party === 'other'))
    throw new RangeError('a mask key is needed: the rows name other people');
  const sealed = columns.filter((column) => column.classification.sealed);
  const key = keyOf(collection, table);
  const order =
    key.length > 0
      ? key.map((column) => orderBy(table, column)).join(', ')
      : 'row_to_json(r.*)::text collate "C"';
  // r.*, not r: a table may have a column of that name.
  const sql =
    `select row_to_json(r.*)::text || ',' from ${qualified(table)} as t ` +
    `cross join lateral (${rowSql(map, catalogue, columns, masked)}) as r ` +
    `where ${rowsSelected(map, catalogue, collection, selection)} order by ${order}`;
  return {
    sql,
    columns: columns.map((column) => column.name),
    sealed: sealed.map((column) => column.name),
    sealedPerRow: sealed.filter((column) => column.notNull).length,
    sealedNullable: sealed.filter((column) => !column.notNull).map((column) => column.name),
  };
}

/**
 * A query as COPY. Quote and delimiter are control characters that JSON escapes, so nothing of a row is ever
 * quoted by COPY: what arrives is the JSON, byte for byte, one row a line.
 */
export const copyStatement = (sql: string): string =>
  `copy (${sql}) to stdout (format csv, quote E'\\x01', delimiter E'\\x02')`;

/** `{rows, sealed}` (bigint as text) of a collection: how many rows, and how many sealed values in them. */
export function countQuery(map: DataMap, catalogue: Catalogue, name: string, selection: Selection): string {
  const collection = collectionIn(map, name);
  const table = tableOf(catalogue, collection);
  const sealed = exportedColumns(map, collection, table).filter((column) => column.classification.sealed);
  const counts = sealed.map((column) => `count(t.${quoted(column.name)})`);
  return (
    `select count(*)::text as rows, (${counts.join(' + ') || '0'})::text as sealed from ${qualified(table)} as t ` +
    `where ${rowsSelected(map, catalogue, collection, selection)}`
  );
}

/** One row where a collection has any, none where it has none. */
export function anyQuery(map: DataMap, catalogue: Catalogue, name: string, selection: Selection): string {
  const collection = collectionIn(map, name);
  const table = qualified(tableOf(catalogue, collection));
  return `select 1 from ${table} as t where ${rowsSelected(map, catalogue, collection, selection)} limit 1`;
}

/** `{bucket, path, name, key}` of the files that the selected rows name; `key` is the row's key as JSON text. */
export function filesQuery(
  map: DataMap,
  catalogue: Catalogue,
  name: string,
  selection: Selection,
): string | undefined {
  const collection = collectionIn(map, name);
  const { files } = collection;
  if (!files) return undefined;
  const table = tableOf(catalogue, collection);
  const key = keyOf(collection, table);
  const order = key.length > 0 ? key.map((column) => orderBy(table, column)).join(', ') : '2 collate "C"';
  return (
    `select ${bucketSql(files)} as bucket, ${pathSql(files)} as path, ` +
    `${files.name === undefined ? 'null' : `t.${quoted(files.name)}`}::text as name, ` +
    `json_build_array(${key.map((column) => `t.${quoted(column)}`).join(', ')})::text as key ` +
    `from ${qualified(table)} as t where ${rowsSelected(map, catalogue, collection, selection)} ` +
    `and t.${quoted(files.path)} is not null order by ${order}`
  );
}

/**
 * `{workspace}`: host keys of the workspaces that the selected rows of the collection belong to; null where a
 * row leads to none. Undefined for what belongs to the account.
 */
export function workspacesTouchedQuery(
  map: DataMap,
  catalogue: Catalogue,
  name: string,
  selection: Selection,
): string | undefined {
  const collection = collectionIn(map, name);
  if (collection.workspace.length === 0) return undefined;
  const table = tableOf(catalogue, collection);
  return (
    `select distinct w.v as workspace from ${qualified(table)} as t ` +
    `left join lateral (${workspacesOfRow(collection)}) as w on w.v is not null ` +
    `where ${rowsSelected(map, catalogue, collection, selection)}`
  );
}

/**
 * The condition that selects the rows `t` of a collection. Erasure and retention use it in their own
 * statements: `delete from … as t where ${rowsSelected(…)}`. Rows of an heir that is mapped on its own are not among
 * them: export, plan and erasure agree about whose rows are whose, and no rule reaches those of another collection.
 */
export function rowsSelected(
  map: DataMap,
  catalogue: Catalogue,
  collection: Collection,
  selection: Selection,
): string {
  const conditions: string[] = [];
  const own = ownRows(map, catalogue, collection.table);
  if (own !== undefined) conditions.push(own);
  if (selection.subjects)
    conditions.push(
      subjectCondition(
        map,
        catalogue,
        collection,
        selection.subjects.map(({ kind }) => kind),
      ),
    );
  const places = placesSelected(catalogue, collection, selection);
  if (places !== undefined) conditions.push(places);
  if (collection.where !== undefined) conditions.push(`(${collection.where})`);
  return conditions.length > 0 ? conditions.join(' and ') : 'true';
}

function placesSelected(
  catalogue: Catalogue,
  collection: Collection,
  { workspaces, unplaced = false }: Selection,
): string | undefined {
  const paths = collection.workspace;
  const nowhere = `not exists (select from (${workspacesOfRow(collection)}) as w where w.v is not null)`;
  if (!unplaced || paths.length === 0)
    return workspaces && workspaceCondition(catalogue, collection, workspaces.length === 1);
  if (!workspaces) return nowhere;
  if (paths.every(({ join }) => join.length === 0))
    return `(${workspaceCondition(catalogue, collection, workspaces.length === 1)} or ${nowhere})`;
  // Row by row: under OR Postgres would look through all joined rows of the workspaces for each row (49 s for 500
  // attachments beside five million messages, instead of milliseconds).
  const among = `w.v = any (array(${workspacesSql()}))`;
  return `coalesce((select bool_or(${among}) from (${workspacesOfRow(collection)}) as w where w.v is not null), true)`;
}

/** The columns that tell rows apart: the map's, else the primary key; empty where there are none. */
export const keyOf = (collection: Collection, table: CatalogueTable): string[] =>
  collection.key ?? table.primaryKey;

// COLLATE "C": the order must not depend on which collations a database was made with.
function orderBy(table: CatalogueTable, column: string): string {
  const base = table.columns.find((c) => c.name === column)?.base ?? '';
  const value = `t.${quoted(column)}`;
  if (base.endsWith('.citext')) return `${value}::text collate "C"`;
  return isText(base) ? `${value} collate "C"` : value;
}

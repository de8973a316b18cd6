/**
 * One row of a collection as one line of JSON, made by Postgres. row_to_json over the exported columns took
 * 1.7 s for 300,000 messages where json_build_object took 2.3 s: it looks its types up once, not per row.
 *
 * What a reader should know of the values (the manifest says so too):
 * - bytea is base64 without line breaks (as fast as hex, a third smaller);
 * - json keeps its own spelling, line breaks in it become spaces (between tokens only: JSON strings have none);
 * - a column of another person is text: their mask, or the subject's own key as it is.
 */
import { type Catalogue, type CatalogueColumn, type CatalogueTable, tableIn } from './catalogue.js';
import { type Collection, type DataMap, normaliserOf } from './map.js';
import { matches, quoted, shown } from './names.js';
import { normaliseSql } from './normalise.js';
import { type Classification } from './schema.js';
import { allOwnSql, identifiersSql, keysSql, maskSql } from './settings.js';
import { DomainError } from '../errors.js';

/** How a column of a mapped table is classified: by its collection, else by an exemption that covers it. */
export function classificationOf(
  map: DataMap,
  collection: Collection,
  column: string,
): Classification | undefined {
  const own = collection.columns[column];
  if (own) return own;
  const { schema, name } = collection.table;
  const exempted = map.exempt.some(
    (e) =>
      'column' in e &&
      matches(e.column, column) &&
      matches(e.table.name, name) &&
      matches(e.table.schema, schema),
  );
  return exempted ? { category: 'exempt' } : undefined;
}

/** The columns that leave, in the order of the table: not secret, not `export: false`, and classified. */
export function exportedColumns(
  map: DataMap,
  collection: Collection,
  table: CatalogueTable,
): ExportedColumn[] {
  return table.columns.flatMap((column) => {
    const classification = classificationOf(map, collection, column.name);
    if (!classification || classification.secret || classification.export === false) return [];
    return [{ ...column, classification }];
  });
}

export interface ExportedColumn extends CatalogueColumn {
  classification: Classification;
}

/**
 * SQL of the row `t` as JSON text, to be selected from `… as t cross join lateral (<row>) as r`.
 * @param masked whether other people's columns are masked: they are in a person's package, not in a workspace's own
 */
export function rowSql(
  map: DataMap,
  catalogue: Catalogue,
  columns: ExportedColumn[],
  masked: boolean,
): string {
  const list = columns.map(
    (column) => `${valueSql(map, catalogue, column, masked)} as ${quoted(column.name)}`,
  );
  return `select ${list.join(', ')}`;
}

function valueSql(map: DataMap, catalogue: Catalogue, column: ExportedColumn, masked: boolean): string {
  const value = `t.${quoted(column.name)}`;
  if (masked && column.classification.party === 'other') return maskedSql(map, catalogue, column, value);
  if (column.base === 'pg_catalog.bytea') return base64(value);
  if (column.base === 'pg_catalog.json') return `translate(${value}::text, E'\\n\\r', '  ')::json`;
  // json somewhere inside: jsonb has no line breaks of its own.
  if (column.holdsJson) return `to_jsonb(${value})`;
  return value;
}

const base64 = (value: string): string => `replace(encode(${value}, 'base64'), E'\\n', '')`;

function maskedSql(
  map: DataMap,
  catalogue: Catalogue,
  { classification, element, base }: ExportedColumn,
  value: string,
): string {
  const { of, as } = classification;
  const normaliser = of === undefined ? 'exact' : normaliserOf(map, of, as);
  const own =
    of === undefined
      ? allOwnSql()
      : as !== undefined && map.subjects[of]?.table
        ? identifiersSql(of, as)
        : keysSql(of);
  const one = (text: string) => {
    const normal = normaliseSql(normaliser, text, catalogue.fold);
    return `case when ${text} is null then null when ${normal} = any (array(${own})) then ${text} else ${maskSql(normal)} end`;
  };
  if (element === undefined) return one(base === 'pg_catalog.bytea' ? base64(value) : `${value}::text`);
  const elements = `select array_agg(${one('u.item::text')} order by u.n) from unnest(${value}) with ordinality as u(item, n)`;
  return `case when ${value} is not null then coalesce((${elements}), '{}') end`;
}

/** The collection's table, or DomainError `datamap.drift`: it was there when the map was checked. */
export function tableOf(catalogue: Catalogue, collection: Collection): CatalogueTable {
  const table = tableIn(catalogue, collection.table);
  if (!table)
    throw new DomainError(
      'datamap.drift',
      `Table ${shown(collection.table)} is not in the database any more.`,
    );
  return table;
}

/** Keys as text, and back: how a person's or a workspace's key stands in a request, and finds its row. */
import { type Catalogue, columnIn } from './catalogue.js';
import { quoted, type TableRef } from './names.js';
import { valueAs } from './types.js';

/** A composite key as one text: the same as Postgres makes in keySql. */
export const compositeKey = (parts: string[]): string => JSON.stringify(parts);

/** The key of row `t`, or of the row by another alias, as text. */
export function keySql(columns: string[], row = 't'): string {
  const texts = columns.map((column) => `${row}.${quoted(column)}::text`);
  if (texts.length === 1) return texts[0] as string;
  return `'[' || ${texts.map((text) => `to_json(${text})::text`).join(` || ',' || `)} || ']'`;
}

/** `column = $n` with the text parameter cast so that the column's index serves, and never raising. */
export function equalsParameter(catalogue: Catalogue, table: TableRef, column: string, n: number): string {
  const { base } = columnIn(catalogue, table, column) ?? {};
  const cast = valueAs(base, `$${n}::text`);
  return cast ? `t.${quoted(column)} = (${cast})` : `t.${quoted(column)}::text = $${n}::text`;
}

/** The condition that row `t` has this key, as parameters from `$first` on; undefined for a key of another shape. */
export function hasKey(catalogue: Catalogue, table: TableRef, columns: string[], key: string, first: number) {
  const parts = columns.length === 1 ? [key] : partsOf(key, columns.length);
  if (!parts) return undefined;
  const conditions = columns.map((column, n) => equalsParameter(catalogue, table, column, first + n));
  return { sql: conditions.join(' and '), values: parts };
}

/**
 * The condition that row `t` has one of these keys, with an array for each column as parameters from $1 on; undefined
 * where none of them has its shape.
 */
export function hasOneOfKeys(
  catalogue: Catalogue,
  table: TableRef,
  columns: string[],
  keys: readonly string[],
) {
  const asked = keys.flatMap((key) => {
    const parts = columns.length === 1 ? [key] : partsOf(key, columns.length);
    return parts ? [parts] : [];
  });
  if (asked.length === 0) return undefined;
  const compared = columns.map((column, n) => {
    const value = valueAs(columnIn(catalogue, table, column)?.base, `asked.v${n}`);
    return value
      ? { own: `t.${quoted(column)}`, value: `(${value})` }
      : { own: `t.${quoted(column)}::text`, value: `asked.v${n}` };
  });
  const lists = columns.map((_, n) => `$${n + 1}::text[]`).join(', ');
  const names = columns.map((_, n) => `v${n}`).join(', ');
  const values = compared.map(({ value }) => value).join(', ');
  return {
    sql: `(${compared.map(({ own }) => own).join(', ')}) in (select ${values} from unnest(${lists}) as asked(${names}))`,
    values: columns.map((_, n) => asked.map((parts) => parts[n] as string)),
  };
}

function partsOf(key: string, count: number): string[] | undefined {
  try {
    const parts: unknown = JSON.parse(key);
    return Array.isArray(parts) && parts.length === count && parts.every((part) => typeof part === 'string')
      ? parts
      : undefined;
  } catch {
    return undefined;
  }
}

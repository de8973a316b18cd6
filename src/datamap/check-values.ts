/** What erasure would write, as SQL, and how the check asks Postgres about it. */
import { messageOf } from '../errors.js';
import { type SqlRunner } from '../database/unit-of-work.js';
import { type CatalogueTable } from './catalogue.js';
import { type Finding } from './findings.js';
import { literal } from './names.js';
import { type SetValue } from './schema.js';

export interface Found {
  errors: Finding[];
  warnings: Finding[];
}

/** Column → what the erasure rule writes. */
export type Changes = Record<string, SetValue>;

/** Two people’s pseudonyms: what is the same for both is the same for everybody. */
export const SAMPLES = [
  '7a9b8c10-0000-4000-8000-000000000000',
  '0190f3a0-1111-4111-9111-1123456789ab',
] as const;

export const isPseudonym = (value: SetValue | undefined): boolean =>
  value === 'pseudonym-mail' || value === 'pseudonym-uuid';

/** What would stand in the column, of the column's own type: a domain's constraints are looked at by the cast. */
export function valueSql(
  table: CatalogueTable,
  name: string,
  value: SetValue,
  sample: string = SAMPLES[0],
): string {
  if (value === null) return `null::${typeOf(table, name)}`;
  if (value === 'pseudonym-mail') return valueSql(table, name, `deleted-${sample}@deleted.invalid`);
  const text = value === 'pseudonym-uuid' ? sample : String(value);
  return `(${literal(text)}::text)::${typeOf(table, name)}`;
}

export const typeOf = (table: CatalogueTable, name: string): string =>
  table.columns.find((c) => c.name === name)?.type ?? 'text';

/** Asks about values of the map; must run in a transaction. A refusal is Postgres's own sentence. */
export async function ask(db: SqlRunner, sql: string): Promise<{ row?: { v: unknown }; refusal?: string }> {
  await db.query('savepoint habeas_check');
  try {
    const [row] = await db.query<{ v: unknown }>(sql);
    await db.query('release savepoint habeas_check');
    return row === undefined ? {} : { row };
  } catch (error) {
    await db.query('rollback to savepoint habeas_check');
    return { refusal: messageOf(error) };
  }
}

/** Whether an expression, as Postgres writes it, names the column. A word of a text in it counts too. */
export function mentions(sql: string, column: string): boolean {
  const plain = /^[a-z_][a-z0-9_$]*$/.test(column)
    ? `(?<![\\w$"])${column.replaceAll('$', '\\$')}(?![\\w$"])|`
    : '';
  const escaped = `"${column.replaceAll('"', '""')}"`.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`${plain}${escaped}`).test(sql);
}

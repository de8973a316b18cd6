import { z } from 'zod';
import { invalidInput } from './input.js';

/** `?limit&cursor` of every list. */
export const PageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50).describe('How many items at the most'),
  cursor: z.string().max(2048).optional().describe('`next` of the page before'),
});
export type PageQuery = z.infer<typeof PageQuery>;

export interface Page<Item> {
  items: Item[];
  /** The cursor of the page after this one; null on the last. */
  next: string | null;
}

/** The schema of a page of these items, for OpenAPI. */
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), next: z.string().nullable() });

/** The keyset of a row as an opaque text. Put ids and times in, nothing personal: it ends up in addresses. */
export const cursorOf = (key: unknown): string => Buffer.from(JSON.stringify(key)).toString('base64url');

/**
 * A day or a moment as Postgres prints it, in a cursor: a cursor may be made up, and the database must still
 * understand it. A Date would round microseconds away.
 */
export const StoredDay = z
  .string()
  .regex(/^[1-9]/)
  .pipe(z.iso.date());
export const StoredMoment = z
  .string()
  .regex(/^[1-9]\d{3}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?[+-](0\d|1[0-4])(:[0-5]\d)?$/)
  .refine((text) => StoredDay.safeParse(text.slice(0, 10)).success && clockTime.test(text.slice(11, 19)));
const clockTime = /^([01]\d|2[0-3]):[0-5]\d:[0-5]\d$/;

/**
 * The keyset that a page starts after, or undefined for the first.
 * @throws DomainError `input.invalid` when it is not one that this list gave out
 */
export function readCursor<Key>(schema: z.ZodType<Key>, cursor: string | undefined): Key | undefined {
  if (cursor === undefined) return undefined;
  const parsed = schema.safeParse(fromJson(Buffer.from(cursor, 'base64url').toString()));
  if (parsed.success) return parsed.data;
  throw invalidInput([
    { path: 'cursor', code: 'input.invalid_cursor', message: 'This is not a cursor of this list.' },
  ]);
}

/**
 * A page of rows that were read with `limit + 1`: the one too many only says that there is more.
 * @param keyOf the keyset of a row, in the order of the query
 */
export function pageFrom<Row>(rows: readonly Row[], limit: number, keyOf: (row: Row) => unknown): Page<Row> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next: rows.length > limit && last !== undefined ? cursorOf(keyOf(last)) : null };
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

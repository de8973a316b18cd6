/** A table or view, by its exact name. */
export interface TableRef {
  schema: string;
  name: string;
}

/** An identifier as SQL: always quoted, so that mixed case and reserved words need no thought. */
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A text as an SQL literal that reads the same whatever standard_conforming_strings says. */
export function literal(value: string): string {
  const body = value.replaceAll("'", "''");
  return body.includes('\\') ? `E'${body.replaceAll('\\', '\\\\')}'` : `'${body}'`;
}

/** `"schema"."table"`: as SQL, and as the key by which the catalogue is looked up. */
export const qualified = ({ schema, name }: TableRef): string => `${quoted(schema)}.${quoted(name)}`;

/** `schema.table`: for people. */
export const shown = ({ schema, name }: TableRef): string => `${schema}.${name}`;

const PARTS = /^(?:(?:"((?:[^"]|"")+)"|([^".]+))\.)?(?:"((?:[^"]|"")+)"|([^".]+))$/;

/** Reads `table`, `schema.table` or `"odd.schema"."odd.table"`; undefined where it is none of these. */
export function parseTable(text: string, defaultSchema: string): TableRef | undefined {
  const found = PARTS.exec(text);
  if (!found) return undefined;
  const [, quotedSchema, schema, quotedName, name] = found;
  return {
    schema: quotedSchema?.replaceAll('""', '"') ?? schema ?? defaultSchema,
    name: (quotedName?.replaceAll('""', '"') ?? name) as string,
  };
}

/** A pattern with `*` and `?` against a whole name. */
export function matches(pattern: string, name: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(name);
}

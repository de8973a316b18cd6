/** Postgres types, as far as values that come as text have to become them without ever raising. */

const UUID = `'^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$'`;

const BIGINT = (v: string) =>
  `case when ${v} ~ '^-?[0-9]{1,19}$' then ` +
  `case when ${v}::numeric between -9223372036854775808 and 9223372036854775807 then ${v}::bigint end end`;

/**
 * SQL that turns text `v` into something a column of this base type compares with by its own index, or null
 * where the text is no such value (a key of another shape finds nobody, it does not fail a query). Undefined
 * where there is no safe cast: the column is then compared as text.
 * @param own all integers widen to bigint, which btree compares across; `own type` keeps them, for array operators
 */
export function valueAs(base: string | undefined, v: string, own?: 'own type'): string | undefined {
  switch (base) {
    case 'pg_catalog.uuid':
      return `case when ${v} ~ ${UUID} then ${v}::uuid end`;
    case 'pg_catalog.int2':
      return own ? narrow(v, 32767, 'smallint') : BIGINT(v);
    case 'pg_catalog.int4':
      return own ? narrow(v, 2147483647, 'integer') : BIGINT(v);
    case 'pg_catalog.int8':
      return BIGINT(v);
    case 'pg_catalog.numeric':
      return `case when ${v} ~ '^-?[0-9]{1,100}([.][0-9]{1,100})?$' then ${v}::numeric end`;
    case 'pg_catalog.text':
      return v;
    case 'pg_catalog.varchar':
      return `${v}::varchar`;
    case 'pg_catalog.bpchar':
      return `${v}::bpchar`;
    default:
      return base?.endsWith('.citext')
        ? `${v}::${base
            .split('.')
            .map((part) => `"${part}"`)
            .join('.')}`
        : undefined;
  }
}

const narrow = (v: string, most: number, type: string): string =>
  `case when ${v} ~ '^-?[0-9]{1,10}$' then case when ${v}::bigint between ${-most - 1} and ${most} then ${v}::${type} end end`;

/** Types that sort by the database's collation unless told otherwise. */
export const isText = (base: string): boolean =>
  ['pg_catalog.text', 'pg_catalog.varchar', 'pg_catalog.bpchar', 'pg_catalog.name'].includes(base) ||
  base.endsWith('.citext');

/** Rows as queries that can be joined: what refers to what, over whole tables rather than row by row. */
import { type CatalogueTable, type ForeignKey } from '../../datamap/catalogue.js';
import { qualified, quoted } from '../../datamap/names.js';
import { liesIn, type Referrer } from '../../datamap/referrers.js';
import { type Reach } from './extent.js';

/** SQL about a row `t`, by the name under which a query answers it. */
export type Columns = Record<string, string>;

/** A query of these columns of some rows, as far as `condition`, about a row `t`, is true of them. */
export type Rows = (columns: Columns, condition: string) => string;

/** Rows of a table that will not be there: by what they are, or because they hang by a cascade from `rows`. */
export interface Gone {
  reaches: readonly Reach[];
  along?: readonly { key: ForeignKey; rows: Rows }[];
}

const PLACE: Columns = { o: 't.tableoid', c: 't.ctid' };

/** The rows of a table under a condition. */
export const rowsOf =
  (table: CatalogueTable, where: string): Rows =>
  (columns, condition) =>
    `select ${listed(columns)} from ${qualified(table)} as t where ${where} and ${condition}`;

/**
 * Rows that refer by this key to `parents`, rows of `table`, without those of `gone`. Whatever cannot be told by looking
 * at a row alone is taken away by an anti-join: `not (… in (…))` would be asked row by row as soon as what is in there is
 * too much to be hashed.
 */
export const hangingRows =
  ({ child, key }: Referrer, table: CatalogueTable, parents: Rows, gone: Gone): Rows =>
  (columns, condition) => {
    const itself = qualified(child) === qualified(key.target);
    const { reaches, along = [] } = gone;
    const apart = reaches.filter(({ plain }) => !plain).map((reach) => placesOf(child, reach));
    const plain = reaches.filter((reach) => reach.plain).map((reach) => `(${reach.condition}) is not true`);
    const others = along.map(({ key: { columns: by } }, n) => keyed(`e${n}_`, by));
    const taken = along.map(({ key: to, rows }, n) => parentsOf(to, rows, Object.keys(others[n] ?? {})));
    // Of a table outside the map no more than its key may be readable.
    const place = itself || apart.length > 0 ? PLACE : {};
    const lies = qualified(key.target) === qualified(table) ? 'true' : liesIn(key.target);
    const above = parents({ ...keyed('k', key.targetColumns), ...(itself ? PLACE : {}) }, lies);
    const below = rowsOf(child, [condition, ...plain].join(' and '))(
      {
        ...columns,
        ...keyed('f', key.columns),
        ...place,
        ...Object.fromEntries(others.flatMap((one) => Object.entries(one))),
      },
      'true',
    );
    const same = key.columns.map((_, n) => `s.f${n} = p.k${n}`);
    // A row may refer to itself: that one goes with itself.
    const another = itself ? ['(s.o <> p.o or s.c <> p.c)'] : [];
    const answered = Object.keys(columns).map((name) => `s.${name}`);
    return (
      `select ${answered.join(', ')} from (${above}) as p join (${below}) as s ` +
      `on ${[...same, ...another].join(' and ')} where ${['true', ...[...apart, ...taken].map((rows) => `not exists ${rows}`)].join(' and ')}`
    );
  };

const placesOf = (table: CatalogueTable, { condition }: Reach): string =>
  `(select from (${rowsOf(table, condition)(PLACE, 'true')}) as g where g.c = s.c and g.o = s.o)`;

const parentsOf = ({ targetColumns }: ForeignKey, rows: Rows, columns: readonly string[]): string =>
  `(select from (${rows(keyed('k', targetColumns), 'true')}) as g where ${columns.map((column, n) => `s.${column} = g.k${n}`).join(' and ')})`;

const keyed = (prefix: string, columns: readonly string[]): Columns =>
  Object.fromEntries(columns.map((column, n) => [`${prefix}${n}`, `t.${quoted(column)}`]));

const listed = (columns: Columns): string =>
  Object.entries(columns)
    .map(([name, sql]) => `${sql} as ${name}`)
    .join(', ');

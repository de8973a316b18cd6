/** Rows that hang from a row `t` by a foreign key, as SQL. */
import { type CatalogueTable } from './catalogue.js';
import { qualified, quoted } from './names.js';
import { liesIn, type Referrer } from './referrers.js';

/** Condition: some row refers to `t`, a row of this table, and `condition` is true of it; in there `t` is that row. */
export const someChild = (referrer: Referrer, table: CatalogueTable, condition: string): string =>
  `exists (select ${childrenIn(referrer, table, condition)})`;

/** `from … where …` over the rows that refer to `t` and of which `condition` is true; in there `t` is the child's row. */
export function childrenIn({ child, key }: Referrer, table: CatalogueTable, condition: string): string {
  const parent = key.targetColumns.map((column, n) => `t.${quoted(column)} as k${n}`);
  const same = key.columns.map((column, n) => `t.${quoted(column)} = p.k${n}`);
  // A row may refer to itself: that one goes with itself.
  const itself = qualified(child) === qualified(key.target);
  if (itself) parent.push('t.tableoid as o', 't.ctid as c');
  const another = itself ? ' and (t.tableoid <> p.o or t.ctid <> p.c)' : '';
  // The key may name a partition, or an heir: then it is only about the rows that lie there.
  const only = qualified(key.target) === qualified(table) ? '' : ` where ${liesIn(key.target)}`;
  return (
    `from (select ${parent.join(', ')}${only}) as p, ${qualified(child)} as t ` +
    `where ${same.join(' and ')}${another} and (${condition})`
  );
}

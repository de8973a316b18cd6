/**
 * Rows of one table that refer to each other by keys that hold their parent (a thread of answers). Such rows go from
 * the leaves up; what is left then and is over may still lead in a circle, and goes as a whole.
 */
import { type CatalogueTable, type ForeignKey } from '../../datamap/catalogue.js';
import { qualified, quoted } from '../../datamap/names.js';

const pairs = (key: ForeignKey, n: number, child: string, parent: string): string =>
  key.columns.map((_, i) => `${child}.f${n}_${i} = ${parent}.k${n}_${i}`).join(' and ');

/**
 * CTEs for a WITH RECURSIVE. `edge` leads from each row that is over to the one it refers to, `whole` (rel, place) are
 * those to which, over however many answers, nothing refers that has to stay.
 * @param due condition: the row `t` is over and may go, whoever answers it
 */
export function threadCtes(table: CatalogueTable, keys: readonly ForeignKey[], due: string): string[] {
  const columns = keys.flatMap((key, n) => [
    ...key.columns.map((column, i) => `t.${quoted(column)} as f${n}_${i}`),
    ...key.targetColumns.map((column, i) => `t.${quoted(column)} as k${n}_${i}`),
  ]);
  const edges = keys.map(
    (key, n) =>
      `select x.rel, x.place, p.rel as to_rel, p.place as to_place from c as x join c as p on ${pairs(key, n, 'x', 'p')}`,
  );
  const held = keys.map((key, n) => {
    const same = key.columns.map((column, i) => `t.${quoted(column)} = p.k${n}_${i}`).join(' and ');
    return (
      `select p.rel, p.place from c as p where exists (select from ${qualified(table)} as t where ${same} ` +
      `and not exists (select from c as x where x.place = t.ctid and x.rel = t.tableoid))`
    );
  });
  return [
    `c as materialized (select t.tableoid as rel, t.ctid as place, ${columns.join(', ')} from ${qualified(table)} as t where ${due})`,
    `edge as materialized (${edges.join(' union all ')})`,
    `stay as (select * from (${held.join(' union all ')}) as held union ` +
      `select e.to_rel, e.to_place from stay as s join edge as e on e.rel = s.rel and e.place = s.place)`,
    `whole as materialized (select c.rel, c.place from c where not exists ` +
      `(select from stay as s where s.rel = c.rel and s.place = c.place))`,
  ];
}

/** CTE `ring`: some of `whole`, with everything that refers to them. */
export const ringCte = (limit: string): string =>
  `ring as (select * from (select rel, place from whole order by rel, place limit ${limit}) as first union ` +
  `select e.rel, e.place from ring as r join edge as e on e.to_rel = r.rel and e.to_place = r.place)`;

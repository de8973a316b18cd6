/**
 * Rows of one table that refer to each other by keys that hold their parent (a thread of answers). Such rows go from
 * the leaves up; what is left then and is over may still lead in a circle, and goes as a whole.
 *
 * A thread may be thousands of levels deep, and nobody promises an index on its keys. So the rows that are over are
 * numbered and joined with each other once, what they lead to is kept as arrays by these numbers, and the recursions
 * below look into the arrays: each step costs what it finds, and no plan can make it cost the whole table again.
 */
import { type CatalogueTable, type ForeignKey } from '../../datamap/catalogue.js';
import { qualified, quoted } from '../../datamap/names.js';

/**
 * CTEs for a WITH RECURSIVE. `c` (n, rel, place) are the rows that are over, `edge<k>` (n, up) what each leads to by the
 * kth key (0: to none of them), `whole` (n, rel, place) those to which, over however many answers, nothing refers that
 * has to stay.
 * @param due condition: the row `t` is over and may go, whoever answers it
 */
export function threadCtes(table: CatalogueTable, keys: readonly ForeignKey[], due: string): string[] {
  const columns = keys.flatMap((key, k) => [
    ...key.columns.map((column, i) => `t.${quoted(column)} as f${k}_${i}`),
    ...key.targetColumns.map((column, i) => `t.${quoted(column)} as k${k}_${i}`),
  ]);
  // A full join is never a nested loop, which a table without statistics would be given. (`is not null` would make it a
  // left join again.)
  const edges = keys.map(
    (key, k) =>
      `edge${k} as materialized (select x.n, coalesce(nullif(p.n, x.n), 0) as up from c as x full join c as p on ` +
      `${key.columns.map((_, i) => `x.f${k}_${i} = p.k${k}_${i}`).join(' and ')} where coalesce(x.n, 0) > 0)`,
  );
  const ups = keys.map(
    (_, k) => `ups${k} as materialized (select array_agg(up order by n) as its from edge${k})`,
  );
  const held = keys.map((key, k) => {
    const same = key.columns.map((column, i) => `t.${quoted(column)} = p.k${k}_${i}`).join(' and ');
    return (
      `select p.n from c as p where exists (select from ${qualified(table)} as t where ${same} ` +
      `and not exists (select from c as x where x.place = t.ctid and x.rel = t.tableoid))`
    );
  });
  const further = keys.map((_, k) => `((select its from ups${k})[s.n])`).join(', ');
  return [
    `c as materialized (select (row_number() over ())::int as n, t.tableoid as rel, t.ctid as place, ${columns.join(', ')} ` +
      `from ${qualified(table)} as t where ${due})`,
    ...edges,
    ...ups,
    `stay as (select n from (${held.join(' union all ')}) as held union ` +
      `select up from stay as s cross join lateral (values ${further}) as v (up) where up > 0)`,
    `whole as materialized (select c.n, c.rel, c.place from c full join stay as s using (n) where coalesce(c.n, 0) > 0 and s.n is null)`,
  ];
}

/** CTE `answers`: numbers of the rows that refer to each row of `c`, one after the other, and from where on each one's are. */
const answersCtes = (keys: readonly ForeignKey[]): string[] => {
  const edges = keys.map((_, k) => `select n, up from edge${k} where up > 0`).join(' union all ');
  return [
    `answer as materialized (${edges})`,
    `answers as materialized (select array_agg(n order by up) as its from answer)`,
    `counted as (select c.n, count(a.n)::int as many from c left join answer as a on a.up = c.n group by c.n)`,
    `starts as materialized (select array_agg(1 + before::int order by n) as its from (
       select n, sum(many) over (order by n) - many as before from counted
       union all select (select count(*) from c) + 1, (select count(*) from answer)) as each)`,
  ];
};

/** The rows that refer to row `s`: what a recursion takes next. */
const answersOf = `unnest((select its from answers)[(select its from starts)[s.n] : (select its from starts)[s.n + 1] - 1])`;

/** CTE `ring`: some of `whole`, with everything that refers to them. */
export const ringCtes = (keys: readonly ForeignKey[], limit: string): string[] => [
  ...answersCtes(keys),
  `reached as (select * from (select n from whole order by rel, place limit ${limit}) as first union ` +
    `select a.n from reached as s cross join lateral ${answersOf} as a (n))`,
  `ring as (select c.rel, c.place from reached join c using (n))`,
];

/** CTE `line`: those of `whole` that lead in no circle, by one key, with how deep each is: what answers a row is deeper than it. */
export const lineCtes = (key: ForeignKey): string[] => [
  ...answersCtes([key]),
  `line as (select w.n, 0 as depth from whole as w join edge0 as e using (n)
     where not exists (select from whole as p where p.n = e.up) union all
   select a.n, s.depth + 1 from line as s cross join lateral ${answersOf} as a (n))`,
];

/**
 * CTE `answered` (rel, place): those of some rows that others of the table refer to. The rows come first, by themselves, so
 * that Postgres joins them with the table once, or goes to an index, rather than read the table for each of them.
 * @param among condition: row `t` is one of those
 * @param except condition: an answer that does not count
 */
export function answeredCtes(
  table: CatalogueTable,
  keys: readonly ForeignKey[],
  among: string,
  except: string,
): string[] {
  const columns = keys.flatMap((key, k) =>
    key.targetColumns.map((column, i) => `t.${quoted(column)} as k${k}_${i}`),
  );
  const found = keys.map(
    (key, k) =>
      `select a.rel, a.place from asked as a join ${qualified(table)} as t on ` +
      `${key.columns.map((column, i) => `t.${quoted(column)} = a.k${k}_${i}`).join(' and ')} ` +
      `where (t.tableoid <> a.rel or t.ctid <> a.place) and not (${except})`,
  );
  return [
    `asked as materialized (select t.tableoid as rel, t.ctid as place, ${columns.join(', ')} from ${qualified(table)} as t where ${among})`,
    `answered as materialized (${found.join(' union all ')})`,
  ];
}

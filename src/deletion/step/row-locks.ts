/**
 * Locks taken before rows are deleted whose going concerns others. A statement judges by its snapshot, and somebody may
 * answer a post between that and the lock on it: the post is unchanged, so the delete would go on, and ON DELETE CASCADE
 * would take the answer along. So the rows are locked first, by a statement of their own; the next one has a newer
 * snapshot. Who refers to a row by a foreign key asks for a share of it: what came before the lock is in that snapshot,
 * and nothing comes after it.
 */
import { type CatalogueTable } from '../../datamap/catalogue.js';
import { qualified, quoted } from '../../datamap/names.js';
import { liesIn, type Referrer } from '../../datamap/referrers.js';
import { type SqlRunner } from '../../database/unit-of-work.js';
import { type Statement, statementOf, type Values } from './statement.js';
import { liesAt, type Places, type StepRows } from './rows.js';

/** Which rows are to be locked. */
export interface Due {
  /** Condition of row `t`. */
  rows: (values: Values) => string;
  limit?: number | undefined;
  /** What becomes of rows that somebody else has locked. */
  locked: 'skip' | 'wait for';
}

/**
 * Locks rows of a step, and from the top down what would go along with them: what hangs there may become somebody
 * else's, or get rows of others itself. READ COMMITTED only; the statement that deletes comes after it, in the same
 * transaction, and judges again.
 *
 * Not needed where nothing cascades and no row is shared: then it is of no matter to others whether a row goes, and a
 * foreign key without a cascade speaks for itself. A key that is only cleared (ON DELETE SET NULL) takes nobody's row.
 * Whoever is named in a shared row by a table without a foreign key to it can be late all the same: that row of theirs
 * stays, and the host lets it refer to nothing.
 * @returns where those rows lie, for exactly these to be deleted: they stay there while they are locked; undefined where
 * no lock is needed
 */
export async function lockedFirst(db: SqlRunner, rows: StepRows, due: Due): Promise<Places[] | undefined> {
  if (!concernsOthers(rows)) return undefined;
  const top = lockRows(rows, due);
  const places = await db.query<Places>(top.sql, top.values);
  if (places.length === 0) return places;
  for (const chain of rows.guard.goingAlong(rows.table)) {
    if (!mayLock(chain)) continue;
    const { sql, values } = lockHanging(rows, due, places, chain);
    await db.query(sql, values);
  }
  return places;
}

// Rows of a view lie nowhere; a cascade behind one is refused.
const concernsOthers = ({ isStored, collection, guard, table }: StepRows): boolean =>
  isStored && (collection.shared !== undefined || guard.cascadesOf(table).length > 0);

/**
 * Postgres asks for the right to update some column. A table that the map only ever keeps rows of is without it: those
 * stop the delete, and the rest of its rows go along as they are found, without a lock of their own.
 */
function mayLock(chain: readonly Referrer[]): boolean {
  const update = chain.at(-1)?.child.granted.update ?? [];
  return update.length > 0;
}

function lockRows({ table }: StepRows, { rows, limit, locked }: Due): Statement {
  return statementOf((values) => {
    const condition = rows(values);
    const most = limit === undefined ? '' : ` limit ${values.add(limit)}::bigint`;
    return (
      `select rel::text as rel, string_agg('"' || place::text || '"', ',' order by place) as places ` +
      `from (select t.tableoid as rel, t.ctid as place from ${qualified(table)} as t where ${condition}${most} ` +
      `for update of t${locked === 'skip' ? ' skip locked' : ''}) as locked group by rel order by rel`
    );
  });
}

/** Locks what hangs at the end of a chain of foreign keys from those of the locked rows that may still go. */
function lockHanging(
  { table }: StepRows,
  due: Due,
  places: readonly Places[],
  chain: readonly Referrer[],
): Statement {
  return statementOf((values) => {
    const levels = chain.map((referrer, n) => {
      const above = chain[n - 1];
      const own = above ? hangsFrom(above, n - 1) : `${liesAt(values, places)} and ${due.rows(values)}`;
      return levelCte(n, above?.child ?? table, referrer, own);
    });
    const last = chain.length - 1;
    const { child } = chain[last] as Referrer;
    const rows = `select from ${qualified(child)} as t where ${hangsFrom(chain[last] as Referrer, last)} for update of t`;
    return `with ${levels.join(', ')}, locked as (${rows}) select count(*) from locked`;
  });
}

/** CTE `l<n>`: what the key refers to of the rows of its target that meet a condition. */
function levelCte(n: number, table: CatalogueTable, { key }: Referrer, condition: string): string {
  const columns = key.targetColumns.map((column, i) => `t.${quoted(column)} as k${i}`).join(', ');
  // The key may name a partition, or an heir: then it is only about the rows that lie there.
  const only = qualified(key.target) === qualified(table) ? '' : ` and ${liesIn(key.target)}`;
  return `l${n} as materialized (select ${columns} from ${qualified(table)} as t where ${condition}${only})`;
}

/** Condition: row `t` refers by this key to one of those in CTE `l<n>`. */
function hangsFrom({ key }: Referrer, n: number): string {
  const own = key.columns.map((column) => `t.${quoted(column)}`);
  // As an array Postgres goes to the index, whatever it thinks of the number of parents.
  const each = own.map((column, i) => `${column} = any (array(select k${i} from l${n}))`);
  if (own.length === 1) return each.join('');
  return `${each.join(' and ')} and (${own.join(', ')}) in (select ${own.map((_, i) => `k${i}`).join(', ')} from l${n})`;
}

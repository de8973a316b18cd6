/** How much of what is over one batch takes, so that nobody waits for it. */
import { type SqlRunner } from '../../database/unit-of-work.js';
import { type Level } from './levels.js';
import { type Place, type RetentionSql } from './sweep-sql.js';

/** A row with no more than so many hanging from it goes in one batch with them: all of it or nothing. */
const AT_ONCE = 1000;

export interface Portion {
  level: Level;
  /** All that hangs from them goes along. */
  rows: readonly Place[];
  /** Rows of all levels. */
  weight: number;
}

/**
 * As many of locked rows, in their order, as go with all that hangs from them in a batch of `size` rows. Where the first
 * alone is too much, some of what hangs from it goes ahead, and it stays until that has gone; where nothing can go ahead
 * (answers in a circle, say) it goes with everything after all.
 * @throws what Postgres says (`lock_not_available`) where only others' locks keep everything from going ahead
 */
export async function portionOf(
  db: SqlRunner,
  sql: RetentionSql,
  rows: readonly Place[],
  size: number,
  level: Level = sql.levels.top,
): Promise<Portion> {
  let some = rows;
  for (;;) {
    const weight = some.length + (await weigh(db, sql, some, level));
    if (weight <= (some.length > 1 ? Math.max(size, some.length) : 1 + AT_ONCE))
      return { level, rows: some, weight };
    const [first] = some;
    if (some.length === 1 && first)
      return (await aheadOf(db, sql, first, size, level)) ?? { level, rows: some, weight };
    some = some.slice(0, Math.max(1, some.length >> 2));
  }
}

async function weigh(
  db: SqlRunner,
  sql: RetentionSql,
  rows: readonly Place[],
  level: Level,
): Promise<number> {
  const weighing = sql.weigh(rows, level, AT_ONCE);
  if (!weighing) return 0;
  const [row] = await db.query<{ rows: number }>(weighing.sql, weighing.values);
  return row?.rows ?? 0;
}

/** Undefined where nothing may go ahead: what only is locked shall not make everything go at once. */
async function aheadOf(
  db: SqlRunner,
  sql: RetentionSql,
  row: Place,
  size: number,
  level: Level,
): Promise<Portion | undefined> {
  for (const locked of ['skip locked', 'nowait'] as const)
    for (const child of level.children) {
      const pick = sql.pickAhead(row, child, size, locked);
      const picked = await db.query<Place>(pick.sql, pick.values);
      if (picked.length > 0) return portionOf(db, sql, picked, size, child);
    }
  return undefined;
}

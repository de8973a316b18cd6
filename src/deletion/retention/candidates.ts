import { type SqlRunner } from '../../database/unit-of-work.js';
import { type Statement } from '../step/statement.js';
import { type Kept } from './guard.js';
import { type Portion, portionOf } from './portion.js';
import { type Linked, type Phase, type Picked, type RetentionSql } from './sweep-sql.js';
import { ThreadLine } from './thread-line.js';

/** Rows of threads whose order is remembered at a time; finding it looks at all that is over. */
const LINE = 20_000;
/** Milliseconds in which leaves are found; without an index on what they answer they are not, and whole threads are faster. */
const GLANCE = 1000;
const PATIENCE = 60_000;

/** What the next batch takes. */
export interface Cut {
  phase: Phase;
  /** Topmost rows that are locked for it. */
  picked: readonly Picked[];
  portion: Portion;
  /** Whether only what hangs from a row goes, and it does not yet. */
  ahead: boolean;
  more: boolean;
  /** To be called when it has gone. */
  done: () => void;
}

export type Next = Cut | 'over' | 'more';

/** One look for what goes next. */
interface Search {
  db: SqlRunner;
  sql: RetentionSql;
  phase: Phase;
  size: number;
  /** Who and what is kept at this moment. */
  asOf: string;
  onPicked: (rows: readonly Picked[], ahead: boolean) => void;
}

/** Finds what one collection's batches take, one after the other. What it remembers is only where it was: all is asked again. */
export class Candidates {
  /** A row of which a part has gone, and who and what was kept when all of it was looked at. */
  private begun: { row: Picked; kept: string } | undefined;
  private line = new ThreadLine<Picked>();
  /** Whether anything of the line has gone. */
  private moved = true;
  private lookingFor: 'leaves' | 'line' | undefined;
  private noLine = false;

  /** @param without rows that this run leaves alone: failed before and not due, failed now, or locked by somebody */
  constructor(readonly without: Buffer[]) {}

  leave({ digest }: Picked): void {
    this.without.push(digest);
    this.begun = undefined;
  }

  /** What took too long to be found, where something else is looked for then. */
  givesUp(): 'leaves' | 'line' | undefined {
    const found = this.lookingFor;
    this.lookingFor = undefined;
    // Then they go a level at a time.
    this.noLine ||= found === 'line';
    return found;
  }

  /**
   * @param size how many topmost rows are looked at, and rows of all levels taken
   * @param onPicked told of rows before anything is done about them that may fail
   */
  async next(
    db: SqlRunner,
    sql: RetentionSql,
    { phase, size, kept }: { phase: Phase; size: number; kept: Kept },
    onPicked: (rows: readonly Picked[], ahead: boolean) => void,
  ): Promise<Next> {
    const search: Search = { db, sql, phase, size, asOf: fingerprint(kept), onPicked };
    const rest = await this.restOfBegun(search);
    if (rest) return rest;
    if (phase === 'threads' && !this.noLine) return this.ofThreads(search);
    const glances = phase === 'leaves' && sql.phases.includes('threads');
    const picked = await this.look(
      db,
      sql.pick(size, this.without, phase === 'rings' ? 'rings' : 'leaves'),
      glances,
    );
    if (picked.length === 0) return 'over';
    // Fewer leaves than were asked for: below them the next level begins, and whole threads go faster.
    const cut = await this.cut(search, picked, !(glances && picked.length < size), phase === 'rings');
    return phase === 'threads' ? { ...cut, phase: 'leaves' } : cut;
  }

  /** Of a row of which a part has gone, the next part; undefined where what is left of it is looked at whole. */
  private async restOfBegun(search: Search): Promise<Cut | undefined> {
    // What has changed since is looked at whole as well.
    if (this.begun?.kept === search.asOf) {
      const again = search.sql.pickAgain(this.begun.row);
      const rows = await search.db.query<Picked>(again.sql, again.values);
      const cut = rows.length > 0 ? await this.cut(search, rows, true) : undefined;
      if (cut?.ahead) return cut;
    }
    this.begun = undefined;
    return undefined;
  }

  /** As much of locked rows as one batch takes; all of them where they go as a whole or not. */
  private async cut(search: Search, picked: readonly Picked[], more: boolean, whole = false): Promise<Cut> {
    const { db, sql, phase, size, asOf, onPicked } = search;
    onPicked(picked, false);
    const portion = whole
      ? { level: sql.levels.top, rows: picked, weight: picked.length }
      : await portionOf(db, sql, picked, size);
    const ahead = portion.level !== sql.levels.top;
    onPicked(ahead ? picked.slice(0, 1) : picked, ahead);
    const [row] = picked;
    const done = () => {
      this.begun = ahead && row ? { row, kept: asOf } : undefined;
    };
    return { phase, picked, portion, ahead, more: more || ahead, done };
  }

  private async look(db: SqlRunner, { sql, values }: Statement, glances: boolean): Promise<Picked[]> {
    if (!glances) return db.query<Picked>(sql, values);
    this.lookingFor = 'leaves';
    await db.query(patience, [`${GLANCE}`]);
    const picked = await db.query<Picked>(sql, values);
    await db.query(patience, [`${PATIENCE}`]);
    this.lookingFor = undefined;
    return picked;
  }

  private async ofThreads(search: Search): Promise<Next> {
    const { db, sql, size } = search;
    if (this.line.isOver) {
      if (!this.moved) return 'over';
      this.lookingFor = 'line';
      const { sql: query, values } = sql.line(LINE, this.without);
      const rows = await db.query<Linked>(query, values);
      this.lookingFor = undefined;
      if (rows.length === 0) return 'over';
      this.line = new ThreadLine(rows);
      this.moved = false;
    }
    const next = this.line.next(size);
    const pick = sql.pickOf(next, this.without);
    const rows = this.line.closed(next, await db.query<Picked>(pick.sql, pick.values));
    if (rows.length === 0) {
      this.line.pass(next.at(-1) as Linked);
      return 'more';
    }
    const cut = await this.cut(search, rows, true);
    const last = cut.portion.rows.at(-1);
    return {
      ...cut,
      done: () => {
        cut.done();
        this.moved = true;
        // Of a row that is not gone yet the rest is taken next.
        if (!cut.ahead && last) this.line.pass(last);
      },
    };
  }
}

const patience = `select set_config('statement_timeout', $1, true)`;

const fingerprint = ({ people, collections }: Kept): string =>
  JSON.stringify([people.map(({ kind, key }) => [kind, key]), [...collections]]);

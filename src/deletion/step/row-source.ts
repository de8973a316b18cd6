import { type BatchOptions, type Places } from './rows.js';
import { type Aim, type StepContext } from './context.js';

/** Places held in memory at once: a few megabytes, and so many that looking for the next ones is rare. */
const AT_ONCE = 100_000;

/**
 * What the batches of one pass over a selection take, one after the other. Rows are looked up many at a time, by
 * where they lie; each batch looks at its own again before it touches them.
 */
export class RowSource {
  private found: Places[] = [];
  /** Rows that refer to each other go from the leaves up, and what is no tree in one statement at the end. */
  private leavesOnly: boolean;
  private looked = false;
  private moved = false;
  private over = false;

  constructor(
    private readonly context: StepContext,
    private readonly aim: Aim,
    private readonly atOnce = AT_ONCE,
  ) {
    this.leavesOnly = aim.sql.deletes && aim.sql.rows.isTree;
  }

  /** By what the next batch finds its rows, at most `size` where they can be counted; undefined at the end. */
  async next(size: number): Promise<BatchOptions | undefined> {
    const { sql } = this.aim;
    if (!sql.rows.isStored) return this.over ? undefined : { limit: size };
    if (this.found.length === 0) await this.look();
    const [first] = this.found;
    if (!first) return this.rest();
    const end = endOf(first.places, size);
    const places = first.places.slice(0, end);
    first.places = first.places.slice(end + 1);
    if (first.places === '') this.found.shift();
    return { places: [{ rel: first.rel, places }], ...(this.leavesOnly && { leavesOnly: true }) };
  }

  /** Tells how many rows the batch found free: what moves nothing any more is at its end. */
  took(picked: number): void {
    if (picked > 0) this.moved = true;
    else if (!this.aim.sql.rows.isStored) this.over = true;
  }

  /** The next places, unless the last ones were all locked, or were all there were. */
  private async look(): Promise<void> {
    if (this.over || (this.looked && !this.moved)) return;
    const { context, aim, atOnce, leavesOnly } = this;
    this.found = await context.places(aim, atOnce, leavesOnly ? { leavesOnly } : {});
    [this.looked, this.moved] = [true, false];
    const rows = this.found.reduce((sum, { places }) => sum + countOf(places), 0);
    this.over = leavesOnly ? rows === 0 : rows < atOnce;
  }

  /** No leaf is left, but rows may be: they refer to each other in a circle, so they go in one statement. */
  private rest(): BatchOptions | undefined {
    if (!this.leavesOnly || !this.over) return undefined;
    this.leavesOnly = false;
    return {};
  }
}

const CLOSE = ')"';

/** Where the text of the first `count` places ends, or all of it. */
function endOf(places: string, count: number): number {
  let end = 0;
  for (let n = 0; n < count; n += 1) {
    const next = places.indexOf(CLOSE, end);
    if (next === -1) return places.length;
    end = next + CLOSE.length;
  }
  return end;
}

function countOf(places: string): number {
  let count = 0;
  for (let at = places.indexOf(CLOSE); at !== -1; at = places.indexOf(CLOSE, at + 1)) count += 1;
  return count;
}

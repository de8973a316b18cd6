import { type Linked, type Place } from './sweep-sql.js';

/** Rows of threads in the order in which they go: what answers a row stands before it. Only so many at a time are remembered. */
export class ThreadLine<Row extends Place> {
  /** Rows that one that has to wait answers: they wait as well, and so on up. */
  private readonly waiting = new Set<string>();
  private at = 0;

  constructor(private readonly rows: readonly Linked[] = []) {}

  get isOver(): boolean {
    return this.at >= this.rows.length;
  }

  next(size: number): readonly Linked[] {
    return this.rows.slice(this.at, this.at + size);
  }

  /** Of those that were next, the ones that were locked and that nothing answers but others of them. */
  closed(next: readonly Linked[], picked: readonly Row[]): Row[] {
    const found = new Map(picked.map((row) => [idOf(row.rel, row.place), row]));
    return next.flatMap(({ rel, place, toRel, toPlace }) => {
      const row = found.get(idOf(rel, place));
      if (row && !this.waiting.has(idOf(rel, place))) return row;
      if (toRel !== null && toPlace !== null) this.waiting.add(idOf(toRel, toPlace));
      return [];
    });
  }

  /** On to what comes after this row. */
  pass({ rel, place }: Place): void {
    while (!this.isOver) {
      const row = this.rows[this.at++];
      if (row?.rel === rel && row.place === place) return;
    }
  }
}

const idOf = (rel: string, place: string): string => `${rel} ${place}`;

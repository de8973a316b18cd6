/** Reads a table once for everybody. */
import { release } from '../../database/released.js';
import { type UnitOfWork } from '../../database/unit-of-work.js';
import { qualified, quoted } from '../../datamap/names.js';
import { ResidueMatcher } from './matcher.js';
import { type Pattern, uuidShape } from './patterns.js';
import { type Hit, ResidueRows } from './rows.js';
import { type SearchedColumn, type SearchedTable } from './tables.js';
import { ResidueWords, type WordHit } from './words.js';

/** So many hits are looked into at a time, whatever their number. */
const batchHits = 50_000;

/** These come with their texts, so fewer. */
const batchRows = 1_000;

/** One identifier found in one column of one row. */
export interface Finding {
  /** The row's ctid; good for the transaction that found it. */
  place: string;
  column: string;
  pattern: number;
}

const LONG_NUMBER = /^\d{12,}$/;

export class ResidueScan {
  private readonly matcher: ResidueMatcher | undefined;
  private readonly taken: ResidueWords;

  constructor(private readonly patterns: readonly Pattern[]) {
    this.taken = new ResidueWords(patterns);
    if (patterns.length > 0) this.matcher = new ResidueMatcher(patterns);
  }

  /**
   * Every hit in the table, in batches that end with a row. Must run in a REPEATABLE READ transaction: places stay
   * what they are, and a row that moves is neither missed nor met twice.
   * @returns rows read
   */
  async table(
    tx: UnitOfWork,
    table: SearchedTable,
    found: (findings: Finding[]) => Promise<void>,
  ): Promise<number> {
    // Otherwise a scan may begin in the middle of the table, beside another one.
    await tx.query(
      `select set_config('synchronize_seqscans', 'off', true), set_config('lock_timeout', '30s', true)`,
    );
    await this.values(tx, table, 'uuid', found);
    await this.values(tx, table, 'number', found);
    await this.words(tx, table, found);
    return this.texts(tx, table, found);
  }

  private async texts(
    tx: UnitOfWork,
    table: SearchedTable,
    found: (findings: Finding[]) => Promise<void>,
  ): Promise<number> {
    const columns = table.columns.filter((column) => column.as === 'text');
    if (!this.matcher || columns.length === 0) return 0;
    const list = columns.map(({ sql }) => sql).join(', ');
    let read: number | undefined;
    let after: string | undefined;
    do {
      const beyond = after === undefined ? '' : ` where t.ctid > '${after}'::tid`;
      const batch = new Batch();
      const rows = new ResidueRows(this.matcher, (hit) => {
        batch.add(hit);
      });
      const copy = await tx.copyOut(
        `copy (select t.ctid, ${list} from only ${qualified(table)} as t${beyond}) to stdout (format binary)`,
      );
      // What follows a full batch is read again after it: a stream that is given up costs the connection.
      for await (const chunk of copy as AsyncIterable<Buffer>) {
        if (!batch.isFull) rows.take(chunk);
        release(chunk);
      }
      if (!batch.isFull) {
        rows.end();
        if (rows.rows !== copy.rowCount) throw new Error('rows were lost between Postgres and the search');
      }
      read ??= copy.rowCount;
      await found(batch.findings(columns));
      after = batch.isFull ? batch.last : undefined;
    } while (after !== undefined);
    return read;
  }

  /** Columns of whole values are compared in Postgres, which hashes the list and uses an index where there is one. */
  private async values(
    tx: UnitOfWork,
    table: SearchedTable,
    as: 'uuid' | 'number',
    found: (findings: Finding[]) => Promise<void>,
  ): Promise<void> {
    const columns = table.columns.filter((column) => column.as === as);
    const wanted = new Map(
      this.patterns.flatMap(({ value }, index) =>
        (as === 'uuid' ? uuidShape : LONG_NUMBER).test(value) ? [[value, index] as const] : [],
      ),
    );
    if (columns.length === 0 || wanted.size === 0) return;
    const type = as === 'uuid' ? 'uuid' : 'numeric';
    const any = columns.map(({ name }) => `t.${quoted(name)} = any ($1::${type}[])`).join(' or ');
    const list = columns.map(({ sql }, n) => `${sql} as c${n}`).join(', ');
    for (let after = '(0,0)'; ;) {
      const rows = await tx.query<Record<string, string | null> & { place: string }>(
        `select t.ctid::text as place, ${list} from only ${qualified(table)} as t ` +
          `where (${any}) and t.ctid > $2::tid order by t.ctid limit ${batchHits}`,
        [[...wanted.keys()], after],
      );
      await found(
        rows.flatMap((row) =>
          columns.flatMap(({ name }, n) => {
            const pattern = wanted.get(row[`c${n}`] ?? '');
            return pattern === undefined ? [] : [{ place: row.place, column: name, pattern }];
          }),
        ),
      );
      const last = rows.at(-1);
      if (!last || rows.length < batchHits) return;
      after = last.place;
    }
  }

  /** What text search has taken apart, as far as it is not read as text again. */
  private async words(
    tx: UnitOfWork,
    table: SearchedTable,
    found: (findings: Finding[]) => Promise<void>,
  ): Promise<void> {
    const columns = table.columns.filter(({ isWords }) => isWords);
    if (columns.length === 0 || this.patterns.length === 0) return;
    for (let after = '(0,0)'; ;) {
      const rows = await this.taken.rows(tx, table, columns, after, batchRows);
      const hits = rows.flatMap((row) => row.hits).filter((hit) => !this.isRead(hit));
      await found(hits.map(({ place, column, pattern }) => ({ place, column, pattern })));
      const last = rows.at(-1);
      if (!last || rows.length < batchRows) return;
      after = last.place;
    }
  }

  private isRead({ text, pattern }: WordHit): boolean {
    const bytes = Buffer.from(text);
    return !!this.matcher
      ?.candidates(bytes)
      .some((one) => one.pattern === pattern && this.matcher?.isToken(one, bytes, 0, bytes.length));
  }
}

class Batch {
  isFull = false;
  last: string | undefined;
  private readonly hits = new Map<string, Hit>();

  add(hit: Hit): void {
    if (this.isFull) return;
    if (this.hits.size >= batchHits && hit.place !== this.last) {
      this.isFull = true;
      return;
    }
    this.last = hit.place;
    this.hits.set(`${hit.place} ${hit.column} ${hit.pattern}`, hit);
  }

  findings(columns: readonly SearchedColumn[]): Finding[] {
    return [...this.hits.values()].map(({ place, column, pattern }) => ({
      place,
      column: columns[column]?.name ?? '',
      pattern,
    }));
  }
}

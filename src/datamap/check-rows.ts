/**
 * The rows of a table as they would stand once erasure had written into them: made in a subquery, changed nowhere.
 * What the database has to say about such rows (a constraint, an index) is asked of it, and only a yes or a no comes
 * back: neither an answer nor an error tells a value.
 */
import { type SqlRunner } from '../database/unit-of-work.js';
import { type CatalogueTable } from './catalogue.js';
import { type Changes, mentions, SAMPLES, valueSql } from './check-values.js';
import { type ErasureFacts } from './erasure-facts.js';
import { type Collection, type DataMap } from './map.js';
import { qualified, quoted } from './names.js';
import { pathValues } from './paths.js';

/** How long one question may take, and all of one check together. */
const PATIENCE_MS = 2_000;
/** Where one row is an answer and there are many such rows, it is found at once. */
const GLANCE_MS = 1_000;
const ALL_PATIENCE_MS = 10_000;

/** A table whose rows a rule writes into. */
export interface Written {
  collection: Collection;
  table: CatalogueTable;
  facts: ErasureFacts;
  changes: Changes;
}

/** `yes`: such a row is there. `none`: there is no row to ask about. */
export type Answer = 'yes' | 'no' | 'none' | { unanswered: string };

/** The columns that an expression reads, those behind computed ones included. */
export function columnsIn({ table, facts }: Written, sql: string): string[] {
  const named = table.columns.map(({ name }) => name).filter((name) => mentions(sql, name));
  const computed = facts.generated.filter(({ name }) => named.includes(name));
  const behind = computed.flatMap(({ expression }) =>
    table.columns.map(({ name }) => name).filter((name) => mentions(expression, name)),
  );
  const plain = named.filter((name) => !computed.some((one) => one.name === name));
  return [...new Set([...plain, ...behind])];
}

/**
 * `(select …) as "table"`, in which the table's own expressions mean what they mean in it.
 * @param rows which rows `t`; absent: one that holds nothing but what is written
 * @param extra more columns, from `t`
 */
export function rewritten(
  { table, facts, changes }: Written,
  expressions: readonly string[],
  { rows, extra = {}, sample }: { rows?: string; extra?: Record<string, string>; sample?: string } = {},
): string {
  const sql = expressions.join(' ');
  const computed = facts.generated.filter(({ name }) => mentions(sql, name));
  const all = [sql, ...computed.map(({ expression }) => expression)].join(' ');
  const columns = table.columns
    .map(({ name }) => name)
    .filter((name) => !facts.generated.some((one) => one.name === name) && mentions(all, name))
    .filter((name) => name in changes || rows !== undefined)
    .map((name) => {
      const value = changes[name];
      return `${value === undefined ? `t.${quoted(name)}` : valueSql(table, name, value, sample)} as ${quoted(name)}`;
    });
  const more = Object.entries(extra).map(([name, value]) => `${value} as ${quoted(name)}`);
  // The fence keeps an expression from being tried on rows that are none of the question.
  const from = rows === undefined ? '' : ` from ${qualified(table)} as t where ${rows} offset 0`;
  const name = quoted(table.name);
  const made = computed.map((one) => `(${one.expression}) as ${quoted(one.name)}`);
  const inner = `(select ${[...columns, ...more].join(', ')}${from}) as ${name}`;
  return made.length === 0 ? inner : `(select ${name}.*, ${made.join(', ')} from ${inner}) as ${name}`;
}

/** Condition: row `t` is one that somebody's erasure writes into; what a law keeps is not. */
export function erasable(map: DataMap, collection: Collection): string {
  const kept = Object.values(map.collections).filter(
    (other) =>
      other.name !== collection.name &&
      other.erasure.rule === 'keep' &&
      qualified(other.table) === qualified(collection.table),
  );
  return [isOf(collection), ...kept.map((other) => `(${isOf(other)}) is not true`)].join(' and ');
}

function isOf({ subject, workspace, where }: Collection): string {
  const people = Object.values(subject).flat();
  const ways = (people.length > 0 ? people : workspace).map(
    (path) => `exists (select from (${pathValues(path)}) as w where w.v is not null)`,
  );
  return [`(${ways.join(' or ') || 'false'})`, ...(where === undefined ? [] : [`(${where})`])].join(' and ');
}

/** Questions about the rows that are there now. */
export interface RowQuestions {
  /**
   * @param violating `from … where …` (and `having …`) of what the database would refuse
   * @param any `from … where …` of the rows it is about
   */
  refused(violating: string, any: string): Promise<Answer>;
  /** Whether this query answers any row. */
  shown(query: string): Promise<Answer>;
}

/**
 * For the running service, which looks at its map each minute: there, one row that somebody may write at will must not
 * make everybody's packages and erasures wait. An erasure looks for itself before its first write (deletion/hindrance/dry-run.ts).
 */
export const unasked: RowQuestions = {
  refused: () => Promise.resolve('no'),
  shown: () => Promise.resolve('no'),
};

/** Asks with little patience. Must run in a transaction. */
export class PatientRows implements RowQuestions {
  private left = ALL_PATIENCE_MS;

  constructor(private readonly db: SqlRunner) {}

  refused(violating: string, any: string): Promise<Answer> {
    // A row for which the expression raises is one that the update would fail on too.
    return this.asked(
      `select exists (select ${violating} limit 1) as refused, exists (select ${any} limit 1) as tried`,
      PATIENCE_MS,
      'yes',
    );
  }

  shown(query: string): Promise<Answer> {
    return this.asked(`select exists (${query}) as refused, true as tried`, GLANCE_MS);
  }

  private async asked(sql: string, most: number, raised?: Answer): Promise<Answer> {
    const patience = Math.min(most, this.left);
    if (patience <= 0) return { unanswered: 'the check has spent its time' };
    const from = Date.now();
    await this.db.query('savepoint habeas_rows');
    try {
      await this.db.query(`set local statement_timeout = ${patience}`);
      const [row] = await this.db.query<{ refused: boolean; tried: boolean }>(sql);
      return row?.refused ? 'yes' : row?.tried ? 'no' : 'none';
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : '';
      // The sentence may hold values of the row.
      if (raised && /^22|^P0001$/.test(code)) return raised;
      return {
        unanswered: code === '57014' ? `it takes longer than ${most / 1000} s` : `SQLSTATE ${code}`,
      };
    } finally {
      await this.db.query('rollback to savepoint habeas_rows');
      this.left -= Date.now() - from;
    }
  }
}

/** The two samples' rows side by side, for telling whether an expression tells people apart. */
export const bothSamples = (written: Written, expression: string): string =>
  SAMPLES.map((sample, n) => {
    const row = rewritten(written, [expression], { sample });
    return `(select (${expression}) as v from ${row}) as ${n === 0 ? 'a' : 'b'}`;
  }).join(', ');

/** Unique indexes and exclusion constraints in which a row that is erased would meet another. */
import { type SqlRunner } from '../database/unit-of-work.js';
import {
  type Answer,
  bothSamples,
  columnsIn,
  erasable,
  rewritten,
  type RowQuestions,
  type Written,
} from './check-rows.js';
import { ask, type Found, isPseudonym } from './check-values.js';
import { type UniqueRule } from './erasure-facts.js';
import { type Finding, finding } from './findings.js';
import { type Collection, type DataMap } from './map.js';
import { quoted } from './names.js';

/**
 * What becomes of a key: it stays, it becomes null, the same for everybody or another for each person; `mixed` is made of
 * what stays and of what is written.
 */
type Fate = 'stays' | 'null' | 'constant' | 'pseudonym' | 'mixed';

type Key = UniqueRule['keys'][number] & { columns: string[]; fate: Fate };

/** Rules in which the second row that is erased would meet the first. */
export async function collisions(
  db: SqlRunner,
  map: DataMap,
  written: Written,
  rows: RowQuestions,
): Promise<Found> {
  const found: Found = { errors: [], warnings: [] };
  for (const rule of written.facts.uniques) {
    const keys: Key[] = [];
    for (const key of rule.keys) {
      const columns = columnsIn(written, key.sql);
      keys.push({ ...key, columns, fate: await fateOf(db, written, key.sql, columns) });
    }
    const predicate = rule.predicate === null ? 'true' : await predicateOf(db, written, rule.predicate);
    const met = await new Collision(map, written, rule, keys, predicate, rows).judged();
    if (met) (met.certain ? found.errors : found.warnings).push(met.finding);
  }
  return found;
}

async function fateOf(db: SqlRunner, written: Written, sql: string, columns: string[]): Promise<Fate> {
  const { changes } = written;
  const own = columns.filter((column) => column in changes);
  if (own.length === 0) return 'stays';
  if (own.length < columns.length) return 'mixed';
  const { row } = await ask(
    db,
    `select case when a.v is null then 'null' when a.v is distinct from b.v then 'pseudonym' else 'constant' end as v ` +
      `from ${bothSamples(written, sql)}`,
  );
  if (row) return row.v as Fate;
  return own.some((column) => isPseudonym(changes[column])) ? 'pseudonym' : 'constant';
}

/** Whether an erased row is under the rule at all: `true`, `false`, or only its row can tell. */
async function predicateOf(db: SqlRunner, written: Written, sql: string): Promise<'true' | 'false' | 'row'> {
  const columns = columnsIn(written, sql);
  if (columns.length === 0 || columns.some((column) => !(column in written.changes))) return 'row';
  const { row } = await ask(db, `select (${sql}) is true as v from ${rewritten(written, [sql])}`);
  return row ? (row.v ? 'true' : 'false') : 'row';
}

class Collision {
  constructor(
    private readonly map: DataMap,
    private readonly written: Written,
    private readonly rule: UniqueRule,
    private readonly keys: Key[],
    private readonly predicate: 'true' | 'false' | 'row',
    private readonly rows: RowQuestions,
  ) {}

  async judged(): Promise<{ certain: boolean; finding: Finding } | undefined> {
    const { keys, rule, predicate } = this;
    const touched = keys.some(({ fate }) => fate !== 'stays');
    if (!touched || predicate === 'false') return undefined;
    if (!rule.nullsEqual && keys.some(({ fate }) => fate === 'null')) return undefined;
    if (keys.some(({ fate, isEquality }) => fate === 'pseudonym' && isEquality)) return this.ofOnePerson();
    if (this.isToldApart()) return undefined;
    const plain = keys.every(({ fate, isEquality }) => isEquality && fate !== 'mixed');
    if (plain && predicate === 'true') return this.met(true);
    return this.met((await this.amongRows()) === 'yes');
  }

  /** What tells rows apart by itself still does. */
  private isToldApart(): boolean {
    const apart = this.keys.flatMap(({ fate, column, isEquality }) =>
      fate === 'stays' && column && isEquality ? [column] : [],
    );
    return this.written.facts.uniques.some(
      (other) =>
        other.kind === 'Unique index' &&
        other.predicate === null &&
        other.keys.every(
          ({ column }) => column && apart.includes(column) && !(column in this.written.changes),
        ),
    );
  }

  /** A pseudonym is one person's, not one row's: two rows of theirs have the same. */
  private async ofOnePerson(): Promise<{ certain: boolean; finding: Finding } | undefined> {
    if (this.keys.some(({ isEquality }) => !isEquality)) return undefined;
    for (const columns of ownColumns(this.written.collection)) {
      const extra = Object.fromEntries(columns.map((column, n) => [`habeas_p${n}`, `t.${quoted(column)}`]));
      if ((await this.alike(extra)) === 'yes')
        return this.met(true, 'two rows of one person are given the same, so their');
    }
    return undefined;
  }

  private amongRows(): Promise<Answer> {
    return this.keys.every(({ isEquality }) => isEquality) ? this.alike({}) : this.pairs();
  }

  /** Two rows that would be alike in every key. */
  private alike(extra: Record<string, string>): Promise<Answer> {
    const from = this.from(extra);
    // What is the same in all rows would only be sorted by.
    const groups = this.keys.filter(({ fate }) => fate === 'stays' || fate === 'mixed').map(({ sql }) => sql);
    const keys = [...groups, ...Object.keys(extra)].map((sql, n) => ({ name: `k${n}`, sql }));
    const named = ['1 as one', ...keys.map(({ name, sql }) => `(${sql}) as ${name}`)].join(', ');
    const apart = keys.filter((_, n) => !this.rule.nullsEqual || n >= groups.length);
    const where = ['true', ...apart.map(({ name }) => `${name} is not null`)].join(' and ');
    const by = ['one', ...keys.map(({ name }) => name)].join(', ');
    return this.rows.refused(
      `from (select ${named} ${from}${this.inPart}) as r where ${where} group by ${by} having count(*) > 1`,
      from,
    );
  }

  private get inPart(): string {
    return this.rule.predicate === null ? '' : ` where (${this.rule.predicate})`;
  }

  /** Two rows that would exclude each other. */
  private pairs(): Promise<Answer> {
    const from = this.from({ habeas_rel: 't.tableoid', habeas_place: 't.ctid' });
    const keys = this.keys.map(({ sql }, n) => `(${sql}) as k${n}`).join(', ');
    const each = `select ${keys}, habeas_rel, habeas_place ${from}${this.inPart}`;
    const meet = this.keys.map(({ operator }, n) => `a.k${n} ${operator} b.k${n}`).join(' and ');
    return this.rows.refused(
      `from (${each}) as a, (${each}) as b where (a.habeas_rel, a.habeas_place) < (b.habeas_rel, b.habeas_place) and ${meet}`,
      from,
    );
  }

  private from(extra: Record<string, string>): string {
    const { map, written, rule } = this;
    const expressions = [...this.keys.map(({ sql }) => sql), rule.predicate ?? 'true'];
    return `from ${rewritten(written, expressions, { rows: erasable(map, written.collection), extra })}`;
  }

  private met(certain: boolean, why = 'the second'): { certain: boolean; finding: Finding } {
    const { changes, table } = this.written;
    const { kind, name } = this.rule;
    const constant = [...new Set(this.keys.flatMap(({ columns }) => columns.filter((c) => c in changes)))];
    const apart = [...new Set(this.keys.flatMap(({ columns }) => columns.filter((c) => !(c in changes))))];
    const among = apart.length > 0 ? ` with the same ${apart.join(', ')}` : '';
    const message =
      `${kind} ${name} lets only one row${among} have the value that the erasure rule writes, so ${why} ` +
      `erasure ${certain ? 'fails' : 'may fail'}. ` +
      (why === 'the second'
        ? 'Use pseudonym-mail or pseudonym-uuid, or clear the column.'
        : 'Clear the column, or delete the rows.');
    return {
      certain,
      finding: finding(
        certain ? 'erasure.impossible' : 'erasure.uncertain',
        table,
        constant.join(', '),
        message,
      ),
    };
  }
}

/** By which columns of the row itself it is somebody's, way by way. */
const ownColumns = ({ subject }: Collection): string[][] =>
  Object.values(subject)
    .flat()
    .filter(({ join, json, array }) => join.length === 0 && !json && !array)
    .map(({ columns }) => columns);

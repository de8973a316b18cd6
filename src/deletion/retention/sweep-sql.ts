/**
 * The SQL of one collection's retention: which rows are over, and what goes with them. Rows that hang from a row by a
 * foreign key (the attachments of a message) go with it, with their files; where one of them has to stay, so does it.
 */
import { type Catalogue, type CatalogueTable, type ForeignKey } from '../../datamap/catalogue.js';
import { holdsItsParent } from '../../datamap/erasure-order.js';
import { type DataMap } from '../../datamap/map.js';
import { literal, qualified, quoted } from '../../datamap/names.js';
import { tableOf } from '../../datamap/render.js';
import { keyOf } from '../../datamap/walk.js';
import { type Statement, Values } from '../step/statement.js';
import { DueRows, type RetentionAim } from './due-rows.js';
import { someChild } from './foreign-keys.js';
import { RetentionGuard } from './guard.js';
import { type Level, levelCte, Levels, hangsFrom } from './levels.js';
import { answeredCtes, lineCtes, ringCtes, threadCtes } from './threads.js';

/** Where a row is for as long as nobody changes it. */
export interface Place {
  rel: string;
  place: string;
}

/** A row by its place, and by a digest that tells it from others without telling its key. */
export interface Picked extends Place {
  digest: Buffer;
}

/** A row of a thread, and the one that it answers. */
export interface Linked extends Place {
  toRel: string | null;
  toPlace: string | null;
}

/** What has gone, or would, with one batch: the topmost level's own rows first, then what hung from them. */
export interface Gone {
  level: number;
  collection: string;
  rows: number;
  files: [bucket: string, path: string][] | null;
  fileCount: number;
}

/** Rows that answer nobody any more; whole threads, the deepest first; or circles, each as a whole. */
export type Phase = 'leaves' | 'threads' | 'rings';

export class RetentionSql {
  readonly table: CatalogueTable;
  readonly levels: Levels;
  private readonly rows: DueRows;
  /** Keys by which rows of the table hold each other. */
  private readonly threads: ForeignKey[];

  /** @throws DomainError `retention.cascades_out` where a delete would go on to a table that the map does not know */
  constructor(
    map: DataMap,
    catalogue: Catalogue,
    private readonly aim: RetentionAim,
  ) {
    const { collection } = aim.rule;
    this.table = tableOf(catalogue, collection);
    const guard = new RetentionGuard(map, catalogue, aim.kept, aim.now);
    this.levels = new Levels(catalogue, guard, this.table, collection);
    this.rows = new DueRows(map, catalogue, aim, guard, this.levels);
    this.threads = this.table.foreignKeys.filter(
      (key) => holdsItsParent(key) && qualified(key.target) === qualified(this.table),
    );
  }

  /** Rows with two keys to their own table have no one depth: they go by their leaves, a level at a time. */
  get phases(): readonly Phase[] {
    if (this.threads.length === 0) return ['leaves'];
    return this.threads.length === 1 ? ['leaves', 'threads', 'rings'] : ['leaves', 'rings'];
  }

  /** Locks up to `limit` rows that are over and that nobody else has locked; of rings, what belongs to so many rows. */
  pick(limit: number, without: readonly Buffer[], phase: 'leaves' | 'rings'): Statement {
    const values = new Values();
    const due = `${this.rows.topmost(values)}${this.skipping(without, values)}`;
    const most = `${values.add(limit)}::bigint`;
    const sql =
      phase === 'leaves'
        ? `${this.picked()} ${[due, ...this.unanswered()].join(' and ')} limit ${most} for update of t skip locked`
        : `with recursive ${[...threadCtes(this.table, this.threads, due), ...ringCtes(this.threads, most)].join(', ')} ` +
          `${this.picked()} t.ctid = any (array(select place from ring)) and (t.tableoid, t.ctid) in (select rel, place from ring) ` +
          `for update of t skip locked`;
    return { sql, values: values.all };
  }

  /** Up to `limit` rows of threads that are over, in an order in which what answers a row comes before it. Locks nothing. */
  line(limit: number, without: readonly Buffer[]): Statement {
    const values = new Values();
    const due = `${this.rows.topmost(values)}${this.skipping(without, values)}`;
    const [key] = this.threads as [ForeignKey];
    const ctes = [...threadCtes(this.table, [key], due), ...lineCtes(key)];
    return {
      sql:
        `with recursive ${ctes.join(', ')} select c.rel::text as rel, c.place::text as place, p.rel::text as "toRel", ` +
        `p.place::text as "toPlace" from line join c using (n) join edge0 as e using (n) left join c as p on p.n = e.up ` +
        `order by line.depth desc limit ${values.add(limit)}::bigint`,
      values: values.all,
    };
  }

  /** Locks those of a thread's rows that are over still, that nobody has locked, and that only these rows answer. */
  pickOf(line: readonly Place[], without: readonly Buffer[]): Statement {
    const values = new Values();
    const among = amongSql(line, values);
    const due = `${this.rows.topmost(values)}${this.skipping(without, values)}`;
    const answered = answeredCtes(this.table, this.threads, among, among);
    const own = `${among} and ${due} and ${NOT_ANSWERED}`;
    return {
      sql: `with ${answered.join(', ')} ${this.picked()} ${own} for update of t skip locked`,
      values: values.all,
    };
  }

  /** Locks a row whose rest is to go, if it is over still; what hangs from it is looked at when that is taken. */
  pickAgain({ digest, ...place }: Picked): Statement {
    const values = new Values();
    const own = `${amongSql([place], values)} and ${this.rows.begun(values)} and ${this.digest()} = ${values.add(digest)}`;
    return { sql: `${this.picked()} ${own} for update of t skip locked`, values: values.all };
  }

  /** How many rows hang from these, of each level up to `most` + 1: more need not be known. */
  weigh(rows: readonly Place[], level: Level, most: number): Statement | undefined {
    const [, ...below] = this.levels.under(level);
    if (below.length === 0) return undefined;
    const values = new Values();
    const limit = `${values.add(most + 1)}::bigint`;
    const ctes = [
      levelCte(level, amongSql(rows, values)),
      ...below.map((one) => levelCte(one, undefined, limit)),
    ];
    const counts = below.map(({ n }) => `(select count(*) from l${n})`).join(' + ');
    return { sql: `with ${ctes.join(', ')} select (${counts})::float8 as rows`, values: values.all };
  }

  /**
   * Locks some of what hangs from one row at the level above and may go before it.
   * @param locked what of it others have locked is passed over, or fails the statement with `lock_not_available`
   */
  pickAhead(of: Place, level: Level, limit: number, locked: 'skip locked' | 'nowait'): Statement {
    if (!level.above) throw new Error('nothing goes ahead of the topmost level');
    const values = new Values();
    const above = levelCte(level.above.level, amongSql([of], values));
    const own = `${hangsFrom(level)} and ${this.rows.ahead(level, values)}`;
    return {
      sql:
        `with ${above} select t.tableoid::text as rel, t.ctid::text as place from ${qualified(level.table)} as t ` +
        `where ${own} limit ${values.add(limit)}::bigint for update of t ${locked}`,
      values: values.all,
    };
  }

  /**
   * Locks what hangs from picked rows and has something hanging itself, from the top down, one statement each: nobody can
   * add to a row that is locked (a foreign key's insert asks for a share of its parent), so that what `erase` sees is all.
   * Otherwise the file of an attachment that comes in between would stay behind when ON DELETE CASCADE takes its row.
   */
  locks(picked: readonly Place[], top: Level = this.levels.top): Statement[] {
    const [, ...below] = this.levels.under(top);
    return below.flatMap((level) => {
      const { above, children, files, table, n } = level;
      const fromAbove = files !== undefined && above?.key.onDelete === 'cascade';
      if (children.length === 0 && !fromAbove) return [];
      const values = new Values();
      const way = wayTo(level, top).map((each) =>
        levelCte(each, each === top ? amongSql(picked, values) : undefined),
      );
      const rows = `locked as (select from ${qualified(table)} as t where ${hangsFrom(level)} for update of t)`;
      return [
        {
          sql: `with ${[...way, rows].join(', ')} select ${n} as level, count(*) from locked`,
          values: values.all,
        },
      ];
    });
  }

  /**
   * Deletes picked rows of a level and what hangs from them. A statement of its own, after the one that has locked them:
   * its snapshot sees every child that was there before the lock, and the lock lets no other come.
   */
  erase(picked: readonly Place[], phase: Phase = 'leaves', top: Level = this.levels.top): Statement {
    const values = new Values();
    const among = amongSql(picked, values);
    const isTop = top === this.levels.top;
    const own = isTop ? this.rows.topmost(values) : this.rows.ahead(top, values);
    const answered =
      isTop && this.threads.length > 0
        ? answeredCtes(this.table, this.threads, among, phase === 'leaves' ? 'false' : among)
        : [];
    const levels = this.levels.under(top);
    const gone = levels.map(
      ({ n, table }) =>
        `d${n} as (delete from ${qualified(table)} as t using l${n} where t.ctid = any (array(select place from l${n})) ` +
        `and l${n}.place = t.ctid and l${n}.rel = t.tableoid returning l${n}.file)`,
    );
    const files = 'json_agg(file) filter (where file is not null)';
    const all = [among, own, ...(answered.length > 0 ? [NOT_ANSWERED] : [])].join(' and ');
    return { sql: told(levels, all, gone, 'd', files, answered), values: values.all };
  }

  /** What would go, batch after batch. */
  count(): Statement {
    const values = new Values();
    const due = this.rows.topmost(values);
    const isPlain = this.threads.length === 0;
    const whole = isPlain ? [] : threadCtes(this.table, this.threads, due);
    const own = isPlain ? due : '(t.tableoid, t.ctid) in (select rel, place from whole)';
    return { sql: told(this.levels.all, own, [], 'l', 'null::json', whole), values: values.all };
  }

  private picked(): string {
    return (
      `select t.tableoid::text as rel, t.ctid::text as place, ${this.digest()} as digest ` +
      `from ${qualified(this.table)} as t where`
    );
  }

  /** From the leaves up: a thread goes when its answers have gone. */
  private unanswered(): string[] {
    return this.threads.map((key) => `not ${someChild(this.table, key, 'true')}`);
  }

  private skipping(without: readonly Buffer[], values: Values): string {
    return without.length === 0 ? '' : ` and ${this.digest()} <> all (${values.add([...without])}::bytea[])`;
  }

  private digest(): string {
    const key = keyOf(this.aim.rule.collection, this.table).map((column) => `t.${quoted(column)}::text`);
    return `sha256(convert_to(jsonb_build_array(${key.join(', ')})::text, 'UTF8'))`;
  }
}

const NOT_ANSWERED = '(t.tableoid, t.ctid) not in (select rel, place from answered)';

/** Condition: row `t` is one of those. */
function amongSql(picked: readonly Place[], values: Values): string {
  const places = values.add(picked.map(({ place }) => place));
  const rels = values.add(picked.map(({ rel }) => rel));
  return `t.ctid = any (${places}::tid[]) and (t.tableoid, t.ctid) in (select * from unnest(${rels}::oid[], ${places}::tid[]))`;
}

/** The levels from `top` to the one above this one. */
function wayTo(level: Level, top: Level): Level[] {
  const next = level === top ? undefined : level.above?.level;
  return next ? [...wayTo(next, top), next] : [];
}

/** Counts and files of levels whose topmost rows are told by a condition. */
function told(
  levels: readonly Level[],
  own: string,
  gone: readonly string[],
  prefix: 'd' | 'l',
  files: string,
  before: readonly string[] = [],
): string {
  const found = levels.map((level, i) => levelCte(level, i === 0 ? own : undefined));
  const counts = levels.map(
    ({ n, name }) =>
      `select ${n} as level, ${literal(name)} as collection, count(*)::float8 as rows, count(file)::float8 as "fileCount", ` +
      `${files} as files from ${prefix}${n}`,
  );
  const ctes = [...before, ...found, ...gone].join(', ');
  return `with ${before.length > 0 ? 'recursive ' : ''}${ctes} ${counts.join(' union all ')} order by level`;
}

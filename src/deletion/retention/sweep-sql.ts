/**
 * The SQL of one collection's retention: which rows are over, and what goes with them. Rows that hang from a row by a
 * foreign key (the attachments of a message) go with it, with their files; where one of them has to stay, so does it.
 */
import { type Catalogue, type CatalogueTable, type ForeignKey } from '../../datamap/catalogue.js';
import { isDeleted } from '../../datamap/changes.js';
import { holdsItsParent } from '../../datamap/erasure-order.js';
import { type Collection, type DataMap } from '../../datamap/map.js';
import { literal, qualified, quoted } from '../../datamap/names.js';
import { type Referrer, referrersOf } from '../../datamap/referrers.js';
import { tableOf } from '../../datamap/render.js';
import { type Sweepable, sweepable } from '../../datamap/sweepable.js';
import { keyOf, rowsSelected } from '../../datamap/walk.js';
import { type Statement, Values } from '../statement.js';
import { RetentionGuard, type Kept } from './guard.js';
import { cascadesOut, childrenOf, clings, ownersOf, someChild } from './foreign-keys.js';
import { ringCte, threadCtes } from './threads.js';
import { type Over } from './time.js';

/** A row by its place, and by a digest that tells it from others without telling its key. */
export interface Picked {
  rel: string;
  place: string;
  digest: Buffer;
}

/** What has gone, or would, with one batch: the collection's own rows first, then what hung from them. */
export interface Gone {
  collection: string;
  rows: number;
  files: [bucket: string, path: string][] | null;
  fileCount: number;
}

export interface RetentionAim {
  rule: Sweepable;
  over: Over;
  kept: Kept;
  now: Date;
  /** Host key; absent for what belongs to the account. */
  workspace?: string;
}

/** From the leaves of each thread up; or circles of rows of one table, each as a whole. */
export type Phase = 'leaves' | 'rings';

/** One table whose rows go, below the one whose rows it hangs from. */
interface Level {
  n: number;
  table: CatalogueTable;
  /** As counts and files are told. */
  name: string;
  files?: Collection['files'];
  above?: { n: number; key: ForeignKey };
  children: Level[];
}

export class RetentionSql {
  readonly table: CatalogueTable;
  private readonly guard: RetentionGuard;
  private readonly levels: Level[] = [];
  /** Keys by which rows of the table hold each other. */
  private readonly threads: ForeignKey[];
  /** Tables that a row of this one cannot be without: what they point to is no reason for them to go. */
  private readonly owners: Set<string>;

  /** @throws DomainError `retention.cascades_out` where a delete would go on to a table that the map does not know */
  constructor(
    private readonly map: DataMap,
    private readonly catalogue: Catalogue,
    private readonly aim: RetentionAim,
  ) {
    this.table = tableOf(catalogue, aim.rule.collection);
    this.guard = new RetentionGuard(map, catalogue, aim.kept, aim.now);
    this.threads = this.table.foreignKeys.filter(
      (key) => holdsItsParent(key) && qualified(key.target) === qualified(this.table),
    );
    this.owners = ownersOf(catalogue, this.table);
    this.descend(this.table, aim.rule.collection, []);
  }

  get phases(): readonly Phase[] {
    return this.threads.length > 0 ? ['leaves', 'rings'] : ['leaves'];
  }

  /** Locks up to `limit` rows that are over and that nobody else has locked; of rings, what belongs to so many rows. */
  pick(limit: number, without: readonly Buffer[], phase: Phase = 'leaves'): Statement {
    const values = new Values();
    const skip =
      without.length === 0 ? '' : ` and ${this.digest()} <> all (${values.add([...without])}::bytea[])`;
    const picked =
      `select t.tableoid::text as rel, t.ctid::text as place, ${this.digest()} as digest ` +
      `from ${qualified(this.table)} as t where `;
    const due = `${this.due(values, phase)}${skip}`;
    const most = `${values.add(limit)}::bigint`;
    const sql =
      phase === 'leaves'
        ? `${picked}${due} limit ${most} for update of t skip locked`
        : `with recursive ${[...threadCtes(this.table, this.threads, due), ringCte(most)].join(', ')} ` +
          `${picked}t.ctid = any (array(select place from ring)) and (t.tableoid, t.ctid) in (select rel, place from ring) ` +
          `for update of t skip locked`;
    return { sql, values: values.all };
  }

  /**
   * Locks what hangs from picked rows and has something hanging itself, from the top down, one statement each: nobody can
   * add to a row that is locked (a foreign key's insert asks for a share of its parent), so that what `erase` sees is all.
   * Otherwise the file of an attachment that comes in between would stay behind when ON DELETE CASCADE takes its row.
   */
  locks(picked: readonly Picked[]): Statement[] {
    return this.levels.flatMap((level) => {
      const { above, children, files, table, n } = level;
      const fromAbove = files !== undefined && above?.key.onDelete === 'cascade';
      if (!above || (children.length === 0 && !fromAbove)) return [];
      const values = new Values();
      const among = this.among(picked, values);
      const way = this.wayTo(level).map((each) => this.cte(each, among));
      const rows = `locked as (select from ${qualified(table)} as t where ${this.hangsFrom(above)} for update of t)`;
      return [
        {
          sql: `with ${[...way, rows].join(', ')} select ${n} as level, count(*) from locked`,
          values: values.all,
        },
      ];
    });
  }

  /**
   * Deletes picked rows and what hangs from them. A statement of its own, after the one that has locked them: its
   * snapshot sees every child that was there before the lock, and the lock lets no other come.
   */
  erase(picked: readonly Picked[], phase: Phase = 'leaves'): Statement {
    const values = new Values();
    const among = this.among(picked, values);
    const answered = this.threads.map((key) => `not ${someChild(this.table, key, `not (${among})`)}`);
    const own = [among, this.due(values, phase), ...(phase === 'rings' ? answered : [])].join(' and ');
    const gone = this.levels.map(
      ({ n, table }) =>
        `d${n} as (delete from ${qualified(table)} as t using l${n} where t.ctid = any (array(select place from l${n})) ` +
        `and l${n}.place = t.ctid and l${n}.rel = t.tableoid returning l${n}.file)`,
    );
    return {
      sql: this.over(own, gone, 'd', 'json_agg(file) filter (where file is not null)'),
      values: values.all,
    };
  }

  /** What would go, batch after batch. */
  count(): Statement {
    const values = new Values();
    if (this.threads.length === 0)
      return { sql: this.over(this.due(values), [], 'l', 'null::json'), values: values.all };
    const whole = threadCtes(this.table, this.threads, this.due(values, 'rings'));
    const own = '(t.tableoid, t.ctid) in (select rel, place from whole)';
    return { sql: this.over(own, [], 'l', 'null::json', whole), values: values.all };
  }

  private among(picked: readonly Picked[], values: Values): string {
    const places = values.add(picked.map(({ place }) => place));
    const rels = values.add(picked.map(({ rel }) => rel));
    return `t.ctid = any (${places}::tid[]) and (t.tableoid, t.ctid) in (select * from unnest(${rels}::oid[], ${places}::tid[]))`;
  }

  /** The levels above this one, the topmost first. */
  private wayTo({ above }: Level): Level[] {
    const next = above && this.levels[above.n];
    return next ? [...this.wayTo(next), next] : [];
  }

  /** @param own which rows of the topmost level */
  private cte(level: Level, own: string): string {
    const condition = level.above ? this.hangsFrom(level.above) : own;
    return `l${level.n} as materialized (select ${this.shownColumns(level)} from ${qualified(level.table)} as t where ${condition})`;
  }

  private over(
    own: string,
    gone: string[],
    prefix: 'd' | 'l',
    files: string,
    before: readonly string[] = [],
  ): string {
    const found = this.levels.map((level) => this.cte(level, own));
    const told = this.levels.map(
      ({ n, name }) =>
        `select ${n} as level, ${literal(name)} as collection, count(*)::float8 as rows, count(file)::float8 as "fileCount", ` +
        `${files} as files from ${prefix}${n}`,
    );
    const ctes = [...before, ...found, ...gone].join(', ');
    return `with ${before.length > 0 ? 'recursive ' : ''}${ctes} ${told.join(' union all ')} order by level`;
  }

  /** The row is in this workspace, over, and nothing in it or below it has to stay. */
  private due(values: Values, phase: Phase = 'leaves'): string {
    const { rule, over, workspace } = this.aim;
    const selection = workspace === undefined ? {} : { workspaces: [workspace] };
    const stays = this.guard.mustStay(this.table, values, rule.collection);
    return [
      rowsSelected(this.map, this.catalogue, rule.collection, selection),
      this.guard.isOver(this.table, rule.after, over, values),
      ...(stays === 'false' ? [] : [`not ${stays}`]),
      // From the leaves up: a thread goes when its answers have gone.
      ...(phase === 'leaves' ? this.threads.map((key) => `not ${someChild(this.table, key, 'true')}`) : []),
      ...this.free(this.levels[0] as Level, values),
    ].join(' and ');
  }

  /** Conditions: no row below this level's row `t` has to stay. */
  private free(level: Level, values: Values): string[] {
    const below = childrenOf(this.catalogue, level.table).filter(({ key }) => holdsItsParent(key));
    const aside = this.aside(level.table).map(({ child, key }) => `not ${someChild(child, key, 'true')}`);
    const conditions = below.flatMap(({ child, key }) => {
      if (qualified(child) === qualified(level.table))
        return level.above ? this.together(level.above.key, key, child) : [];
      if (this.pointsBack(child, key) && !this.levels.some(({ table }) => table === child))
        return [`not ${someChild(child, key, 'true')}`];
      const next = level.children.find(({ above }) => above?.key.name === key.name && above.n === level.n);
      const reasons = next
        ? [this.guard.mustStay(child, values), ...this.free(next, values).map((one) => `not (${one})`)]
        : [key.onDelete === 'cascade' ? this.staysWhereItCascades(child, values) : this.staysByRule(child)];
      const real = reasons.filter((reason) => reason !== 'false');
      return real.length === 0 ? [] : [`not ${someChild(child, key, real.join(' or '))}`];
    });
    return [...aside, ...conditions];
  }

  /** Cascades by keys that name a partition, or an heir, or that only a partition has: no level follows them, so rows stay. */
  private aside(table: CatalogueTable): Referrer[] {
    const followed = childrenOf(this.catalogue, table).map(({ key }) => key);
    return referrersOf(this.catalogue, table).filter(
      ({ key }) => key.onDelete === 'cascade' && !followed.includes(key),
    );
  }

  /** An answer goes with its parent's room; one that is elsewhere would be taken along by ON DELETE CASCADE. */
  private together(room: ForeignKey, key: ForeignKey, table: CatalogueTable): string[] {
    if (key.onDelete !== 'cascade') return [];
    const elsewhere = room.columns.map((column, n) => `t.${quoted(column)} is distinct from p.r${n}`);
    const here = room.columns.map((column, n) => `t.${quoted(column)} as r${n}`);
    return [`not ${someChild(table, key, elsewhere.join(' or '), here)}`];
  }

  /** The last comment that a ticket points to must not take the ticket along. */
  private pointsBack(child: CatalogueTable, key: ForeignKey): boolean {
    return this.owners.has(qualified(child)) && !clings(child, key);
  }

  /** Rows of this table go by the foreign key alone, so what they name would stay behind. */
  private staysWhereItCascades(child: CatalogueTable, values: Values): string {
    return this.guard.on(child).some(({ files }) => files) ? 'true' : this.guard.mustStay(child, values);
  }

  /** A law keeps the child's row, and so its parent. What else holds on to a parent fails with the constraint's name. */
  private staysByRule(child: CatalogueTable): string {
    const kept = this.guard.on(child).filter(({ erasure }) => erasure.rule === 'keep');
    return kept.length === 0 ? 'false' : kept.map(({ where }) => `(${where ?? 'true'})`).join(' or ');
  }

  private descend(
    table: CatalogueTable,
    collection: Collection,
    path: readonly string[],
    above?: Level['above'],
  ): Level {
    const files = this.guard.on(table).find((one) => one.files)?.files;
    const level: Level = {
      n: this.levels.length,
      table,
      name: collection.name,
      ...(files && { files }),
      ...(above && { above }),
      children: [],
    };
    this.levels.push(level);
    const seen = [...path, qualified(table)];
    for (const { child, key } of this.aside(table)) {
      const isSeen = key.targetColumns.every((column) => table.columns.some(({ name }) => name === column));
      if (this.guard.on(child).length === 0 || !isSeen) throw cascadesOut(table, child, key);
    }
    for (const { child, key } of childrenOf(this.catalogue, table)) {
      if (!holdsItsParent(key) || seen.includes(qualified(child))) continue;
      const mapped = this.guard.on(child);
      if (key.onDelete === 'cascade' && mapped.length === 0) throw cascadesOut(table, child, key);
      if (this.pointsBack(child, key)) continue;
      const goes = mapped.find((one) => isDeleted(one) || sweepable(one));
      if (goes) level.children.push(this.descend(child, goes, seen, { n: level.n, key }));
    }
    return level;
  }

  private hangsFrom({ n, key }: { n: number; key: ForeignKey }): string {
    const parent = key.targetColumns.map((column) => `p.${this.alias(n, column)}`);
    const own = key.columns.map((column) => `t.${quoted(column)}`);
    // As an array Postgres goes to the index, whatever it thinks of the number of parents.
    const each = own.map((column, i) => `${column} = any (array(select ${parent[i] ?? ''} from l${n} as p))`);
    if (own.length === 1) return each.join('');
    return `${each.join(' and ')} and (${own.join(', ')}) in (select ${parent.join(', ')} from l${n} as p)`;
  }

  private shownColumns({ n, files, children }: Level): string {
    const wanted = new Set(children.flatMap(({ above }) => above?.key.targetColumns ?? []));
    const columns = [...wanted].map((column) => `t.${quoted(column)} as ${this.alias(n, column)}`);
    return ['t.tableoid as rel', 't.ctid as place', `${fileSql(files)} as file`, ...columns].join(', ');
  }

  private alias(n: number, column: string): string {
    const level = this.levels[n] as Level;
    return `c${level.table.columns.findIndex(({ name }) => name === column)}`;
  }

  private digest(): string {
    const key = keyOf(this.aim.rule.collection, this.table).map((column) => `t.${quoted(column)}::text`);
    return `sha256(convert_to(jsonb_build_array(${key.join(', ')})::text, 'UTF8'))`;
  }
}

function fileSql(files: Collection['files']): string {
  if (!files) return 'null::json';
  const bucket =
    'constant' in files.bucket ? literal(files.bucket.constant) : `t.${quoted(files.bucket.column)}::text`;
  const path = `t.${quoted(files.path)}::text`;
  return `case when ${path} is not null then json_build_array(${bucket}, ${path}) end`;
}

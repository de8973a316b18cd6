/**
 * The SQL of one step. It selects what is still to be done and nothing else, so that running it again does no harm
 * and no place has to be remembered: deleted rows are not found, changed ones differ no more.
 */
import { type Catalogue, type CatalogueTable, columnIn } from '../datamap/catalogue.js';
import { changesOf, isDeleted } from '../datamap/changes.js';
import { holdsItsParent } from '../datamap/erasure-order.js';
import { namingColumns } from '../datamap/letting-go.js';
import { subjectPathCondition } from '../datamap/paths.js';
import { keySql } from '../datamap/keys.js';
import { type Collection, type DataMap } from '../datamap/map.js';
import { literal, qualified, quoted } from '../datamap/names.js';
import { tableOf } from '../datamap/render.js';
import { type SetValue } from '../datamap/schema.js';
import { type Selection, type Subject } from '../datamap/settings.js';
import { valueAs } from '../datamap/types.js';
import { keyOf, reaches, rowsSelected } from '../datamap/walk.js';
import { Bystanders } from './bystanders.js';
import { type ErasureJob, keptBy, subjectId } from './erasure.js';

export interface Statement {
  sql: string;
  values: unknown[];
}

/** What one batch has done. `keys` are texts of the key's columns, only of noted rows and tombstones. */
export interface BatchDone {
  picked: number;
  done: number;
  /** Rows of others that pointed at what is gone, and do not any more. */
  pointersCleared: number;
  files: [bucket: string, path: string][] | null;
  keys: string[][] | null;
}

/** What a batch's rows are found by. */
export interface BatchOptions {
  limit?: number;
  /** Only rows that nothing in the same table refers to. */
  leavesOnly?: boolean;
  /** Only these rows, which were noted before. */
  keys?: unknown[];
  /** Only what lies here, as far as it still is to be done: something else may lie there by now. */
  places?: Places;
}

/** Where rows lie, in one table. */
export interface Places {
  /** Oid of the very table, which may be a partition. */
  rel: string;
  /** `"(0,1)","(0,2)"`, as between the braces of an array's text: one string, however many they are. */
  places: string;
}

export class ErasureSql {
  readonly table: CatalogueTable;
  readonly key: string[];
  readonly deletes: boolean;
  private readonly bystanders: Bystanders;

  constructor(
    private readonly map: DataMap,
    private readonly catalogue: Catalogue,
    private readonly job: ErasureJob,
    readonly collection: Collection,
    private readonly selection: Selection,
    /** Whose pseudonym is written; absent for workspaces. */
    private readonly subject?: Subject,
  ) {
    this.table = tableOf(catalogue, collection);
    this.key = keyOf(collection, this.table);
    this.deletes = collection.erasure.rule === 'delete';
    const about = job.scope === 'workspace' ? 'workspaces' : 'people';
    this.bystanders = new Bystanders(map, catalogue, about, job);
  }

  /** The table, as SQL. */
  get from(): string {
    return qualified(this.table);
  }

  /** Rows whose foreign keys point into their own table go from the leaves up. */
  get isTree(): boolean {
    return this.table.foreignKeys.some(
      (key) => holdsItsParent(key) && qualified(key.target) === qualified(this.table),
    );
  }

  /** Rows that are this step's, as far as can be told before anything is erased. */
  planned(): string {
    const { shared } = this.collection;
    const parts = [this.selected()];
    if (this.deletes && shared) parts.push(`not ${this.bystanders.onRow(this.table)}`);
    if (this.deletes && shared) parts.push(this.bystanders.takesNobodyAlong(this.table) ?? 'true');
    return parts.join(' and ');
  }

  count(): Statement {
    const values = new Values();
    const sql = `select count(*)::text as rows from ${qualified(this.table)} as t where ${this.toDo(values, {})}`;
    return { sql, values: values.all };
  }

  /**
   * How many rows stay because of what deleting them would take along, and the foreign keys that would. Rows of a
   * `shared` collection stay for that reason by rule.
   */
  guarded(): { sql: string; keys: string[] } | undefined {
    const guard = this.bystanders.takesNobodyAlong(this.table);
    if (guard === undefined || this.collection.shared) return undefined;
    const sql = `select count(*)::text as rows from ${this.from} as t where ${this.selected()}`;
    return { sql, keys: this.bystanders.cascadesOf(this.table) };
  }

  /** Keys (JSON array of texts) of every selected row, for the collections whose rows are noted beforehand. */
  keys(): string {
    return `select ${this.keyArray()} as key from ${qualified(this.table)} as t where ${this.selected()}`;
  }

  /** Of these noted keys those whose rows are still there and still to be erased: somebody holds a lock on them. */
  stillThere(keys: unknown[]): Statement {
    const values = new Values();
    const sql = `select ${this.keyArray()} as key from ${qualified(this.table)} as t where ${this.toDo(values, { keys })}`;
    return { sql, values: values.all };
  }

  /** Of these noted keys those whose rows a cascade holds back; undefined where none can. Shared rows stay by rule. */
  heldBack(keys: unknown[]): Statement | undefined {
    const guard = this.deletes ? this.bystanders.takesNobodyAlong(this.table) : undefined;
    if (guard === undefined || this.collection.shared) return undefined;
    const values = new Values();
    const sql =
      `select ${this.keyArray()} as key from ${this.from} as t ` +
      `where ${this.hasKey(values.add(JSON.stringify(keys)))} and (${guard}) is not true`;
    return { sql, values: values.all };
  }

  /**
   * Where rows lie that are to be done, at most so many, table by table and in the order of their places. A batch
   * that looked for its rows itself would begin at the same end each time, and go over all that are dead already.
   */
  places(most: number, options: BatchOptions): Statement {
    const values = new Values();
    const toDo = this.toDo(values, options);
    const sql =
      `select rel::text as rel, string_agg('"' || place::text || '"', ',' order by place) as places ` +
      `from (select t.tableoid as rel, t.ctid as place from ${this.from} as t where ${toDo} limit ${values.add(most)}::bigint) as found ` +
      `group by rel order by rel`;
    return { sql, values: values.all };
  }

  batch(options: BatchOptions): Statement {
    const values = new Values();
    const toDo = this.toDo(values, options);
    const limit = options.limit === undefined ? '' : ` limit ${values.add(options.limit)}::bigint`;
    const files = this.filesSql();
    const keyed = options.keys !== undefined || this.collection.erasure.rule === 'tombstone';
    const key = keyed ? this.keyArray() : 'null::jsonb';
    // A view has no place for its rows, only keys.
    const [place, same, lock] = this.isStored
      ? [
          't.tableoid as rel, t.ctid as place',
          // The array lets Postgres go to the rows' places instead of reading the table; partitions may share places.
          't.ctid = any (array(select place from batch)) and batch.place = t.ctid and batch.rel = t.tableoid',
          ' for update of t skip locked',
        ]
      : [
          this.key.map((column, n) => `t.${quoted(column)} as k${n}`).join(', '),
          this.key.map((column, n) => `t.${quoted(column)} = batch.k${n}`).join(' and '),
          '',
        ];
    // A view's key is the map's word: whoever else has the same one keeps their row.
    const these = this.isStored ? same : `${same} and ${toDo}`;
    const change = this.deletes
      ? `delete from ${qualified(this.table)} as t using batch where ${these}`
      : `update ${qualified(this.table)} as t set ${this.assignments(values)} from batch where ${these}`;
    const sql =
      `with batch as materialized (select ${place}, ${files} as file, ${key} as key, ${this.pointers()} as pointers ` +
      `from ${qualified(this.table)} as t where ${toDo}${limit}${lock}), ` +
      `gone as (${change} returning batch.file, batch.key, batch.pointers) ` +
      `select (select count(*) from batch)::int as picked, count(*)::int as done, coalesce(sum(pointers), 0)::int as "pointersCleared", ` +
      `json_agg(file) filter (where file is not null) as files, json_agg(key) filter (where key is not null) as keys from gone`;
    return { sql, values: values.all };
  }

  /**
   * Takes the people out of shared rows that stay for others, at most so many; undefined where nothing has to be
   * done. Who is erased with their account keeps pointing at their own row, which is nobody's any more.
   */
  letGo(most: number): Statement | undefined {
    const { map, catalogue, collection, table, selection, job } = this;
    const kinds = new Set(selection.subjects?.map(({ kind }) => kind));
    const named = namingColumns(map, catalogue, collection)
      .filter(({ kind, pseudonymised }) => kinds.has(kind) && !(pseudonymised && job.scope === 'account'))
      .map(({ kind, path, column }) => ({
        column: quoted(column),
        theirs: `(${subjectPathCondition(map, catalogue, table, kind, path)})`,
      }));
    if (named.length === 0 || !this.isStored) return undefined;
    const values = new Values();
    const { subjects: _, ...places } = selection;
    const there = rowsSelected(map, catalogue, collection, places);
    const whose = named.map(({ theirs }) => theirs).join(' or ');
    const set = named.map(
      ({ column, theirs }) => `${column} = case when ${theirs} then null else t.${column} end`,
    );
    const sql =
      `with batch as materialized (select t.tableoid as rel, t.ctid as place from ${this.from} as t ` +
      `where ${there} and (${whose}) limit ${values.add(most)}::bigint for update of t), ` +
      `gone as (update ${this.from} as t set ${set.join(', ')} from batch ` +
      `where t.ctid = any (array(select place from batch)) and batch.place = t.ctid and batch.rel = t.tableoid returning 1) ` +
      `select count(*)::int as "letGo" from gone`;
    return { sql, values: values.all };
  }

  /** Deletes the rows of these tombstones, as far as they still are what erasure made of them; answers their keys. */
  sweep(keys: unknown[]): Statement {
    const values = new Values();
    const sql = `delete from ${this.from} as t where ${this.isCleared(values, keys)} returning ${this.keyArray()} as key`;
    return { sql, values: values.all };
  }

  /** The tombstones among these whose rows exist. */
  stillBuried(keys: unknown[]): Statement {
    const values = new Values();
    const sql = `select ${this.keyArray()} as key from ${this.from} as t where ${this.hasKey(values.add(JSON.stringify(keys)))}`;
    return { sql, values: values.all };
  }

  private pointers(): string {
    return (this.deletes ? this.bystanders.pointersOfOthers(this.table) : undefined) ?? '0';
  }

  private isCleared(values: Values, keys: unknown[]): string {
    const nulls = Object.entries(changesOf(this.collection)).filter(([, value]) => value === null);
    const guard = this.bystanders.takesNobodyAlong(this.table);
    return [
      this.hasKey(values.add(JSON.stringify(keys))),
      ...nulls.map(([column]) => `t.${quoted(column)} is null`),
      ...(guard === undefined ? [] : [guard]),
    ].join(' and ');
  }

  /** Deletes everything that is selected, as one of several in one statement; answers `{done, files}`. */
  wholeDelete(values: Values): string {
    return (
      `delete from ${qualified(this.table)} as t where ${this.toDo(values, {})} ` +
      `returning ${this.filesSql()} as file`
    );
  }

  /** Rows of a view lie nowhere. */
  get isStored(): boolean {
    return this.table.kind === 'table' || this.table.kind === 'partitioned';
  }

  private selected(): string {
    const { map, catalogue, collection, selection, job } = this;
    const kept = Object.values(map.collections).filter(
      (other) =>
        (other.erasure.rule === 'keep' ||
          (other.name !== collection.name && keptBy(job, other.name, selection.workspaces?.[0]))) &&
        qualified(other.table) === qualified(collection.table) &&
        reaches(other, selection),
    );
    // What a law keeps is not erased because it is part of another collection as well.
    const exceptions =
      collection.erasure.rule === 'keep'
        ? []
        : kept.map((other) => `(${rowsSelected(map, catalogue, other, selection)}) is not true`);
    return [rowsSelected(map, catalogue, collection, selection), ...exceptions].join(' and ');
  }

  private toDo(values: Values, { keys, leavesOnly, places }: BatchOptions): string {
    const { shared, erasure } = this.collection;
    const parts = [keys === undefined ? this.selected() : this.hasKey(values.add(JSON.stringify(keys)))];
    if (places)
      parts.unshift(
        `t.ctid = any (${values.add(`{${places.places}}`)}::tid[]) and t.tableoid = ${values.add(places.rel)}::oid`,
      );
    if (this.deletes) {
      const guard = this.bystanders.takesNobodyAlong(this.table);
      if (guard !== undefined) parts.push(guard);
      if (shared) {
        parts.push(`not ${this.bystanders.onRow(this.table)}`);
        const free = this.bystanders.holdsNoParent(this.table);
        if (free !== undefined) parts.push(free);
      }
      if (leavesOnly) parts.push(this.isLeaf());
    } else if (erasure.rule !== 'keep' && erasure.rule !== 'tombstone') parts.push(this.differs(values));
    return parts.join(' and ');
  }

  private isLeaf(): string {
    const own = this.table.foreignKeys.filter(({ target }) => qualified(target) === qualified(this.table));
    return own
      .filter(holdsItsParent)
      .map((key) => {
        const parent = key.targetColumns.map((column, n) => `t.${quoted(column)} as k${n}`).join(', ');
        const same = key.columns.map((column, n) => `t.${quoted(column)} = p.k${n}`).join(' and ');
        return (
          `not exists (select from (select ${parent}, t.tableoid as o, t.ctid as c) as p, ${qualified(this.table)} as t ` +
          `where ${same} and (t.tableoid <> p.o or t.ctid <> p.c))`
        );
      })
      .join(' and ');
  }

  private hasKey(parameter: string): string {
    const each = this.key.map((column, n) => {
      const cast = valueAs(columnIn(this.catalogue, this.table, column)?.base, `(w.k ->> ${n})`);
      return {
        own: cast ? `t.${quoted(column)}` : `t.${quoted(column)}::text`,
        wanted: cast ?? `(w.k ->> ${n})`,
      };
    });
    const wanted = `from jsonb_array_elements(${parameter}::jsonb) as w(k)`;
    const any = each.map(({ own, wanted: value }) => `${own} = any (array(select ${value} ${wanted}))`);
    if (each.length === 1) return any[0] as string;
    const tuple = `(${each.map(({ own }) => own).join(', ')}) in (select ${each.map((e) => e.wanted).join(', ')} ${wanted})`;
    return [...any, tuple].join(' and ');
  }

  private keyArray(): string {
    return `jsonb_build_array(${this.key.map((column) => `t.${quoted(column)}::text`).join(', ')})`;
  }

  /** `[bucket, path]` of the file that the row names and that goes with it, else null. */
  private filesSql(): string {
    const { files } = this.collection;
    const goes = files && (isDeleted(this.collection) || files.path in changesOf(this.collection));
    if (!files || !goes) return 'null::json';
    const bucket =
      'constant' in files.bucket ? literal(files.bucket.constant) : `t.${quoted(files.bucket.column)}::text`;
    const path = `t.${quoted(files.path)}::text`;
    return `case when ${path} is not null then json_build_array(${bucket}, ${path}) end`;
  }

  private assignments(values: Values): string {
    return Object.entries(changesOf(this.collection))
      .map(([column, value]) => `${quoted(column)} = ${this.newValue(values, column, value)}`)
      .join(', ');
  }

  private newValue(values: Values, column: string, value: SetValue): string {
    if (value === null) return 'null';
    const text =
      value === 'pseudonym-mail'
        ? `('deleted-' || ${this.pseudonym(values)} || '@deleted.invalid')`
        : value === 'pseudonym-uuid'
          ? this.pseudonym(values)
          : `${values.add(String(value))}::text`;
    return `(${text})::${this.typeOf(column)}`;
  }

  /** The pseudonym as text: the person's own, or in a workspace one that is the row's. */
  private pseudonym(values: Values): string {
    if (this.subject) return `${values.add(pseudonymOf(this.job, subjectId(this.subject)))}::text`;
    const base = values.add(pseudonymOf(this.job, `workspace:${this.selection.workspaces?.[0] ?? ''}`));
    return `md5(${base}::text || ${this.key.length > 0 ? keySql(this.key) : `''`})::uuid::text`;
  }

  /** Condition: some column does not hold yet what erasure writes; another subject of the same person is as good. */
  private differs(values: Values): string {
    const columns = Object.entries(changesOf(this.collection)).map(([column, value]) => {
      const here = `t.${quoted(column)}`;
      if (value === null) return `${here} is not null`;
      const type = this.typeOf(column);
      const wanted =
        (value === 'pseudonym-mail' || value === 'pseudonym-uuid') && this.subject
          ? this.anyPseudonym(values, value, type)
          : [this.newValue(values, column, value)];
      return `(${wanted.map((one) => (isComparable(type) ? `${here} is distinct from ${one}` : `${here}::text is distinct from ${one}::text`)).join(' and ')})`;
    });
    return `(${columns.join(' or ') || 'false'})`;
  }

  private anyPseudonym(values: Values, value: 'pseudonym-mail' | 'pseudonym-uuid', type: string): string[] {
    return this.job.subjects.map((subject) => {
      const uuid = pseudonymOf(this.job, subjectId(subject));
      const text = value === 'pseudonym-mail' ? `deleted-${uuid}@deleted.invalid` : uuid;
      return `(${values.add(text)}::text)::${type}`;
    });
  }

  private typeOf(column: string): string {
    const base = columnIn(this.catalogue, this.table, column)?.base ?? 'pg_catalog.text';
    return base.split('.').map(quoted).join('.');
  }
}

/** Bind parameters in the order in which they were added. */
export class Values {
  readonly all: unknown[] = [];

  add(value: unknown): string {
    this.all.push(value);
    return `$${this.all.length}`;
  }
}

const isComparable = (type: string): boolean =>
  !['json', 'xml', 'point', 'line', 'lseg', 'box', 'path', 'polygon', 'circle', '_json', '_xml'].some(
    (name) => type === `"pg_catalog"."${name}"`,
  );

function pseudonymOf(job: ErasureJob, id: string): string {
  const drawn = job.pseudonyms[id];
  // Drawing one here would write another at every repetition.
  if (drawn === undefined) throw new Error('a pseudonym was not drawn when the erasure was planned');
  return drawn;
}

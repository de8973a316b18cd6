/**
 * The statements of one step. They select what is still to be done and nothing else, so that running one again does no
 * harm and no place has to be remembered: deleted rows are not found, changed ones differ no more.
 */
import { type CatalogueTable } from '../../datamap/catalogue.js';
import { type Collection } from '../../datamap/map.js';
import { qualified, quoted } from '../../datamap/names.js';
import { type Selection, type Subject } from '../../datamap/settings.js';
import { type ErasureJob } from '../erasure.js';
import { letGo, type LettingGo } from './letting-go.js';
import { namedFile } from '../files/named-file.js';
import { type Statement, statementOf, type Values } from './statement.js';
import { type BatchOptions, type MapOnCatalogue, type Places, StepRows } from './rows.js';

/** What a batch is about, and whether it tells the keys of what it has done. */
export type Batch = BatchOptions & { keyed?: boolean };

/** What one batch has done. `keys` are texts of the key's columns, where they are asked for, of noted rows and of tombstones. */
export interface BatchDone {
  picked: number;
  done: number;
  /** Rows of others that pointed at what is gone, and do not any more. */
  pointersCleared: number;
  files: [bucket: string, path: string][] | null;
  keys: string[][] | null;
}

export class ErasureSql {
  /** Which rows it is about. */
  readonly rows: StepRows;
  private readonly from: string;

  /** @param subject whose pseudonym is written; absent for workspaces */
  constructor(
    on: MapOnCatalogue,
    job: ErasureJob,
    readonly collection: Collection,
    selection: Selection,
    subject?: Subject,
  ) {
    this.rows = new StepRows(on, job, collection, selection, subject);
    this.from = `from ${qualified(this.rows.table)} as t`;
  }

  get table(): CatalogueTable {
    return this.rows.table;
  }

  get deletes(): boolean {
    return this.rows.deletes;
  }

  /** `{rows}`: how many are this step's, as far as can be told before anything is erased. */
  planned(): Statement {
    return { sql: `select count(*)::text as rows ${this.from} where ${this.rows.planned()}`, values: [] };
  }

  /** `{rows}`: how many are still to be done. */
  count(): Statement {
    return statementOf(
      (values) => `select count(*)::text as rows ${this.from} where ${this.rows.toDo(values)}`,
    );
  }

  /**
   * How many rows stay because of what deleting them would take along, and the foreign keys that would. Rows of a
   * `shared` collection stay for that reason by rule.
   */
  guarded(): { sql: string; keys: string[] } | undefined {
    const guard = this.rows.guard.takesNobodyAlong(this.table);
    if (guard === undefined || this.collection.shared) return undefined;
    const sql = `select count(*)::text as rows ${this.from} where ${this.rows.selected()}`;
    return { sql, keys: this.rows.guard.cascadesOf(this.table) };
  }

  /** Keys (JSON array of texts) of every selected row, for the collections whose rows are noted beforehand. */
  keys(): string {
    return `select ${this.rows.keyArray()} as key ${this.from} where ${this.rows.selected()}`;
  }

  /** Of these noted keys those whose rows are still there and still to be erased: somebody holds a lock on them. */
  stillThere(keys: unknown[]): Statement {
    return statementOf(
      (values) =>
        `select ${this.rows.keyArray()} as key ${this.from} where ${this.rows.toDo(values, { keys })}`,
    );
  }

  /** Of these keys, of rows that a batch has just done, those that are to be done as before: something has undone it. */
  undone(keys: unknown[], noted: boolean): Statement {
    return statementOf((values) => {
      const { rows, collection } = this;
      const isThere = rows.hasKey(values, keys);
      // Of an emptied tombstone the row stays, so what is in it tells; what leads to a noted row may be gone.
      const toDo =
        collection.erasure.rule === 'tombstone'
          ? rows.newValues.differs(values)
          : noted
            ? rows.toDo(values, { keys })
            : rows.toDo(values);
      return `select ${rows.keyArray()} as key ${this.from} where ${isThere} and ${toDo}`;
    });
  }

  /** Of these noted keys those whose rows a cascade holds back; undefined where none can. Shared rows stay by rule. */
  heldBack(keys: unknown[]): Statement | undefined {
    const guard = this.deletes ? this.rows.guard.takesNobodyAlong(this.table) : undefined;
    if (guard === undefined || this.collection.shared) return undefined;
    return statementOf(
      (values) =>
        `select ${this.rows.keyArray()} as key ${this.from} where ${this.rows.hasKey(values, keys)} and (${guard}) is not true`,
    );
  }

  /**
   * Where rows lie that are to be done, at most so many, table by table and in the order of their places. A batch
   * that looked for its rows itself would begin at the same end each time, and go over all that are dead already.
   */
  places(most: number, options: BatchOptions): Statement {
    return statementOf((values) => {
      const toDo = this.rows.toDo(values, options);
      return (
        `select rel::text as rel, string_agg('"' || place::text || '"', ',' order by place) as places ` +
        `from (select t.tableoid as rel, t.ctid as place ${this.from} where ${toDo} limit ${values.add(most)}::bigint) as found ` +
        `group by rel order by rel`
      );
    });
  }

  /** Deletes or changes the next rows; answers a BatchDone. Where a delete concerns others, row-locks.ts goes before it. */
  batch(options: Batch): Statement {
    return statementOf((values) => {
      const toDo = this.rows.toDo(values, options);
      const limit = options.limit === undefined ? '' : ` limit ${values.add(options.limit)}::bigint`;
      const keyed =
        options.keyed ?? (options.keys !== undefined || this.collection.erasure.rule === 'tombstone');
      const key = keyed ? this.rows.keyArray() : 'null::jsonb';
      const { place, same, lock } = this.rows.isStored ? BY_PLACE : this.byKey(toDo);
      return (
        `with batch as materialized (select ${place}, ${namedFile(this.collection)} as file, ${key} as key, ${this.pointers()} as pointers ` +
        `${this.from} where ${toDo}${limit}${lock}), ` +
        `gone as (${this.change(values)} ${same} returning batch.file, batch.key, batch.pointers) ` +
        `select (select count(*) from batch)::int as picked, count(*)::int as done, coalesce(sum(pointers), 0)::int as "pointersCleared", ` +
        `json_agg(file) filter (where file is not null) as files, json_agg(key) filter (where key is not null) as keys from gone`
      );
    });
  }

  /**
   * Deletes everything that is selected, as one of several in one statement; answers the `file` of each row.
   * @param places of the rows that were locked before it, where that is needed
   */
  wholeDelete(values: Values, places?: readonly Places[]): string {
    return `delete ${this.from} where ${this.rows.toDo(values, places ? { places } : {})} returning ${namedFile(this.collection)} as file`;
  }

  /** Takes the people out of shared rows that stay for others, at most so many; undefined where nothing has to be done. */
  letGo(most: number): LettingGo | undefined {
    return letGo(this.rows, most);
  }

  private change(values: Values): string {
    return this.deletes
      ? `delete ${this.from} using batch where`
      : `update ${qualified(this.table)} as t set ${this.rows.newValues.assignments(values)} from batch where`;
  }

  /** A view has no place for its rows, only keys, and those are the map's word: whoever else has the same one keeps their row. */
  private byKey(toDo: string): Finding {
    const { key } = this.rows;
    const same = key.map((column, n) => `t.${quoted(column)} = batch.k${n}`);
    return {
      place: key.map((column, n) => `t.${quoted(column)} as k${n}`).join(', '),
      same: [...same, toDo].join(' and '),
      lock: '',
    };
  }

  private pointers(): string {
    return (this.deletes ? this.rows.guard.pointersOfOthers(this.table) : undefined) ?? '0';
  }
}

/** How the rows of a batch are found again by the statement that changes them. */
interface Finding {
  place: string;
  same: string;
  lock: string;
}

const BY_PLACE: Finding = {
  place: 't.tableoid as rel, t.ctid as place',
  // The array lets Postgres go to the rows' places instead of reading the table; partitions may share places.
  same: 't.ctid = any (array(select place from batch)) and batch.place = t.ctid and batch.rel = t.tableoid',
  lock: ' for update of t skip locked',
};

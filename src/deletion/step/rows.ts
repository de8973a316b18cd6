/** Which rows are one step's, and which of them are still to be done, as SQL about a row `t`. */
import { type Catalogue, type CatalogueTable, columnIn } from '../../datamap/catalogue.js';
import { holdsItsParent } from '../../datamap/erasure-order.js';
import { ownRows } from '../../datamap/heirs.js';
import { type Collection, type DataMap } from '../../datamap/map.js';
import { qualified, quoted } from '../../datamap/names.js';
import { tableOf } from '../../datamap/render.js';
import { type Selection, type Subject } from '../../datamap/settings.js';
import { valueAs } from '../../datamap/types.js';
import { keyOf, reaches, rowsSelected } from '../../datamap/walk.js';
import { CascadeGuard } from '../hindrance/cascade-guard.js';
import { type ErasureJob, keptBy } from '../erasure.js';
import { NewValues } from './new-values.js';
import { type Values } from './statement.js';

/** The map in force, and the catalogue it is held against. */
export interface MapOnCatalogue {
  map: DataMap;
  catalogue: Catalogue;
}

/** What a batch's rows are found by. */
export interface BatchOptions {
  limit?: number;
  /** Only rows that nothing in the same table refers to. */
  leavesOnly?: boolean;
  /** Only these rows, which were noted before. */
  keys?: unknown[];
  /** Only what lies here, as far as it still is to be done: something else may lie there by now. */
  places?: readonly Places[];
}

/** Where rows lie, in one table. */
export interface Places {
  /** Oid of the very table, which may be a partition. */
  rel: string;
  /** `"(0,1)","(0,2)"`, as between the braces of an array's text: one string, however many they are. */
  places: string;
}

export class StepRows {
  readonly table: CatalogueTable;
  readonly key: string[];
  readonly deletes: boolean;
  readonly guard: CascadeGuard;
  readonly newValues: NewValues;

  constructor(
    readonly on: MapOnCatalogue,
    readonly job: ErasureJob,
    readonly collection: Collection,
    readonly selection: Selection,
    subject?: Subject,
  ) {
    const { map, catalogue } = on;
    this.table = tableOf(catalogue, collection);
    this.key = keyOf(collection, this.table);
    this.deletes = collection.erasure.rule === 'delete';
    this.guard = new CascadeGuard(map, catalogue, job);
    const { table, key } = this;
    const workspace = selection.workspaces?.[0];
    this.newValues = new NewValues({ catalogue, job, collection, table, key, workspace, subject });
  }

  /** Rows of a view lie nowhere. */
  get isStored(): boolean {
    return this.table.kind === 'table' || this.table.kind === 'partitioned';
  }

  /** Rows whose foreign keys point into their own table go from the leaves up. */
  get isTree(): boolean {
    return this.ownKeys().length > 0;
  }

  /** Condition: the row is one of these by the map, and nothing else keeps it. */
  selected(): string {
    const { collection, selection, job } = this;
    const { map, catalogue } = this.on;
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

  /** Condition: the row is this step's, as far as can be told before anything is erased. */
  planned(): string {
    const parts = [this.selected()];
    if (this.deletes && this.collection.shared)
      parts.push(
        `not ${this.guard.isOfOthers(this.table)}`,
        this.guard.takesNobodyAlong(this.table) ?? 'true',
      );
    return parts.join(' and ');
  }

  /** Condition: the row is still to be done. Deleted rows are not found, changed ones differ no more. */
  toDo(values: Values, { keys, leavesOnly, places }: BatchOptions = {}): string {
    const { rule } = this.collection.erasure;
    const parts = [keys === undefined ? this.selected() : this.hasKey(values, keys)];
    if (places) parts.unshift(liesAt(values, places));
    if (this.deletes) parts.push(...this.mayGo(), ...(leavesOnly ? [this.isLeaf()] : []));
    else if (rule !== 'keep' && rule !== 'tombstone') parts.push(this.newValues.differs(values));
    return parts.join(' and ');
  }

  /** Condition: the row has one of these keys, as `keyArray` writes them. Rows of heirs may have the same ones. */
  hasKey(values: Values, keys: unknown[]): string {
    const own = ownRows(this.on.map, this.on.catalogue, this.table);
    return [...(own === undefined ? [] : [own]), ...this.keyed(values, keys)].join(' and ');
  }

  /** The row's key: a JSON array of texts. */
  keyArray(): string {
    return `jsonb_build_array(${this.key.map((column) => `t.${quoted(column)}::text`).join(', ')})`;
  }

  private keyed(values: Values, keys: unknown[]): string[] {
    const parameter = values.add(JSON.stringify(keys));
    const each = this.key.map((column, n) => {
      const cast = valueAs(columnIn(this.on.catalogue, this.table, column)?.base, `(w.k ->> ${n})`);
      return {
        own: cast ? `t.${quoted(column)}` : `t.${quoted(column)}::text`,
        wanted: cast ?? `(w.k ->> ${n})`,
      };
    });
    const wanted = `from jsonb_array_elements(${parameter}::jsonb) as w(k)`;
    const any = each.map(({ own, wanted: value }) => `${own} = any (array(select ${value} ${wanted}))`);
    if (each.length === 1) return any;
    const tuple = `(${each.map(({ own }) => own).join(', ')}) in (select ${each.map((e) => e.wanted).join(', ')} ${wanted})`;
    return [...any, tuple];
  }

  /** Conditions of a delete: nothing of others goes with it; a shared row is nobody else's any more. */
  private mayGo(): string[] {
    const guard = this.guard.takesNobodyAlong(this.table);
    const nobodyElse = this.collection.shared
      ? [`not ${this.guard.isOfOthers(this.table)}`, this.guard.holdsNoParent(this.table)]
      : [];
    return [guard, ...nobodyElse].filter((condition) => condition !== undefined);
  }

  private isLeaf(): string {
    return this.ownKeys()
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

  private ownKeys() {
    return this.table.foreignKeys.filter(
      (key) => holdsItsParent(key) && qualified(key.target) === qualified(this.table),
    );
  }
}

/** Condition: row `t` lies in one of these places. */
export function liesAt(values: Values, places: readonly Places[]): string {
  const each = places.map(
    ({ rel, places: there }) =>
      `t.ctid = any (${values.add(`{${there}}`)}::tid[]) and t.tableoid = ${values.add(rel)}::oid`,
  );
  return each.length === 1 ? each.join('') : `(${each.map((one) => `(${one})`).join(' or ') || 'false'})`;
}

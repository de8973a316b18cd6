/** What no retention takes: rows that a hold, an open access request, a law or another workspace has a say in. */
import { type Catalogue, type CatalogueTable, columnIn } from '../../datamap/catalogue.js';
import { ownRows } from '../../datamap/heirs.js';
import { type Collection, type DataMap } from '../../datamap/map.js';
import { qualified, quoted, type TableRef } from '../../datamap/names.js';
import { subjectCondition } from '../../datamap/paths.js';
import { type Subject } from '../../datamap/settings.js';
import { sweepable } from '../../datamap/sweepable.js';
import { Bystanders } from '../hindrance/bystanders.js';
import { type Values } from '../step/statement.js';
import { type Over, overNow } from './time.js';

/** Who and what is kept at this moment, in one tenant. */
export interface Kept {
  /** With their identifiers. */
  people: readonly Subject[];
  /** Collections that a hold covers whole. */
  collections: ReadonlySet<string>;
}

/** Conditions about a row `t`; they read the settings of a selection with the kept people and the workspace. */
export class RetentionGuard {
  private readonly bystanders: Bystanders;

  constructor(
    private readonly map: DataMap,
    private readonly catalogue: Catalogue,
    private readonly kept: Kept,
    private readonly now: Date,
  ) {
    this.bystanders = new Bystanders(map, catalogue, 'workspaces');
  }

  /** The collections over a table. */
  on(table: TableRef): Collection[] {
    return Object.values(this.map.collections).filter(
      (collection) => !collection.builtIn && qualified(collection.table) === qualified(table),
    );
  }

  /** Condition: the row belongs to the collections over this table, not to those of an heir; undefined where each does. */
  own(table: TableRef): string | undefined {
    return ownRows(this.map, this.catalogue, table);
  }

  /**
   * Condition: the row has to stay. 'false' where none has to.
   * @param itself the collection that is being swept: its own time is looked at elsewhere
   */
  mustStay(table: CatalogueTable, values: Values, itself?: Collection): string {
    const reasons = this.on(table).flatMap((collection) =>
      this.reasons(collection, values, collection.name === itself?.name).map((reason) =>
        collection.where === undefined ? `(${reason})` : `((${reason}) and (${collection.where}))`,
      ),
    );
    const elsewhere = this.bystanders.onRow(table);
    const all = elsewhere === 'false' ? reasons : [...reasons, elsewhere];
    return all.length === 0 ? 'false' : `((${all.join(' or ')}) is true)`;
  }

  /** Condition: the row's time is over. */
  isOver(table: TableRef, column: string, { at, inclusive }: Over, values: Values): string {
    const base = columnIn(this.catalogue, table, column)?.base;
    const moment = `${values.add(at.toISOString())}::timestamptz`;
    const here = `t.${quoted(column)}`;
    // A day is over when it has ended.
    if (base === 'pg_catalog.date') return `${here} < (${moment} at time zone 'UTC')::date`;
    const compared = base === 'pg_catalog.timestamp' ? `(${moment} at time zone 'UTC')` : moment;
    return `${here} ${inclusive ? '<=' : '<'} ${compared}`;
  }

  private reasons(collection: Collection, values: Values, itself: boolean): string[] {
    const { kept, now } = this;
    const whole = kept.collections.has(collection.name) || (!itself && collection.erasure.rule === 'keep');
    if (whole) return ['true'];
    const kinds = kept.people.map(({ kind }) => kind).filter((kind) => kind in collection.subject);
    const people = kinds.length === 0 ? [] : [subjectCondition(this.map, this.catalogue, collection, kinds)];
    return itself ? people : [...people, ...this.floorOf(collection, values, now)];
  }

  private floorOf(collection: Collection, values: Values, now: Date): string[] {
    const rule = sweepable(collection);
    const over = rule?.floor && overNow(now, rule.floor.atLeast, rule);
    return rule && over ? [`(${this.isOver(collection.table, rule.after, over, values)}) is not true`] : [];
  }
}

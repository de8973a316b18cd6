/**
 * Foreign keys that would stop an erasure, looked for before anything of it has run: those that would take along rows
 * that are not theirs, those that hold a row back for one that stays, and those behind which nobody may look.
 */
import { type Catalogue, type CatalogueTable, tableIn } from '../../datamap/catalogue.js';
import { type Collection } from '../../datamap/map.js';
import { qualified, shown } from '../../datamap/names.js';
import { isSeen, type Referrer, referrersOf, tableBehind } from '../../datamap/referrers.js';
import { tableOf } from '../../datamap/render.js';
import { anyIsTrue, type CascadeGuard } from './cascade-guard.js';
import { type ErasureExtent, type Reach } from './extent.js';
import { followsByKey } from './following-rows.js';
import { type Gone, hangingRows, type Rows, rowsOf } from './hanging-query.js';

/** A key that is in the way of a collection if `rows`, a query, finds any; without one it is in any case. */
export interface Hindrance {
  collection: string;
  table: string;
  constraint: string;
  /** The table that the key is of. */
  at: string;
  what: 'takes along' | 'holds back' | 'leads where nobody may look';
  rows?: string;
}

/** What only the database can tell about a host. */
export interface HostTraits {
  /** Tables that the map does not know, and of whose keys the columns may be read; by qualified name. */
  readable: ReadonlySet<string>;
  /** Deletes set off triggers of the host, which may free what holds a row back: only the delete itself can tell. */
  hasDeleteTriggers: boolean;
}

export interface HindranceParts {
  catalogue: Catalogue;
  extent: ErasureExtent;
  guard: CascadeGuard;
  traits: HostTraits;
}

/** Of one collection. */
export class Hindrances {
  constructor(
    private readonly parts: HindranceParts,
    private readonly collection: Collection,
  ) {}

  /** Keys that may be in the way of what is left; none where the catalogue alone says so. */
  all(): Hindrance[] {
    const { collection } = this;
    const { catalogue, extent } = this.parts;
    const table = tableOf(catalogue, collection);
    const behind = tableBehind(catalogue, table);
    if (!behind) return [];
    if (behind !== table) return this.behindView(behind);
    const left = extent.left(collection);
    const nobodyElses = collection.shared ? ` and (${extent.bystanders.onRow(table)}) is not true` : '';
    return this.below(table, rowsOf(table, `${left}${nobodyElses}`), []);
  }

  /** Rows of a view lie nowhere, so what refers to them cannot be told. */
  private behindView(behind: CatalogueTable): Hindrance[] {
    return referrersOf(this.parts.catalogue, behind)
      .filter(({ key }) => key.onDelete === 'cascade')
      .map((referrer) => this.hindrance(behind, referrer, 'leads where nobody may look'));
  }

  /** Keys that lead to these rows, and to those that would go along with them. */
  private below(table: CatalogueTable, rows: Rows, seen: readonly string[]): Hindrance[] {
    return referrersOf(this.parts.catalogue, table).flatMap((referrer) => {
      const { onDelete } = referrer.key;
      // The collection's own rows only: those that go along have no step by which others could follow.
      if (seen.length === 0 && followsByKey(this.parts.extent, this.collection, referrer)) return [];
      if (onDelete === 'cascade') return this.takingAlong(table, rows, referrer, seen);
      return onDelete === 'no action' || onDelete === 'restrict' ? this.holding(table, rows, referrer) : [];
    });
  }

  private takingAlong(
    table: CatalogueTable,
    rows: Rows,
    referrer: Referrer,
    seen: readonly string[],
  ): Hindrance[] {
    const { guard } = this.parts;
    const { child } = referrer;
    if (!guard.canFollow(referrer, table))
      return [this.hindrance(table, referrer, 'leads where nobody may look')];
    const here = [...seen, qualified(table)];
    const children = hangingRows(referrer, table, rows, { reaches: this.settled(referrer) });
    const itself = guard.goesByItself(child, here);
    const reasons = itself ? 'true' : anyIsTrue(guard.reasonsToStay(child, guard.isShared(table)));
    // Shared rows stay for others by rule.
    const found = this.collection.shared
      ? []
      : [this.hindrance(table, referrer, 'takes along', children({ one: '1' }, `(${reasons})`))];
    return itself ? found : [...found, ...this.below(child, children, here)];
  }

  private holding(table: CatalogueTable, rows: Rows, referrer: Referrer): Hindrance[] {
    const { extent, traits } = this.parts;
    const { child, key } = referrer;
    const mapped = extent.bystanders.mapped(child).length > 0;
    const mayLook =
      extent.bystanders.collectionsOn(child).length > 0 || traits.readable.has(qualified(child));
    // What cannot be told now the delete itself tells, at its step.
    if (traits.hasDeleteTriggers || !mayLook || !isSeen(key, table)) return [];
    if (this.collection.shared && mapped) return [];
    const along = this.takenFromElsewhere(child);
    const children = hangingRows(referrer, table, rows, { reaches: this.settled(referrer), along });
    return [this.hindrance(table, referrer, 'holds back', children({ one: '1' }, 'true'))];
  }

  /** Rows of the child's table that are gone, or refer to something else, when it is the turn of what they refer to. */
  private settled({ child, key }: Referrer): Reach[] {
    return [...this.parts.extent.deleted(child), ...this.parts.extent.letsGo(child, key)];
  }

  /** From which rows that go others of this table hang by a cascade; whatever hangs from others in turn may go as well. */
  private takenFromElsewhere(child: CatalogueTable): NonNullable<Gone['along']> {
    const { catalogue, extent } = this.parts;
    return child.foreignKeys
      .filter(({ onDelete }) => onDelete === 'cascade')
      .flatMap((key) => {
        const target = tableIn(catalogue, key.target);
        if (!target) return [];
        const inTurn = target.foreignKeys.some(({ onDelete }) => onDelete === 'cascade');
        const conditions = inTurn ? ['true'] : extent.deleted(target).map(({ condition }) => condition);
        return conditions.map((condition) => ({ key, rows: rowsOf(target, condition) }));
      });
  }

  private hindrance(
    table: CatalogueTable,
    { child, key }: Referrer,
    what: Hindrance['what'],
    rows?: string,
  ): Hindrance {
    return {
      collection: this.collection.name,
      table: shown(table),
      constraint: key.name,
      at: shown(child),
      what,
      ...(rows !== undefined && { rows }),
    };
  }
}

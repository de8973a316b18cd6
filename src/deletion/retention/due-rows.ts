/** Which rows are over and may go: conditions about a row `t` and all that hangs from it. */
import { type Catalogue, type CatalogueTable, type ForeignKey } from '../../datamap/catalogue.js';
import { holdsItsParent } from '../../datamap/erasure-order.js';
import { type DataMap } from '../../datamap/map.js';
import { qualified, quoted } from '../../datamap/names.js';
import { type Sweepable } from '../../datamap/sweepable.js';
import { rowsSelected } from '../../datamap/walk.js';
import { type Values } from '../step/statement.js';
import { childrenOf, someChild } from './foreign-keys.js';
import { type Kept, type RetentionGuard } from './guard.js';
import { type Level, type Levels } from './levels.js';
import { type Over } from './time.js';

export interface RetentionAim {
  rule: Sweepable;
  over: Over;
  kept: Kept;
  now: Date;
  /** Host key; absent for what belongs to the account. */
  workspace?: string;
}

export class DueRows {
  constructor(
    private readonly map: DataMap,
    private readonly catalogue: Catalogue,
    private readonly aim: RetentionAim,
    private readonly guard: RetentionGuard,
    private readonly levels: Levels,
  ) {}

  /** The row is in this workspace and over, and nothing in it or below it has to stay. */
  topmost(values: Values): string {
    const { top } = this.levels;
    return [
      this.begun(values),
      ...stays(this.guard.mustStay(top.table, values, this.aim.rule.collection)),
      ...this.free(top, values),
    ].join(' and ');
  }

  /** The row is in this workspace and over: what hangs from it was looked at when it was begun. */
  begun(values: Values): string {
    const { rule, over, workspace } = this.aim;
    const selection = workspace === undefined ? {} : { workspaces: [workspace] };
    return [
      rowsSelected(this.map, this.catalogue, rule.collection, selection),
      this.guard.isOver(this.levels.top.table, rule.after, over, values),
    ].join(' and ');
  }

  /**
   * The row hangs from one that goes, and may go before it: nothing in it or below it has to stay, and nothing refers to
   * it but what goes with it. Not an answer of its own table either, which is as good a reason to take that one first.
   */
  ahead(level: Level, values: Values): string {
    const referring = childrenOf(this.catalogue, level.table).filter(
      ({ child, key }) =>
        holdsItsParent(key) &&
        // A table that the map does not know may not be read either: the constraint speaks for itself.
        this.guard.on(child).length > 0 &&
        !level.children.some(({ table, above }) => table === child && above?.key === key),
    );
    return [
      ...stays(this.guard.mustStay(level.table, values)),
      ...referring.map(({ child, key }) => `not ${someChild(child, key, 'true')}`),
      ...this.free(level, values),
    ].join(' and ');
  }

  /** Conditions: no row below this level's row `t` has to stay. */
  private free(level: Level, values: Values): string[] {
    const below = childrenOf(this.catalogue, level.table).filter(({ key }) => holdsItsParent(key));
    const aside = this.levels
      .aside(level.table)
      .map(({ child, key }) => `not ${someChild(child, key, 'true')}`);
    const conditions = below.flatMap(({ child, key }) => {
      if (qualified(child) === qualified(level.table))
        return level.above ? together(level.above.key, key, child) : [];
      const isLevel = this.levels.all.some(({ table }) => table === child);
      if (this.levels.pointsBack(child, key) && !isLevel) return [`not ${someChild(child, key, 'true')}`];
      const next = level.children.find(({ table, above }) => table === child && above?.key === key);
      const reasons = next
        ? [this.guard.mustStay(child, values), ...this.free(next, values).map((one) => `not (${one})`)]
        : [key.onDelete === 'cascade' ? this.staysWhereItCascades(child, values) : this.staysByRule(child)];
      const real = reasons.filter((reason) => reason !== 'false');
      return real.length === 0 ? [] : [`not ${someChild(child, key, real.join(' or '))}`];
    });
    return [...aside, ...conditions];
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
}

const stays = (reason: string): string[] => (reason === 'false' ? [] : [`not ${reason}`]);

/** An answer goes with its parent's room; one that is elsewhere would be taken along by ON DELETE CASCADE. */
function together(room: ForeignKey, key: ForeignKey, table: CatalogueTable): string[] {
  if (key.onDelete !== 'cascade') return [];
  const elsewhere = room.columns.map((column, n) => `t.${quoted(column)} is distinct from p.r${n}`);
  const here = room.columns.map((column, n) => `t.${quoted(column)} as r${n}`);
  return [`not ${someChild(table, key, elsewhere.join(' or '), here)}`];
}

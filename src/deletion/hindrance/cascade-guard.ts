/**
 * What else would go with a row, or would not let it go. Whatever a delete would take along by ON DELETE CASCADE is
 * looked at first: it may belong to the people who are being erased, or to nobody, but to nobody else and to no table
 * that the map does not know.
 */
import { type Catalogue, type CatalogueTable, type ForeignKey } from '../../datamap/catalogue.js';
import { childrenIn, someChild } from '../../datamap/hanging-rows.js';
import { type Collection, type DataMap } from '../../datamap/map.js';
import { qualified, shown, type TableRef } from '../../datamap/names.js';
import { isSeen, type Referrer, referrersOf, tableBehind } from '../../datamap/referrers.js';
import { DomainError } from '../../errors.js';
import { Bystanders } from './bystanders.js';
import { type ErasureJob } from '../erasure.js';
import { outOfReach } from './out-of-reach.js';

/** SQL about the row `t`; reads the settings of the selection that is being erased. */
export class CascadeGuard {
  private readonly bystanders: Bystanders;

  constructor(
    map: DataMap,
    private readonly catalogue: Catalogue,
    private readonly job: ErasureJob,
  ) {
    this.bystanders = new Bystanders(map, catalogue, job.scope === 'workspace' ? 'workspaces' : 'people');
  }

  /** Condition: the row of this table concerns somebody who is not being erased. */
  isOfOthers(table: TableRef): string {
    return this.bystanders.onRow(table);
  }

  /**
   * Condition: deleting the row would take nobody else's row along. Undefined where nothing cascades from it.
   * @throws DomainError `erasure.blocked_by_constraint` where it would go on to rows that nobody may look at
   */
  takesNobodyAlong(table: CatalogueTable, seen: readonly string[] = []): string | undefined {
    const here = [...seen, qualified(table)];
    const behind = tableBehind(this.catalogue, table);
    const hidden = behind && behind !== table ? this.cascadingFrom(behind)[0] : undefined;
    // Rows of a view lie nowhere, so what refers to them cannot be told.
    if (behind && hidden) throw cascadesOut(behind, hidden);
    const conditions = this.cascadingFrom(table).map((referrer) => {
      if (!this.canFollow(referrer, table)) throw cascadesOut(table, referrer);
      return `not ${someChild(referrer, table, this.mustStay(referrer.child, here, this.isShared(table)))}`;
    });
    return conditions.length === 0 ? undefined : conditions.join(' and ');
  }

  /** Names of the foreign keys by which a delete would go on to other tables, with the table each is of. */
  cascadesOf(table: CatalogueTable): string[] {
    return this.cascadingFrom(table).map(({ child, key }) => `${key.name} (table ${shown(child)})`);
  }

  /**
   * Foreign keys, each from a row of the one before it, by which rows go along with one of this table: the upper ones
   * first. What never goes along is left out, and what hangs from that.
   */
  goingAlong(table: CatalogueTable, seen: readonly string[] = []): Referrer[][] {
    const here = [...seen, qualified(table)];
    return this.cascadingFrom(table)
      .filter(({ child }) => !this.goesByItself(child, here))
      .flatMap((referrer) => [
        [referrer],
        ...this.goingAlong(referrer.child, here).map((further) => [referrer, ...further]),
      ]);
  }

  /**
   * How many rows of others point at this one by a key that would only be cleared with it (ON DELETE SET NULL or
   * DEFAULT). Undefined where no such key is. Tables that the map does not know cannot be looked into.
   */
  pointersOfOthers(table: CatalogueTable): string | undefined {
    const counts = this.mappedReferrers(table, 'set null', 'set default').map(
      (referrer) => `(select count(*) ${childrenIn(referrer, table, this.isOfOthers(referrer.child))})`,
    );
    return counts.length === 0 ? undefined : `(${counts.join(' + ')})`;
  }

  /** Condition: no row of a mapped table refers to it by a key that would stop its delete. */
  holdsNoParent(table: CatalogueTable): string | undefined {
    const conditions = this.mappedReferrers(table, 'no action', 'restrict').map(
      (referrer) => `not ${someChild(referrer, table, 'true')}`,
    );
    return conditions.length === 0 ? undefined : conditions.join(' and ');
  }

  private mappedReferrers(table: CatalogueTable, ...rules: ForeignKey['onDelete'][]): Referrer[] {
    return referrersOf(this.catalogue, table).filter(
      (referrer) => rules.includes(referrer.key.onDelete) && this.canFollow(referrer, table),
    );
  }

  private cascadingFrom(table: CatalogueTable): Referrer[] {
    return referrersOf(this.catalogue, table).filter(({ key }) => key.onDelete === 'cascade');
  }

  /**
   * Nobody may look into a table that is not mapped (it is not granted), so nobody knows whose rows would go. Where
   * the key's columns are only the heir's, the row cannot be followed from here.
   */
  canFollow({ child, key }: Referrer, table: CatalogueTable): boolean {
    return this.bystanders.collectionsOn(child).length > 0 && isSeen(key, table);
  }

  /** Such rows only go when nobody is left, and then what would stay for others need not. */
  isShared(table: CatalogueTable): boolean {
    return this.bystanders.mapped(table).every(({ shared }) => shared !== undefined);
  }

  private mustStay(child: CatalogueTable, seen: readonly string[], withShared: boolean): string {
    if (this.goesByItself(child, seen)) return 'true';
    const further = this.takesNobodyAlong(child, seen);
    const reasons = this.reasonsToStay(child, withShared);
    return anyIsTrue(further === undefined ? reasons : [...reasons, `not (${further})`]);
  }

  /** Whether rows of this table never go along: what names files, and what would cascade in a circle, has to go by its own step. */
  goesByItself(child: CatalogueTable, seen: readonly string[]): boolean {
    return this.bystanders.mapped(child).some(({ files }) => files) || seen.includes(qualified(child));
  }

  /** Conditions, each of which is a reason for a row to stay when one that it hangs from goes. */
  reasonsToStay(child: CatalogueTable, withShared: boolean): string[] {
    const mapped = this.bystanders.mapped(child);
    const staying = mapped
      .filter(({ erasure: { rule } }) => rule === 'keep' || (rule !== 'delete' && !withShared))
      .map(({ where }) => `(${where ?? 'true'})`);
    const beyond = mapped.flatMap((collection) =>
      outOfReach(this.job, collection).map((condition) => covered(collection, condition)),
    );
    return [...staying, ...beyond, this.isOfOthers(child), ...this.bystanders.onUncoveredRow(child)];
  }
}

/** Condition: one of these is true, whatever the others are. */
export const anyIsTrue = (conditions: readonly string[]): string =>
  conditions.map((condition) => `(${condition}) is true`).join(' or ');

const cascadesOut = (table: TableRef, { child, key }: Referrer): DomainError =>
  new DomainError(
    'erasure.blocked_by_constraint',
    `Constraint ${key.name} of table ${shown(child)} would delete its rows with those of ${shown(table)} (ON DELETE CASCADE), ` +
      `and the data map does not know ${shown(child)}. Nothing of ${shown(table)} has been erased. Map the table.`,
    { extra: { table: shown(table), constraint: key.name, at: shown(child) } },
  );

const covered = ({ where }: Collection, condition: string): string =>
  where === undefined ? condition : `(${condition}) and (${where})`;

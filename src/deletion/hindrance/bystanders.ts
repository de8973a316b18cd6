/** Who else a row concerns. A foreign key that reaches somebody else's row is no reason to erase it (invariant 11). */
import { type Catalogue, type CatalogueTable, tableIn } from '../../datamap/catalogue.js';
import { type Collection, type DataMap } from '../../datamap/map.js';
import { qualified, type TableRef } from '../../datamap/names.js';
import { workspacesOfRow } from '../../datamap/paths.js';
import { workspacesSql } from '../../datamap/settings.js';
import { OtherPeople } from './other-people.js';

/** SQL about the row `t`; reads the settings of the selection that is being erased. */
export class Bystanders {
  private readonly people: OtherPeople;

  constructor(
    private readonly map: DataMap,
    private readonly catalogue: Catalogue,
    /** Whose rows go: those of people, or those of workspaces. */
    private readonly about: 'people' | 'workspaces',
  ) {
    this.people = new OtherPeople(map, catalogue);
  }

  /** Condition: the row of this table concerns somebody who is not being erased. */
  onRow(table: TableRef): string {
    const conditions = this.mapped(table).flatMap((collection) => this.others(collection));
    return conditions.length === 0 ? 'false' : `(${[...new Set(conditions)].join(' or ')})`;
  }

  /** Conditions: a row that is in none of the collections over its table (a deleted one, say) is its people's all the same. */
  onUncoveredRow(table: TableRef): string[] {
    const mapped = this.mapped(table);
    const covers = mapped.flatMap(({ where }) => (where === undefined ? [] : [`(${where}) is true`]));
    if (covers.length < mapped.length) return [];
    const others = mapped.flatMap(({ where: _, ...whole }) => this.others(whole));
    return others.length === 0 ? [] : [`not (${covers.join(' or ')}) and (${others.join(' or ')})`];
  }

  /** The collections in which a row of this table can be: those over a partition's, or an heir's, whole tree too. */
  mapped(table: CatalogueTable | TableRef): Collection[] {
    const { root } = tableIn(this.catalogue, table) ?? {};
    return [...this.collectionsOn(table), ...(root ? this.collectionsOn(root) : [])];
  }

  /** The collections over this very table. */
  collectionsOn(table: TableRef): Collection[] {
    return Object.values(this.map.collections).filter(
      (c) => !c.builtIn && qualified(c.table) === qualified(table),
    );
  }

  private others(collection: Collection): string[] {
    return this.about === 'people' ? this.people.ways(collection) : otherWorkspaces(collection);
  }
}

function otherWorkspaces(collection: Collection): string[] {
  if (collection.workspace.length === 0) return [];
  const other =
    `exists (select from (${workspacesOfRow(collection)}) as w where w.v is not null ` +
    `and w.v <> all (array(${workspacesSql()})))`;
  return [collection.where === undefined ? other : `(${other} and (${collection.where}))`];
}

/**
 * Rows that a purge would delete, and cannot, because a row that it leaves refers to them (decision 0007): told row by row,
 * so that only they stay. A collection of which some may have to is walked as two, one of them of these rows alone.
 */
import { type Catalogue, tableIn } from './catalogue.js';
import { someChild } from './hanging-rows.js';
import { type Collection, type DataMap } from './map.js';
import { qualified, quoted, type TableRef } from './names.js';
import { isSeen, type Referrer, referrersOf } from './referrers.js';

const HELD = ' (referred to)';

/** Why rows stay that a purge would delete, and until when: no law is about them, only about what refers to them. */
export const REFERRED_TO = {
  ground: 'Rows that are kept refer to them',
  until: 'No row that is kept refers to them any more.',
};

/** How the collection is named in the map, and told. */
export const toldName = (name: string): string => (isHeld(name) ? name.slice(0, -HELD.length) : name);

/** Whether it is the part of a collection that stays because others are kept. */
export const isHeld = (name: string): boolean => name.endsWith(HELD);

/** The rows that go first, the rows that stay after them. */
export function inTwo(collection: Collection, held: string): Collection[] {
  const { name, where } = collection;
  const also = where === undefined ? '' : `(${where}) and `;
  return [
    { ...collection, where: `${also}not (${held})`, erasure: { rule: 'delete' } },
    { ...collection, where: `${also}(${held})`, name: `${name}${HELD}` },
  ];
}

export class HeldRows {
  /** @param map as a purge walks it, with the own rules of those collections of which rows may have to stay: `staying` */
  constructor(
    private readonly map: DataMap,
    private readonly catalogue: Catalogue,
    private readonly staying: ReadonlySet<string>,
    /** Whether rows of a collection that stay would stop the delete of what they refer to by this key. */
    private readonly holds: (child: Collection, referrer: Referrer) => boolean,
  ) {}

  /**
   * Condition about a row `t` of the collection: a row that stays refers to it. Undefined where that cannot be told row by
   * row: tables that hold on to each other in a circle, keys of which the table does not show the columns.
   */
  condition({ name, table: ref }: Collection, seen: readonly string[] = []): string | undefined {
    const table = tableIn(this.catalogue, ref);
    if (!table || seen.includes(name)) return undefined;
    const reasons: string[] = [];
    const own: Referrer[] = [];
    for (const referrer of referrersOf(this.catalogue, table)) {
      const holding = this.over(referrer.child).filter((child) => this.holds(child, referrer));
      if (holding.length === 0) continue;
      if (!isSeen(referrer.key, table)) return undefined;
      if (this.rootOf(referrer.child) === this.rootOf(table)) {
        if (qualified(referrer.child) !== qualified(table)) return undefined;
        own.push(referrer);
        continue;
      }
      const stays = this.stays(referrer, holding, [...seen, name]);
      if (stays === undefined) return undefined;
      reasons.push(someChild(referrer, table, stays));
    }
    const held = reasons.join(' or ') || 'false';
    return own.length === 0 ? held : orBelow(table, own, held);
  }

  /** Condition about a row of the child's table: it stays. What no collection covers does as well. */
  private stays(
    { child }: Referrer,
    holding: readonly Collection[],
    seen: readonly string[],
  ): string | undefined {
    const conditions: string[] = [];
    for (const one of holding) {
      const held = this.staying.has(one.name) ? this.condition(one, seen) : 'true';
      if (held === undefined) return undefined;
      conditions.push(`((${one.where ?? 'true'}) and (${held})) is true`);
    }
    const covers = this.over(child).map(({ where }) => where);
    if (covers.every((where) => where !== undefined))
      conditions.push(`not (${covers.map((where) => `(${where}) is true`).join(' or ')})`);
    return conditions.join(' or ');
  }

  /** The collections in which a row of this table can be. */
  private over(table: TableRef): Collection[] {
    const { root } = tableIn(this.catalogue, table) ?? {};
    const names = [qualified(table), ...(root ? [qualified(root)] : [])];
    return Object.values(this.map.collections).filter(
      (one) => !one.builtIn && names.includes(qualified(one.table)),
    );
  }

  private rootOf(table: TableRef): string {
    return qualified(tableIn(this.catalogue, table)?.root ?? table);
  }
}

/** The same of a row to which such a row refers within its own table, over any number of others. */
function orBelow(table: TableRef, keys: readonly Referrer[], held: string): string {
  const rows = qualified(table);
  const refers = keys.map(({ key }) =>
    key.columns
      .map((column, n) => `t.${quoted(column)} = u.${quoted(key.targetColumns[n] ?? '')}`)
      .join(' and '),
  );
  return (
    `exists (with recursive habeas_below as (select t.tableoid as habeas_o, t.ctid as habeas_c union ` +
    `select t.tableoid, t.ctid from habeas_below as b, ${rows} as u, ${rows} as t ` +
    `where u.tableoid = b.habeas_o and u.ctid = b.habeas_c and (${refers.join(' or ')})) ` +
    `select from habeas_below as b, ${rows} as t where t.tableoid = b.habeas_o and t.ctid = b.habeas_c and (${held}))`
  );
}

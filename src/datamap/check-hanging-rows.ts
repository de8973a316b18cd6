/** Rows that would be in the way of somebody's erasure because they hang on rows that it deletes, as queries. */
import { type CatalogueTable, type Catalogue, tableIn } from './catalogue.js';
import { changesOf } from './changes.js';
import { type Way, type Whose } from './check-whose.js';
import { leadsThrough } from './leads-through.js';
import { namingColumns } from './letting-go.js';
import { type Collection, type DataMap } from './map.js';
import { qualified, quoted } from './names.js';
import { liesIn, type Referrer } from './referrers.js';

/** Query: these columns of rows that go, as k0, k1, …; the names `w` of whoever is erased; the row's place, `o` and `c`. */
export type Going = (columns: readonly string[]) => string;

/** Rows that go and a key that refers to them. */
export interface Hanging {
  referrer: Referrer;
  /** By which the erased lead to them. */
  ways: readonly Way[];
  going: Going;
  /** They are swept as tombstones, and so are others by then. */
  swept: boolean;
}

export interface HangingParts {
  map: DataMap;
  catalogue: Catalogue;
  whose: Whose;
  /** Who else may have a row that is nobody's in `whose`; it stays with them. */
  besides?: Whose;
}

export class HangingRows {
  constructor(private readonly parts: HangingParts) {}

  /** The rows of a collection over this table that go, once for each whose erasure takes them. */
  going(collection: Collection, table: CatalogueTable): Going {
    const { whose } = this.parts;
    const keeping = this.mapped(table).filter((one) => one.erasure.rule === 'keep');
    const place =
      table.kind === 'view'
        ? 'null::oid as habeas_o, null::tid as habeas_c'
        : 't.tableoid as habeas_o, t.ctid as habeas_c';
    const rows =
      `(select t.*, ${place}, ${names(whose, keeping)} as habeas_kept from ${qualified(table)} as t ` +
      `where (${collection.where ?? 'true'})) as t`;
    return (columns) => {
      const keys = columns.map((column, n) => `t.${quoted(column)} as k${n}`).join(', ');
      return whose
        .ways(collection)
        .map((way) => {
          const { values, join } = whose.holders(way);
          return (
            `select ${keys}, s.w, t.habeas_o as o, t.habeas_c as c from ${rows} ` +
            `cross join lateral (${values}) as v ${join} where not (t.habeas_kept && s.w)`
          );
        })
        .join(' union all ');
    };
  }

  /** Whether map and keys alone say that whatever refers by the key to a row that goes is gone, or lets go, before it. */
  follow({ referrer, ways, swept }: Hanging): boolean {
    const mapped = this.mapped(referrer.child);
    if (mapped.some(({ erasure }) => erasure.rule === 'keep')) return false;
    const whole = mapped.filter(
      (one) => one.where === undefined && !one.shared && this.leaves(one, referrer, swept),
    );
    return ways.every(({ kind, path }) => {
      const paths = whole
        .flatMap((one) => this.parts.whose.ways(one))
        .flatMap((way) => (way.kind === kind ? [way.path] : []));
      return leadsThrough(referrer.key, paths, path);
    });
  }

  /** Whether rows of this table are in some collection. */
  knows(child: CatalogueTable): boolean {
    return this.mapped(child).length > 0;
  }

  /** Rows that refer to one that goes and neither go nor let go with it, as far as it would stop Postgres. */
  held(hanging: Hanging): string {
    const { child, key } = hanging.referrer;
    // What is nobody's may have gone before, along with something else.
    const along = child.foreignKeys.some((other) => other.name !== key.name && other.onDelete === 'cascade');
    return this.staying(hanging, along ? `s.everybody <> '{}'` : 'true')([]);
  }

  /** Rows that a cascade would take along, and may not. @param seen tables on the way to them */
  takenAlong(hanging: Hanging, seen: readonly string[]): string {
    const reason = this.goesByItself(hanging.referrer.child, seen) ? 'true' : STAYS;
    return this.staying(hanging, reason)([]);
  }

  /** What goes along, and what leads to it: to ask the same of whatever hangs on that. */
  along(hanging: Hanging, seen: readonly string[]): Pick<Hanging, 'going' | 'ways'> | undefined {
    const { child, key } = hanging.referrer;
    if (this.goesByItself(child, seen)) return undefined;
    const on = key.columns.map((column, n): [string, string] => [column, key.targetColumns[n] ?? '']);
    return {
      going: this.staying(hanging, `not ${STAYS}`),
      ways: hanging.ways.map(({ path, ...way }) => ({
        ...way,
        path: { ...path, join: [{ table: key.target, on }, ...path.join] },
      })),
    };
  }

  private staying({ referrer, going, swept }: Hanging, condition: string): Going {
    const { child, key } = referrer;
    const { whose } = this.parts;
    const mapped = this.mapped(child);
    const leaving = mapped.filter((one) => this.leaves(one, referrer, swept));
    // What several people share goes with the last of them.
    const alone = leaving.filter((one) => one.shared && !this.letsGo(one, referrer));
    const facts = {
      goes: names(
        whose,
        leaving.filter((one) => !alone.includes(one)),
      ),
      alone: names(whose, alone),
      kept: names(
        whose,
        mapped.filter(({ erasure }) => erasure.rule === 'keep'),
      ),
      everybody: this.everybody(mapped),
      bound: this.bound(mapped),
      o: 't.tableoid',
      c: 't.ctid',
    };
    const same = key.columns.map((_, n) => `s.f${n} = p.k${n}`);
    const leaves = '((s.goes && p.w or (s.alone && p.w and s.everybody <@ p.w)) and not (s.kept && p.w))';
    return (columns) => {
      const own = [
        ...columns.map((column, n) => `t.${quoted(column)} as k${n}`),
        ...key.columns.map((column, n) => `t.${quoted(column)} as f${n}`),
        ...Object.entries(facts).map(([name, sql]) => `${sql} as ${name}`),
      ];
      return (
        `select ${[...columns.map((_, n) => `s.k${n}`), 'p.w', 's.o', 's.c'].join(', ')} ` +
        `from (${going(key.targetColumns)}) as p join (select ${own.join(', ')} from ${this.rowsOf(child)}) as s ` +
        // A row may refer to itself: that one goes with itself.
        `on ${same.join(' and ')} and (s.o, s.c) is distinct from (p.o, p.c) where not ${leaves} and ${condition}`
      );
    };
  }

  /** Whether rows of this table never go along: what names files, and what would cascade in a circle, has to go by its own step. */
  private goesByItself(child: CatalogueTable, seen: readonly string[]): boolean {
    return this.mapped(child).some(({ files }) => files) || seen.includes(qualified(child));
  }

  /** Whether rows of the collection are gone, or refer to something else, when it is the turn of what they refer to. */
  private leaves(collection: Collection, referrer: Referrer, swept: boolean): boolean {
    const { rule } = collection.erasure;
    return rule === 'delete' || (swept && rule === 'tombstone') || this.letsGo(collection, referrer);
  }

  private letsGo(collection: Collection, { key }: Referrer): boolean {
    const { map, catalogue } = this.parts;
    const emptied = namingColumns(map, catalogue, collection).map(({ column }) => column);
    return [...Object.keys(changesOf(collection)), ...emptied].some((column) => key.columns.includes(column));
  }

  /** The collections in which a row of this table can be: those over a partition's, or an heir's, whole tree too. */
  private mapped({ root, ...table }: CatalogueTable): Collection[] {
    const tables = [qualified(table), ...(root ? [qualified(root)] : [])];
    return Object.values(this.parts.map.collections).filter(
      (one) => !one.builtIn && tables.includes(qualified(one.table)),
    );
  }

  /** Everybody whom a row leads to. One that is in no collection over its table (a deleted one, say) is its people's all the same. */
  private everybody(mapped: readonly Collection[]): string {
    const { whose } = this.parts;
    const covers = mapped.flatMap(({ where }) => (where === undefined ? [] : [`(${where}) is true`]));
    if (covers.length < mapped.length) return names(whose, mapped);
    const whole = names(
      whose,
      mapped.map(({ where: _, ...one }) => one),
    );
    return `(${names(whose, mapped)} || case when ${covers.join(' or ')} then '{}' else ${whole} end)`;
  }

  /** Condition: a rule lets the row stay whosever it is, or it is somebody's who is not asked. */
  private bound(mapped: readonly Collection[]): string {
    const { whose, besides } = this.parts;
    const reasons = mapped.flatMap((one) => [
      ...(one.erasure.rule === 'delete' ? [] : [`(${one.where ?? 'true'}) is true`]),
      ...(besides && besides.ways(one).length > 0
        ? [`${names(whose, [one])} = '{}' and ${names(besides, [one])} <> '{}'`]
        : []),
    ]);
    return `(${reasons.map((reason) => `(${reason})`).join(' or ') || 'false'})`;
  }

  /** The table itself may not be granted where only its tree is mapped. */
  private rowsOf(child: CatalogueTable): string {
    const { root } = child;
    const isMapped = Object.values(this.parts.map.collections).some(
      ({ table }) => qualified(table) === qualified(child),
    );
    return root && !isMapped && tableIn(this.parts.catalogue, root)
      ? `${qualified(root)} as t where ${liesIn(child)}`
      : `${qualified(child)} as t`;
  }
}

const STAYS = '(s.bound or not (s.everybody <@ p.w))';

/** An array: whom row `t` leads to, by all ways of these collections, as far as it is in them. */
export const names = (whose: Whose, collections: readonly Collection[]): string => {
  const each = collections.flatMap((one) => {
    const ways = whose.ways(one).map((way) => whose.names(way));
    if (ways.length === 0) return [];
    const all = `array(${ways.join(' union all ')})`;
    return [one.where === undefined ? all : `case when (${one.where}) then ${all} else '{}' end`];
  });
  return each.length === 0 ? `'{}'::text[]` : `(${each.join(' || ')})`;
};

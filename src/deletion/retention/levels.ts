/** What hangs from a collection's rows by foreign keys and goes with them, table below table. */
import { type Catalogue, type CatalogueTable, type ForeignKey } from '../../datamap/catalogue.js';
import { isDeleted } from '../../datamap/changes.js';
import { holdsItsParent } from '../../datamap/erasure-order.js';
import { fileSql } from '../../datamap/file-names.js';
import { type Collection } from '../../datamap/map.js';
import { qualified, quoted } from '../../datamap/names.js';
import { type Referrer, referrersOf } from '../../datamap/referrers.js';
import { sweepable } from '../../datamap/sweepable.js';
import { cascadesOut, childrenOf, clings, ownersOf } from './foreign-keys.js';
import { type RetentionGuard } from './guard.js';

/** One table whose rows go, below the one whose rows it hangs from. */
export interface Level {
  n: number;
  table: CatalogueTable;
  /** As counts and files are told. */
  name: string;
  files?: Collection['files'];
  /** Condition: row `t` is one of this table's own (heirs.ts); an heir has no foreign key of its parent's. */
  own?: string;
  above?: { level: Level; key: ForeignKey };
  children: Level[];
}

export class Levels {
  /** The topmost first, each before what hangs from it. */
  readonly all: Level[] = [];
  readonly top: Level;
  /** Tables that a row of the topmost cannot be without: what they point to is no reason for them to go. */
  private readonly owners: Set<string>;

  /** @throws DomainError `retention.cascades_out` where a delete would go on to a table that the map does not know */
  constructor(
    private readonly catalogue: Catalogue,
    private readonly guard: RetentionGuard,
    table: CatalogueTable,
    collection: Collection,
  ) {
    this.owners = ownersOf(catalogue, table);
    this.top = this.descend(table, collection, []);
  }

  /** A level and all below it. */
  under(level: Level): Level[] {
    return [level, ...level.children.flatMap((child) => this.under(child))];
  }

  /** Cascades by keys that name a partition, or an heir, or that only a partition has: no level follows them, so rows stay. */
  aside(table: CatalogueTable): Referrer[] {
    const followed = childrenOf(this.catalogue, table).map(({ key }) => key);
    return referrersOf(this.catalogue, table).filter(
      ({ key }) => key.onDelete === 'cascade' && !followed.includes(key),
    );
  }

  /** The last comment that a ticket points to must not take the ticket along. */
  pointsBack(child: CatalogueTable, key: ForeignKey): boolean {
    return this.owners.has(qualified(child)) && !clings(child, key);
  }

  private descend(
    table: CatalogueTable,
    collection: Collection,
    path: readonly string[],
    above?: Level['above'],
  ): Level {
    const files = this.guard.on(table).find((one) => one.files)?.files;
    const own = this.guard.own(table);
    const level: Level = {
      n: this.all.length,
      table,
      name: collection.name,
      ...(files && { files }),
      ...(own !== undefined && { own }),
      ...(above && { above }),
      children: [],
    };
    this.all.push(level);
    const seen = [...path, qualified(table)];
    for (const { child, key } of this.aside(table)) {
      const isSeen = key.targetColumns.every((column) => table.columns.some(({ name }) => name === column));
      if (this.guard.on(child).length === 0 || !isSeen) throw cascadesOut(table, child, key);
    }
    for (const { child, key } of childrenOf(this.catalogue, table)) {
      if (!holdsItsParent(key) || seen.includes(qualified(child))) continue;
      const mapped = this.guard.on(child);
      if (key.onDelete === 'cascade' && mapped.length === 0) throw cascadesOut(table, child, key);
      if (this.pointsBack(child, key)) continue;
      // What a cascade takes goes, whatever the map makes of it otherwise: then with all that hangs from it in turn.
      const goes =
        mapped.find((one) => isDeleted(one) || sweepable(one)) ??
        (key.onDelete === 'cascade' ? mapped[0] : undefined);
      if (goes) level.children.push(this.descend(child, goes, seen, { level, key }));
    }
    return level;
  }
}

/** CTE `l<n>`: rows of this level; the topmost's by a condition, the others' by those above. */
export function levelCte(level: Level, own: string | undefined, limit?: string): string {
  const condition = own ?? hangsFrom(level);
  const some = limit === undefined ? '' : ` limit ${limit}`;
  return `l${level.n} as materialized (select ${shownColumns(level)} from ${qualified(level.table)} as t where ${condition}${some})`;
}

/** Condition: row `t` of this level hangs from one of those in the CTE above. */
export function hangsFrom(level: Level): string {
  const hangs = hangsBelow(level);
  return level.own === undefined ? hangs : `${hangs} and ${level.own}`;
}

function hangsBelow({ above }: Level): string {
  if (!above) throw new Error('the topmost level hangs from nothing');
  const { level, key } = above;
  const parent = key.targetColumns.map((column) => `p.${alias(level, column)}`);
  const own = key.columns.map((column) => `t.${quoted(column)}`);
  // As an array Postgres goes to the index, whatever it thinks of the number of parents.
  const each = own.map(
    (column, i) => `${column} = any (array(select ${parent[i] ?? ''} from l${level.n} as p))`,
  );
  if (own.length === 1) return each.join('');
  return `${each.join(' and ')} and (${own.join(', ')}) in (select ${parent.join(', ')} from l${level.n} as p)`;
}

function shownColumns({ n: _, files, children, ...level }: Level): string {
  const wanted = new Set(children.flatMap(({ above }) => above?.key.targetColumns ?? []));
  const columns = [...wanted].map((column) => `t.${quoted(column)} as ${alias(level, column)}`);
  return [
    't.tableoid as rel',
    't.ctid as place',
    `${files ? fileSql(files) : 'null::json'} as file`,
    ...columns,
  ].join(', ');
}

const alias = ({ table }: Pick<Level, 'table'>, column: string): string =>
  `c${table.columns.findIndex(({ name }) => name === column)}`;

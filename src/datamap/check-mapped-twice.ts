/**
 * Rows that a rule would write by way of one collection while they are another's: through a view, as part of a partitioned
 * table, or in an heir of two tables. Each collection's rule and holds are looked at where its own table is written, so there
 * they would be passed by: what a law keeps would go, and be certified as kept. Heirs of one table are told apart (heirs.ts).
 */
import { type SqlRunner } from '../database/unit-of-work.js';
import { type Catalogue, type CatalogueTable, tableIn } from './catalogue.js';
import { changesOf, isDeleted } from './changes.js';
import { type Finding, finding } from './findings.js';
import { ancestorsOf, mappedBelow, ownersOf } from './heirs.js';
import { type Collection, type DataMap } from './map.js';
import { qualified, quoted, shown } from './names.js';
import { sweepable } from './sweepable.js';

/** Must run in a transaction. */
export async function mappedTwice(db: SqlRunner, map: DataMap, catalogue: Catalogue): Promise<Finding[]> {
  const found = [...partitions(map, catalogue), ...heirsOfTwo(map, catalogue)];
  for (const collection of mapped(map)) {
    const view = tableIn(catalogue, collection.table);
    if (view?.kind !== 'view' || !writes(collection)) continue;
    const behind = read(catalogue, view);
    if (others(map, catalogue, behind).length === 0) continue;
    const isTarget = await targetsOf(db, collection, view);
    const shows = (one: CatalogueTable) => isTarget(one) || read(catalogue, one).some(isTarget);
    const written = others(map, catalogue, behind.filter(shows));
    found.push(...written.map((other) => throughView(collection, view, other)));
  }
  return found;
}

const throughView = ({ name, erasure }: Collection, view: CatalogueTable, other: Collection): Finding =>
  finding(
    'erasure.view_of_mapped',
    view,
    undefined,
    `Collection ${name} would write into rows of ${shown(other.table)} through this view, past the rule and the holds of collection ` +
      `${other.name}, to which they belong. Give the rule to ${other.name} (for some of its rows, to a second collection over ` +
      `${shown(other.table)} with \`where\`), and leave the view out of the map, or, to show it in packages, let its rule be ` +
      `\`keep\`${erasure.rule === 'keep' ? ' without a time in `retention`' : ''}.`,
  );

/** A partition and its whole table: whichever is written, the other's rows are too. */
const partitions = (map: DataMap, catalogue: Catalogue): Finding[] =>
  mapped(map).flatMap((part) => {
    const table = tableIn(catalogue, part.table);
    const above = table ? ancestorsOf(catalogue, table).filter(({ kind }) => kind === 'partitioned') : [];
    return mapped(map)
      .filter((whole) => above.some((one) => isOver(whole, one)) && [part, whole].some(writes))
      .map((whole) =>
        finding(
          'erasure.partition_of_mapped',
          part.table,
          undefined,
          `The rows of this partition are rows of ${shown(whole.table)} as well, so the rule and the holds of collection ${part.name} ` +
            `and those of ${whole.name} would pass each other by. Let ${part.name} be a collection over ${shown(whole.table)} too, ` +
            `whose \`where\` says which rows they are.`,
        ),
      );
  });

/** Of two mapped tables that know nothing of each other neither comes before the other. */
const heirsOfTwo = (map: DataMap, catalogue: Catalogue): Finding[] =>
  [...catalogue.tables.values()].flatMap((table) => {
    const owners = ownersOf(map, catalogue, table);
    const all = mapped(map).filter((one) => owners.some((owner) => isOver(one, owner)));
    return owners.length > 1 && all.some(writes)
      ? [
          finding(
            'erasure.heir_of_two',
            table,
            undefined,
            `Its rows are found by way of ${owners.map(shown).join(' and of ')}, which are mapped each for itself. Map ` +
              `${shown(table)} on its own, so that one rule decides.`,
          ),
        ]
      : [];
  });

const mapped = (map: DataMap): Collection[] =>
  Object.values(map.collections).filter(({ builtIn }) => !builtIn);

const isOver = ({ table }: Collection, one: CatalogueTable): boolean => qualified(table) === qualified(one);

/** Erasure or retention deletes or changes its rows. */
const writes = (collection: Collection): boolean =>
  collection.erasure.rule !== 'keep' || sweepable(collection) !== undefined;

/** The collections to which rows of these tables belong, and those of what inherits from them. */
function others(map: DataMap, catalogue: Catalogue, tables: readonly CatalogueTable[]): Collection[] {
  const owners = tables.flatMap((table) => [
    ...ownersOf(map, catalogue, table),
    ...mappedBelow(map, catalogue, table),
  ]);
  return mapped(map).filter((one) => owners.some((owner) => isOver(one, owner)));
}

/** What the view reads, also by way of other views. */
function read(
  catalogue: Catalogue,
  view: CatalogueTable,
  seen = new Set<CatalogueTable>(),
): CatalogueTable[] {
  for (const ref of view.reads) {
    const table = tableIn(catalogue, ref);
    if (!table || seen.has(table)) continue;
    seen.add(table);
    read(catalogue, table, seen);
  }
  return [...seen];
}

interface Plan {
  'Node Type': string;
  'Relation Name'?: string;
  Schema?: string;
  Plans?: Plan[];
}

/**
 * Which tables are written through a view, as Postgres plans it over no row; any, where it cannot tell: a trigger INSTEAD OF
 * does as it likes.
 */
async function targetsOf(
  db: SqlRunner,
  collection: Collection,
  view: CatalogueTable,
): Promise<(table: CatalogueTable) => boolean> {
  const column = Object.keys(changesOf(collection))[0];
  const deletes = isDeleted(collection) || sweepable(collection) !== undefined;
  const written: Plan[] = [];
  await db.query('savepoint habeas_views');
  try {
    for (const change of [
      ...(deletes ? [`delete from ${qualified(view)} as t`] : []),
      ...(column === undefined
        ? []
        : [`update ${qualified(view)} as t set ${quoted(column)} = t.${quoted(column)}`]),
    ]) {
      const rows = await db.query<{ 'QUERY PLAN': { Plan: Plan }[] }>(
        `explain (verbose, format json) ${change} where false`,
      );
      written.push(...rows.flatMap((row) => row['QUERY PLAN'].flatMap(({ Plan: plan }) => changed(plan))));
    }
    await db.query('release savepoint habeas_views');
  } catch {
    await db.query('rollback to savepoint habeas_views');
    return () => true;
  }
  const names = new Set(
    written.map(({ Schema: schema = '', 'Relation Name': name = '' }) => qualified({ schema, name })),
  );
  return (table) => names.size === 0 || names.has(qualified(view)) || names.has(qualified(table));
}

const changed = (plan: Plan): Plan[] => [
  ...(plan['Node Type'] === 'ModifyTable' ? [plan] : []),
  ...(plan.Plans ?? []).flatMap(changed),
];

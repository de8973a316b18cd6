/**
 * The map as the purge of a workspace walks it (decision 0007). In a person's erasure a row may have to stay for the
 * others; when the workspace itself goes, nobody is left for whom. So what a workspace decides about is deleted whatever
 * its rule, `keep` excepted, and except the rows that a row that stays holds on to by a foreign key: those are
 * pseudonymised or cleared as their rule says (held-rows.ts). People's own rows are never reached by way of a workspace, and a row that is
 * another workspace's as well stays, as one that is shared.
 */
import { type Catalogue, type ForeignKey, tableIn } from './catalogue.js';
import { changesOf } from './changes.js';
import { HeldRows, inTwo } from './held-rows.js';
import { type Collection, type DataMap, type Path } from './map.js';
import { qualified } from './names.js';

/** Where rows stay for others that are kept, their collection is walked as two: the rows that go, and those (held-rows.ts). */
export function inPurges(map: DataMap, catalogue: Catalogue): DataMap {
  const { whole, staying } = wholeInPurges(map, catalogue);
  const held = new HeldRows(whole, catalogue, staying, (child, { key }) => holdsBy(child, key));
  const walked = Object.values(whole.collections).flatMap((collection) => {
    const condition = staying.has(collection.name) ? held.condition(collection) : undefined;
    return condition === undefined ? [collection] : inTwo(collection, condition);
  });
  return { ...map, collections: Object.fromEntries(walked.map((one) => [one.name, one])) };
}

/** Every collection with one rule: its own where some of its rows may have to stay (`staying`). */
export function wholeInPurges(
  map: DataMap,
  catalogue: Catalogue,
): { whole: DataMap; staying: ReadonlySet<string> } {
  const staying = new Set<string>();
  const purged = new Map(
    Object.entries(map.collections).map(([name, one]) => [name, inPurge(map, catalogue, one)]),
  );
  // Who stays for another's sake may in turn hold on to others.
  for (let found = true; found;) {
    found = false;
    for (const [name, collection] of purged) {
      const erasure = map.collections[name]?.erasure;
      const mayStay = erasure?.rule === 'pseudonymise' || erasure?.rule === 'clear';
      if (!mayStay || collection.erasure.rule !== 'delete') continue;
      if (![...purged.values()].some((other) => staysAndHolds(catalogue, other, collection))) continue;
      purged.set(name, { ...collection, erasure });
      staying.add(name);
      found = true;
    }
  }
  return { whole: { ...map, collections: Object.fromEntries(purged) }, staying };
}

/** Whether no way leads to these rows from a workspace that is purged. */
export const isOutOfReach = ({ builtIn, workspace }: Collection): boolean =>
  !builtIn && workspace.length === 0;

/** Whether rows that a purge leaves would stop the delete of rows they refer to, or go with them against their rule. */
function staysAndHolds(catalogue: Catalogue, child: Collection, parent: Collection): boolean {
  const keys = child.builtIn ? [] : (tableIn(catalogue, child.table)?.foreignKeys ?? []);
  return keys.some((key) => qualified(key.target) === qualified(parent.table) && holdsBy(child, key));
}

/** By this key. */
export function holdsBy(child: Collection, { columns, onDelete }: ForeignKey): boolean {
  if (child.erasure.rule === 'delete' && !isOutOfReach(child)) return false;
  const freed = isOutOfReach(child) ? {} : changesOf(child);
  return (
    onDelete !== 'set null' && onDelete !== 'set default' && !columns.some((column) => freed[column] === null)
  );
}

function inPurge(map: DataMap, catalogue: Catalogue, collection: Collection): Collection {
  const { builtIn, erasure, controller, workspace } = collection;
  if (builtIn || erasure.rule === 'keep' || workspace.length === 0) return collection;
  const people = Object.values(map.subjects).flatMap(({ table }) => (table ? [qualified(table)] : []));
  if (controller === 'host' && people.includes(qualified(collection.table)))
    return { ...collection, workspace: [] };
  const severally = workspace.length > 1 || workspace.some((path) => mayLeadToSeveral(catalogue, path));
  return {
    ...collection,
    ...(severally && { shared: 'keep-if-others' as const }),
    // A tombstone's key is kept for others' references, and they go as well.
    erasure: controller === 'workspace' || erasure.rule === 'tombstone' ? { rule: 'delete' } : erasure,
  };
}

/** Whether one row may lead to more than one workspace: only a join by a whole key certainly finds one row. */
export const mayLeadToSeveral = (catalogue: Catalogue, { array, json, join }: Path): boolean =>
  array ||
  (json?.includes('*') ?? false) ||
  join.some(({ table, on }) => {
    const columns = on.map(([, to]) => to);
    const { primaryKey = [], uniques = [] } = tableIn(catalogue, table) ?? {};
    return ![primaryKey, ...uniques].some(
      (key) => key.length > 0 && key.every((one) => columns.includes(one)),
    );
  });

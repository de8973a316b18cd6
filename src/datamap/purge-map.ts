/**
 * The map as the purge of a workspace walks it (decision 0007). In a person's erasure a row may have to stay for the
 * others; when the workspace itself goes, nobody is left for whom. So what a workspace decides about is deleted whatever
 * its rule, `keep` excepted. People's own rows are never reached by way of a workspace, and a row that is another
 * workspace's as well stays, as one that is shared.
 */
import { type Catalogue, tableIn } from './catalogue.js';
import { type Collection, type DataMap, type Path } from './map.js';
import { qualified } from './names.js';

export function inPurges(map: DataMap, catalogue: Catalogue): DataMap {
  const collections = Object.entries(map.collections).map(
    ([name, collection]) => [name, inPurge(map, catalogue, collection)] as const,
  );
  return { ...map, collections: Object.fromEntries(collections) };
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
const mayLeadToSeveral = (catalogue: Catalogue, { array, json, join }: Path): boolean =>
  array ||
  (json?.includes('*') ?? false) ||
  join.some(({ table, on }) => {
    const columns = on.map(([, to]) => to);
    const { primaryKey = [], uniques = [] } = tableIn(catalogue, table) ?? {};
    return ![primaryKey, ...uniques].some(
      (key) => key.length > 0 && key.every((one) => columns.includes(one)),
    );
  });

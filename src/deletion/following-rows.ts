/** Whether it follows from the map and the keys alone that whatever refers to a row goes by a step of its own. */
import { type ForeignKey } from '../datamap/catalogue.js';
import { type Collection, type Path } from '../datamap/map.js';
import { qualified } from '../datamap/names.js';
import { type Referrer } from '../datamap/referrers.js';
import { type ErasureExtent } from './erasure-extent.js';

/**
 * Whether every row that refers by this key to one of the collection is found by way of that very key: then it goes
 * when the row does, and none of them has to be looked at, however many there are.
 */
export function followsByKey(extent: ErasureExtent, parent: Collection, { child, key }: Referrer): boolean {
  if (qualified(key.target) !== qualified(parent.table)) return false;
  return extent.bystanders
    .collectionsOn(child)
    .some(
      (one) =>
        extent.isWhole(one) &&
        extent.hasSamePlaces(one, parent) &&
        one.workspace.length === parent.workspace.length &&
        parent.workspace.every((path) => leadsThrough(key, one.workspace, path)) &&
        Object.entries(parent.subject).every(
          ([kind, paths]) =>
            !extent.isAbout(kind) || paths.every((path) => leadsThrough(key, one.subject[kind] ?? [], path)),
        ),
    );
}

/** One of the child's paths leads where the parent's does, for every row that refers by the key. */
const leadsThrough = (key: ForeignKey, paths: readonly Path[], parent: Path): boolean =>
  paths.some((path) => isTheColumnItself(key, path, parent) || joinsFirst(key, path, parent));

/** The parent's path ends in the columns that the key refers to, so the child holds the same values. */
const isTheColumnItself = ({ columns, targetColumns }: ForeignKey, path: Path, parent: Path): boolean =>
  path.join.length + parent.join.length === 0 &&
  isSame({ ...path, columns: [] }, { ...parent, columns: [] }) &&
  path.columns.length === parent.columns.length &&
  path.columns.every((column, n) => {
    const at = columns.indexOf(column);
    return at >= 0 && targetColumns[at] === parent.columns[n];
  });

/** The child's path goes to the parent by the key, and on as the parent's own. */
const joinsFirst = ({ target, columns, targetColumns }: ForeignKey, path: Path, parent: Path): boolean => {
  const [first, ...rest] = path.join;
  return (
    first !== undefined &&
    first.where === undefined &&
    qualified(first.table) === qualified(target) &&
    first.on.every(([from, to]) => columns.some((column, n) => column === from && targetColumns[n] === to)) &&
    isSame({ ...path, join: rest }, parent)
  );
};

const isSame = (one: Path, other: Path): boolean =>
  JSON.stringify(partsOf(one)) === JSON.stringify(partsOf(other));

const partsOf = ({ columns, join, json, array, as, where }: Path) => [columns, join, json, array, as, where];

/** Whether it follows from paths and keys alone that a row leads to whomever the row that it refers to does. */
import { type ForeignKey } from './catalogue.js';
import { type Path } from './map.js';
import { qualified } from './names.js';

/** One of the child's paths leads where the parent's does, for every row that refers by the key. */
export const leadsThrough = (key: ForeignKey, paths: readonly Path[], parent: Path): boolean =>
  // What a path leaves out by a condition of its own is nobody's by it. The parent's condition only leaves out more.
  paths.some(
    (path) =>
      path.where === undefined && (isTheColumnItself(key, path, parent) || joinsFirst(key, path, parent)),
  );

/** The parent's path ends in the columns that the key refers to, so the child holds the same values. */
const isTheColumnItself = ({ columns, targetColumns }: ForeignKey, path: Path, parent: Path): boolean =>
  path.join.length + parent.join.length === 0 &&
  isSame({ ...path, columns: [] }, { ...parent, columns: [] }) &&
  path.columns.length === parent.columns.length &&
  path.columns.every((column, n) => {
    const at = columns.indexOf(column);
    return at >= 0 && targetColumns[at] === parent.columns[n];
  });

/** The child's path goes to the parent by the key, or by a part of it, and on as the parent's own. */
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

const partsOf = ({ columns, join, json, array, as }: Path) => [columns, join, json, array, as];

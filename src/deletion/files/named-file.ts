import { changesOf, isDeleted } from '../../datamap/changes.js';
import { fileSql } from '../../datamap/file-names.js';
import { type Collection } from '../../datamap/map.js';

/** `[bucket, path]` of the file that row `t` names and that goes with it, else null. */
export function namedFile(collection: Collection): string {
  const { files } = collection;
  const goes = files && (isDeleted(collection) || files.path in changesOf(collection));
  return files && goes ? fileSql(files) : 'null::json';
}

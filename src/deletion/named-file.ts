import { changesOf, isDeleted } from '../datamap/changes.js';
import { type Collection } from '../datamap/map.js';
import { literal, quoted } from '../datamap/names.js';

type Files = NonNullable<Collection['files']>;

/** Text: the bucket of the file that row `t` names. */
export const bucketSql = ({ bucket }: Files): string =>
  'constant' in bucket ? literal(bucket.constant) : `t.${quoted(bucket.column)}::text`;

/** `[bucket, path]` of the file that row `t` names and that goes with it, else null. */
export function namedFile(collection: Collection): string {
  const { files } = collection;
  const goes = files && (isDeleted(collection) || files.path in changesOf(collection));
  if (!files || !goes) return 'null::json';
  const path = `t.${quoted(files.path)}::text`;
  return `case when ${path} is not null then json_build_array(${bucketSql(files)}, ${path}) end`;
}

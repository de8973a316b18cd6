/** The files that rows name, as SQL: in which bucket, and under which path in it. */
import { type Collection } from './map.js';
import { literal, quoted } from './names.js';

export type Files = NonNullable<Collection['files']>;

/**
 * So many leading slashes are no part of a path: many applications store `/a/b` for the object `a/b`, which is what their
 * storage client makes of it. What still begins with one, or holds `//`, `.` or `..`, names nothing that a bucket can hold.
 */
const MOST_SLASHES = 3;

/** Text: the bucket of the file that row `t` names. */
export const bucketSql = ({ bucket }: Files): string =>
  'constant' in bucket ? literal(bucket.constant) : `t.${quoted(bucket.column)}::text`;

/** Text: the path in its bucket of the file that row `t` names, null where it names none. */
export const pathSql = ({ path }: Files): string =>
  `regexp_replace(t.${quoted(path)}::text, '^/{1,${MOST_SLASHES}}', '')`;

/** JSON: `[bucket, path]` of the file that row `t` names, null where it names none, or no bucket. */
export function fileSql(files: Files): string {
  const [bucket, path] = [bucketSql(files), pathSql(files)];
  return `case when ${path} is not null and ${bucket} is not null then json_build_array(${bucket}, ${path}) end`;
}

/** Every way in which a row may write a path that `pathSql` gives: compared as stored, so that an index serves. */
export const spellingsOf = (path: string): string[] =>
  Array.from({ length: MOST_SLASHES + 1 }, (_, slashes) => '/'.repeat(slashes) + path);

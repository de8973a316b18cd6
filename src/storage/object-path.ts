import { DomainError } from '../errors.js';

const longest = { path: 1024, part: 255 };
const forbidden = /[\u0000-\u001f\u007f\\]/;

/** Whether it can only mean a place inside its bucket, in every driver alike. */
export const isObjectPath = (path: string): boolean =>
  isName(path) &&
  path
    .split('/')
    .every((part) => part !== '' && part !== '.' && part !== '..' && Buffer.byteLength(part) <= longest.part);

/** The path itself, if it is one; else `object.path_invalid`. It is not repeated in the error: a file's name can be personal. */
export function objectPath(path: string): string {
  if (!isObjectPath(path)) throw noPath();
  return path;
}

/**
 * A name that a storage without folders may hold, a path or not: `a//b`, `a/`, `a/../b`; else `object.path_invalid`. It must
 * never stand in an address, where everything on the way may make `a/b` of it.
 */
export function objectName(name: string): string {
  if (!isName(name)) throw noPath();
  return name;
}

const isName = (name: string): boolean =>
  name !== '' && name.isWellFormed() && !forbidden.test(name) && Buffer.byteLength(name) <= longest.path;

export const noPath = (): DomainError =>
  new DomainError('object.path_invalid', 'This is not a path inside a bucket.');

/** A folder to list: `''` (everything) or a path, with or without its closing slash. */
export function folderPath(prefix: string): string {
  const folder = prefix.replace(/\/$/, '');
  return folder === '' ? '' : objectPath(folder);
}

/** What a bucket may be called, the same rule as S3's and Supabase's, narrowed to what a folder may be called. */
export function bucketName(name: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(name)) {
    throw new DomainError(
      'storage.bucket_invalid',
      'A bucket is named with letters, digits, dots, dashes and underscores.',
    );
  }
  return name;
}

import { DomainError } from '../errors.js';

const longest = { path: 1024, part: 255 };
const forbidden = /[\u0000-\u001f\u007f\\]/;

/**
 * The path itself, if it can only mean a place inside its bucket, in every driver alike; else
 * `object.path_invalid`. The path is not repeated in the error: a file's name can be personal.
 */
export function objectPath(path: string): string {
  const parts = path.split('/');
  const sound =
    path.isWellFormed() &&
    !forbidden.test(path) &&
    Buffer.byteLength(path) <= longest.path &&
    parts.every(
      (part) => part !== '' && part !== '.' && part !== '..' && Buffer.byteLength(part) <= longest.part,
    );
  if (!sound) throw new DomainError('object.path_invalid', 'This is not a path inside a bucket.');
  return path;
}

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

import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DomainError } from '../errors.js';

/**
 * A 32-byte key of this installation: the one configured, else one made once and kept in `<home>/<name>.key`
 * (mode 0600). Production never gets here without a configured key; see config.ts.
 */
export function keyOf(home: string, name: string, configured?: Buffer): Buffer {
  if (configured) return configured;
  const file = join(home, `${name}.key`);
  try {
    // `wx`: of two processes that start at once, one makes the key and the other reads it.
    writeFileSync(file, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const key = Buffer.from(readFileSync(file, 'utf8').trim(), 'base64');
  if (key.length !== 32) throw new DomainError('config.invalid', `${file} does not hold 32 bytes in base64.`);
  return key;
}

import { join } from 'node:path';
import { type Config } from '../config.js';
import { keyOf } from '../keys/key-files.js';
import { LocalStores } from '../storage/local-store.js';
import { type ObjectStores } from '../storage/object-store.js';

/** Where objects are kept, as configured. */
export function openStores({ home, publicUrl }: Config): ObjectStores {
  return new LocalStores({ root: join(home, 'objects'), publicUrl, key: keyOf(home, 'downloads') });
}

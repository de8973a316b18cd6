import { join } from 'node:path';
import { type Config } from '../config.js';
import { keyOf } from '../keys/key-files.js';
import { LocalStores } from '../storage/local-store.js';
import { type ObjectStores } from '../storage/object-store.js';

/** Where objects are kept, as configured. */
export async function configuredStores(config: Config): Promise<ObjectStores> {
  const { supabaseUrl: url, serviceKey, s3AccessKey, s3Secret } = config.storage;
  if (!url || !serviceKey) return openStores(config);
  // Loaded only here: its clients take longer to load than everything else together.
  const { SupabaseStores } = await import('../storage/supabase-store.js');
  const s3 = s3AccessKey && s3Secret ? { accessKey: s3AccessKey, secret: s3Secret } : undefined;
  return new SupabaseStores({ url, serviceKey, ...(s3 && { s3 }) });
}

/** Folders under HABEAS_HOME, whatever is configured. */
export const openStores = ({ home, publicUrl }: Config): ObjectStores =>
  new LocalStores({ root: join(home, 'objects'), publicUrl, key: keyOf(home, 'downloads') });

import { expect, test } from '@jest/globals';
import { FileRemoval } from '../../src/deletion/files/removal.js';
import { SupabaseStores } from '../../src/storage/supabase-store.js';
import { StatedSupabase } from '../storage/stated-supabase.js';

test('in a storage that holds a//b beside a/b each goes by its own name, and a name without an object is no removal', async () => {
  const server = new StatedSupabase();
  try {
    const stores = new SupabaseStores({ url: await server.listen(), serviceKey: 'key' });
    for (const name of ['a//b', 'a/b', 'c/d', 'e/f', 'g']) server.names.add(name);
    const files = ['a//b', 'c//d', 'e//f', 'g', 'h//i', 'https://x.example/a'].map((path) => ({ path }));
    // What a client makes of c//d is somebody else's; e/f may well be what e//f means; h//i is nowhere; what lies on the web is to be
    // removed by somebody.
    const removed = await new FileRemoval(stores).from('papers', files, ({ path }) => path === 'c//d');
    expect(removed.gone.map(({ path }) => path)).toEqual(['a//b', 'g']);
    expect(removed.nowhere.map(({ path }) => path)).toEqual(['c//d', 'h//i']);
    expect([...server.names]).toEqual(['a/b', 'c/d', 'e/f']);
  } finally {
    await server.close();
  }
});

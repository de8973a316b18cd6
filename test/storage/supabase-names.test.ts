import { request } from 'node:http';
import { request as requestTls } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type ObjectStore } from '../../src/storage/object-store.js';
import { SupabaseStores } from '../../src/storage/supabase-store.js';
import { all } from './object-store.contract.js';
import { StatedSupabase } from './stated-supabase.js';

const { SUPABASE_URL: url, SUPABASE_SERVICE_KEY: serviceKey = '' } = process.env;
const bucket = 'habeas-contract';

interface Storage {
  store: ObjectStore;
  /** Puts an object there as others do, who write their own requests: over S3, by resumable uploads. */
  put: (name: string) => Promise<unknown>;
  close: () => Promise<unknown>;
}

async function stated(onTheWay?: (address: string) => string): Promise<Storage> {
  const server = new StatedSupabase(onTheWay);
  const store = new SupabaseStores({ url: await server.listen(), serviceKey: 'key' }).bucket(bucket);
  return { store, put: (name) => Promise.resolve(server.names.add(name)), close: () => server.close() };
}

async function real(): Promise<Storage> {
  const store = new SupabaseStores({ url: url ?? '', serviceKey }).bucket(bucket);
  await store.ready();
  return { store, put: upload, close: () => store.remove(['name/b', 'name']) };
}

/** Not by `fetch`, which resolves `..`. */
const upload = (name: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const { protocol, hostname, port } = new URL(url ?? '');
    const path = `/storage/v1/object/${bucket}/${name.split('/').map(encodeURIComponent).join('/')}`;
    const headers = { authorization: `Bearer ${serviceKey}`, apikey: serviceKey, 'x-upsert': 'true' };
    const send = protocol === 'https:' ? requestTls : request;
    send({ hostname, port, path, method: 'POST', headers }, (answer) => {
      answer.resume().once('end', () => {
        if (answer.statusCode === 200) resolve();
        else reject(new Error(`The storage said ${answer.statusCode}.`));
      });
    })
      .once('error', reject)
      .end(name);
  });

const invalid = { code: 'object.path_invalid' };
const notFound = { code: 'object.not_found' };

describe.each([['as stated', stated], ...(url ? ([['of the real server', real]] as const) : [])])(
  'an object of Supabase Storage whose name is no path, %s',
  (_, open) => {
    let storage: Storage;
    beforeAll(async () => {
      storage = await open();
    });
    afterAll(() => storage.close());
    beforeEach(async () => {
      for (const name of ['name', 'name/b']) await storage.put(name);
    });

    test.each(['name//b', 'name/', 'name///', 'name/_//b', 'name/./b', 'a/../name', 'name/..'])(
      'is found and removed as %j, and never another one',
      async (name) => {
        const { store } = storage;
        await expect(store.remove([name])).rejects.toMatchObject(invalid);
        await expect(store.get(name)).rejects.toMatchObject(invalid);
        expect(await store.stat(name)).toBeNull();

        await storage.put(name);
        expect(await store.stat(name)).toMatchObject({ path: name, bytes: name.length });
        await store.remove([name]);
        expect(await store.stat(name)).toBeNull();
        expect(await store.stat('name')).not.toBeNull();
        expect(await store.stat('name/b')).not.toBeNull();
      },
    );

    test.each(['name//b', 'name/'])('is read as %j', async (name) => {
      await storage.put(name);
      expect((await buffer(await storage.store.get(name))).toString()).toBe(name);
      expect((await buffer(await storage.store.get(name, { from: 1, to: 2 }))).length).toBeGreaterThan(1);
      await storage.store.remove([name]);
    });

    test.each(['name/./b', 'a/../name', '../habeas-contract/name'])(
      'is not read where its address resolves to another: %j',
      async (name) => {
        await storage.put(name);
        await expect(storage.store.get(name)).rejects.toMatchObject(notFound);
        await storage.store.remove([name]);
      },
    );

    test('keeps none of the objects beside it from going', async () => {
      for (const name of ['name/1', 'name//2']) await storage.put(name);
      await storage.store.remove(['name/1', 'name//2']);
      expect((await all(storage.store.list('name'))).map(({ path }) => path)).toEqual(['name/b']);
    });
  },
);

describe('a Supabase storage', () => {
  let storage: Storage;
  afterEach(() => storage.close());

  test('behind a proxy that merges slashes never hands out the object of the merged name', async () => {
    storage = await stated((address) => address.replace(/\/{2,}/g, '/'));
    const { store, put } = storage;
    for (const name of ['name/b', 'name//b']) await put(name);
    await expect(store.get('name//b')).rejects.toMatchObject(notFound);
    await store.remove(['name//b']);
    expect(await store.stat('name//b')).toBeNull();
    expect(await store.stat('name/b')).not.toBeNull();
  });

  test('lists a folder without those that only LIKE takes for it', async () => {
    storage = await stated();
    const { store, put } = storage;
    for (const name of ['a_b/1', 'axb/2']) await put(name);
    expect((await all(store.list('a_b'))).map(({ path }) => path)).toEqual(['a_b/1']);
  });
});

import { createServer, type RequestListener, type Server } from 'node:http';
import { randomBytes } from 'node:crypto';
import { type AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, test } from '@jest/globals';
import { StorageClient } from '@supabase/storage-js';
import { SupabaseStores } from '../../src/storage/supabase-store.js';
import { objectStoreContract, type StoreUnderTest } from './object-store.contract.js';

const {
  SUPABASE_URL: url,
  SUPABASE_SERVICE_KEY: serviceKey = '',
  SUPABASE_S3_ACCESS_KEY: accessKey,
  SUPABASE_S3_SECRET: secret,
} = process.env;

const openSupabase = (s3?: { accessKey: string; secret: string }) => (): Promise<StoreUnderTest> => {
  const admin = new StorageClient(`${url}/storage/v1`, {
    apikey: serviceKey,
    authorization: `Bearer ${serviceKey}`,
  });
  return Promise.resolve({
    stores: new SupabaseStores({ url: url ?? '', serviceKey, ...(s3 && { s3 }) }),
    fetch: async (address, headers = {}) => {
      const response = await fetch(address, { headers });
      return {
        status: response.status,
        body: Buffer.from(await response.arrayBuffer()),
        headers: response.headers,
      };
    },
    publicBucket: async () => {
      await admin.createBucket('habeas-contract-public', { public: true });
      return 'habeas-contract-public';
    },
    close: async () => {
      await admin.deleteBucket('habeas-contract-public');
    },
  });
};

// Against a real server wherever one is named; docs/storage.md says how.
if (url) {
  objectStoreContract('Supabase', openSupabase());
  if (accessKey && secret) objectStoreContract('Supabase (S3)', openSupabase({ accessKey, secret }));
}

describe('a Supabase storage that does not do its part', () => {
  let server: Server | undefined;
  const storage = async (answer: RequestListener, { s3 = false, patienceMs = 300 } = {}) => {
    server = createServer(answer);
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const options = {
      url: address,
      serviceKey: 'key',
      patienceMs,
      ...(s3 && { s3: { accessKey: 'a', secret: 'b' } }),
    };
    return new SupabaseStores(options).bucket('packages');
  };
  afterEach(async () => {
    server?.closeAllConnections();
    await new Promise((resolve) => server?.close(resolve) ?? resolve(null));
  });

  const large = () =>
    Readable.from(
      (function* () {
        for (let n = 0; n < 40; n += 1) yield randomBytes(1024 * 1024);
      })(),
      { objectMode: false },
    );
  const unavailable = { code: 'storage.unavailable' };
  const octets = { contentType: 'application/octet-stream' };
  const everything = async (store: Awaited<ReturnType<typeof storage>>, source = large): Promise<void> => {
    const sources = [Readable.from(['small']), source()];
    for (const body of sources) await expect(store.put('a', body, octets)).rejects.toMatchObject(unavailable);
    expect(sources.every((body) => body.destroyed)).toBe(true);
    await expect(store.get('a')).rejects.toMatchObject(unavailable);
    await expect(store.stat('a')).rejects.toMatchObject(unavailable);
    await expect(store.remove(['a'])).rejects.toMatchObject(unavailable);
    await expect(store.signedUrl('a', { expiresInSeconds: 1 })).rejects.toMatchObject(unavailable);
    await expect(store.ready()).rejects.toMatchObject(unavailable);
    await expect(store.list('')[Symbol.asyncIterator]().next()).rejects.toMatchObject(unavailable);
  };

  // Version 1.26 says so in `error`; a name that is refused must not pass for a storage that is down.
  test.each(['code', 'error'])('holds nothing under a name that it refuses, as %s says', async (word) => {
    const asked: string[] = [];
    const store = await storage((request, response) => {
      asked.push(request.url ?? '');
      request.resume().on('end', () => {
        response.writeHead(400, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ statusCode: '400', [word]: 'InvalidKey', message: 'Invalid key' }));
      });
    });
    const name = 'années/avis n°1?#2;3.pdf';
    expect(await store.stat(name)).toBeNull();
    await expect(store.get(name)).rejects.toMatchObject({ code: 'object.not_found' });
    await expect(store.put(name, Readable.from(['x']), octets)).rejects.toMatchObject({
      code: 'object.path_invalid',
    });
    const inAddress = 'ann%C3%A9es/avis%20n%C2%B01%3F%232%3B3.pdf';
    expect(asked).toHaveLength(3);
    for (const address of asked) expect(address.endsWith(`/packages/${inAddress}`)).toBe(true);
  });

  test('is an error when it takes a request and never answers', async () => {
    await everything(await storage(() => undefined));
  });

  test('is an error when it never answers to parts', async () => {
    const store = await storage(() => undefined, { s3: true });
    await expect(store.put('a', large(), octets)).rejects.toMatchObject(unavailable);
  });

  test('is an error when it answers 500', async () => {
    await everything(
      await storage((request, response) => {
        request.resume();
        response.writeHead(500).end('oops');
      }),
    );
  });

  test('is an error when it hangs up', async () => {
    await everything(await storage((request) => request.socket.destroy()));
  });

  test('is an error when it stops in the middle of an answer', async () => {
    const store = await storage((_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('begun');
    });
    const read = async () => {
      for await (const _ of await store.get('a')) {
        /* until it stops */
      }
    };
    await expect(read()).rejects.toMatchObject(unavailable);
  });

  test('is given time by a source that is slow itself', async () => {
    const answer: RequestListener = (request, response) => {
      request
        .resume()
        .once('end', () =>
          response
            .writeHead(200, { 'content-type': 'application/json' })
            .end('{"Id":"1","Key":"packages/a"}'),
        );
    };
    // The storage itself, in this process, must not look stuck while other tests take the cores.
    const store = await storage(answer, { patienceMs: 2000 });
    const slow = Readable.from(
      (async function* () {
        yield randomBytes(7 * 1024 * 1024);
        await new Promise((resolve) => setTimeout(resolve, 3000));
        yield randomBytes(10);
      })(),
      { objectMode: false },
    );
    expect(await store.put('a', slow, octets)).toEqual({ bytes: 7 * 1024 * 1024 + 10 });
  });
});

import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { LocalStores } from '../../src/storage/local-store.js';
import { serveObject } from '../../src/storage/serve-object.js';
import { verifySignedPath } from '../../src/storage/signed-path.js';
import { objectStoreContract, type StoreUnderTest } from './object-store.contract.js';

const key = randomBytes(32);
const binary = { contentType: 'application/octet-stream' };

/** The local store behind a real HTTP server that answers signed addresses as the application does. */
async function openLocal(): Promise<StoreUnderTest> {
  const root = await mkdtemp(join(tmpdir(), 'habeas-objects-'));
  const server = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      const granted = verifySignedPath(key, request.url ?? '', new Date());
      const { status, headers, stream } = await serveObject(stores.bucket(granted.bucket), granted.path, {
        range: request.headers.range,
        downloadAs: granted.downloadAs,
      });
      response.writeHead(status, headers);
      if (stream) stream.pipe(response);
      else response.end();
    };
    answer().catch(() => response.writeHead(404).end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stores = new LocalStores({
    root,
    key,
    publicUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  });
  return {
    stores,
    fetch: async (url, headers = {}) => {
      const response = await fetch(url, { headers });
      return {
        status: response.status,
        body: Buffer.from(await response.arrayBuffer()),
        headers: response.headers,
      };
    },
    publicBucket: async () => {
      await mkdir(join(root, 'open-to-all'), { mode: 0o755 });
      await chmod(join(root, 'open-to-all'), 0o755);
      return 'open-to-all';
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(root, { recursive: true });
    },
  };
}

objectStoreContract('local', openLocal);

describe('the local object store, on disk', () => {
  let root: string;
  let stores: LocalStores;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'habeas-objects-'));
    stores = new LocalStores({ root, key, publicUrl: 'http://habeas.test' });
    await stores.bucket('disk').ready();
  });
  afterAll(() => rm(root, { recursive: true }));

  test('nobody else on the machine can read an object or a folder', async () => {
    await stores.bucket('disk').put('a/b', Readable.from(['x']), binary);
    const modes = await Promise.all(
      ['disk', 'disk/a', 'disk/a/b', '.incoming'].map((path) => stat(join(root, path))),
    );
    expect(modes.map(({ mode }) => (mode & 0o777).toString(8))).toEqual(['700', '700', '600', '700']);
  });

  test('an upload leaves no temporary file, whether it succeeds or fails', async () => {
    const failing = Readable.from(
      (async function* () {
        yield 'x';
        await Promise.resolve();
        throw new Error('broke');
      })(),
    );
    await expect(stores.bucket('disk').put('failing', failing, binary)).rejects.toThrow('broke');
    await stores.bucket('disk').put('fine', Readable.from(['x']), binary);
    expect(await readdir(join(root, '.incoming'))).toEqual([]);
  });

  test('what a killed process left half-written is dropped a day later', async () => {
    const [old, young] = [join(root, '.incoming', 'old'), join(root, '.incoming', 'young')];
    await writeFile(old, 'x');
    await writeFile(young, 'x');
    await utimes(old, new Date(0), new Date(0));
    await stores.bucket('disk').ready();
    expect(await readdir(join(root, '.incoming'))).toEqual(['young']);
    await rm(young);
  });

  test('empty folders go with their last object', async () => {
    await stores.bucket('disk').put('deep/er/object', Readable.from(['x']), binary);
    await stores.bucket('disk').remove(['deep/er/object']);
    expect(await readdir(join(root, 'disk'))).not.toContain('deep');
  });

  test('a symbolic link placed in the folder leads nowhere', async () => {
    await writeFile(join(root, 'secret'), 'not yours');
    await symlink(join(root, 'secret'), join(root, 'disk', 'link'));
    await expect(stores.bucket('disk').get('link')).rejects.toMatchObject({ code: 'object.not_found' });
  });

  test.each(['', '..', '.incoming', 'a/b', 'a b'])('no bucket is called %j', (name) => {
    expect(() => stores.bucket(name)).toThrow(expect.objectContaining({ code: 'storage.bucket_invalid' }));
  });
});

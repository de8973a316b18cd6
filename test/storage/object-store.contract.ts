import { randomBytes, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type ObjectStore, type ObjectStores, type StoredObject } from '../../src/storage/object-store.js';

export interface StoreUnderTest {
  stores: ObjectStores;
  /** Downloads a signed address as a stranger would: status and body. */
  fetch(
    url: string,
    headers?: Record<string, string>,
  ): Promise<{ status: number; body: Buffer; headers: Headers }>;
  /** Makes a public bucket behind the driver's back and returns its name. */
  publicBucket(): Promise<string>;
  close(): Promise<void>;
}

const binary = { contentType: 'application/octet-stream' };

/** What every driver promises. Runs in folders of its own, so that it can run against a server in use. */
export function objectStoreContract(driver: string, open: () => Promise<StoreUnderTest>): void {
  describe(`the ${driver} object store`, () => {
    let subject: StoreUnderTest;
    let store: ObjectStore;
    const folder = `contract-${randomUUID()}`;
    const at = (name: string): string => `${folder}/${name}`;
    const put = (name: string, content: string | Buffer) =>
      store.put(at(name), Readable.from([Buffer.from(content)]), binary);
    const listed = async (prefix: string): Promise<string[]> =>
      (await all(store.list(prefix))).map((object) => object.path).sort();

    beforeAll(async () => {
      subject = await open();
      store = subject.stores.bucket('habeas-contract');
      await store.ready();
    });

    afterAll(async () => {
      await store.remove((await all(store.list(folder))).map((object) => object.path));
      await subject.close();
    });

    test('gives back what was put, byte for byte, and says how much it is', async () => {
      const content = randomBytes(3_000_000);
      const source = Readable.from([
        content.subarray(0, 10),
        content.subarray(10, 2_000_000),
        content.subarray(2_000_000),
      ]);
      expect(await store.put(at('a/b.bin'), source, binary)).toEqual({ bytes: content.length });
      expect((await buffer(await store.get(at('a/b.bin')))).equals(content)).toBe(true);
      expect(await store.stat(at('a/b.bin'))).toMatchObject({ path: at('a/b.bin'), bytes: content.length });
      expect(
        Math.abs(((await store.stat(at('a/b.bin')))?.modifiedAt.getTime() ?? 0) - Date.now()),
      ).toBeLessThan(60_000);
    });

    test('stores many megabytes of unknown size', async () => {
      const block = randomBytes(1024 * 1024);
      const source = Readable.from(
        (function* () {
          for (let n = 0; n < 20; n += 1) yield block;
        })(),
        { objectMode: false },
      );
      expect(await store.put(at('large.bin'), source, binary)).toEqual({ bytes: 20 * block.length });
      expect((await store.stat(at('large.bin')))?.bytes).toBe(20 * block.length);
      const tail = await buffer(
        await store.get(at('large.bin'), { from: 19 * block.length, to: 20 * block.length - 1 }),
      );
      expect(tail.equals(block)).toBe(true);
    });

    test('stores an empty object', async () => {
      expect(await put('empty', '')).toEqual({ bytes: 0 });
      expect((await buffer(await store.get(at('empty')))).length).toBe(0);
    });

    test('replaces an object of the same name', async () => {
      await put('same', 'first, and longer');
      await put('same', 'second');
      expect((await buffer(await store.get(at('same')))).toString()).toBe('second');
      expect((await store.stat(at('same')))?.bytes).toBe(6);
    });

    test('reads a part, both ends included', async () => {
      await put('part', '0123456789');
      expect((await buffer(await store.get(at('part'), { from: 2, to: 4 }))).toString()).toBe('234');
      expect((await buffer(await store.get(at('part'), { from: 9, to: 9 }))).toString()).toBe('9');
    });

    test('keeps names with spaces, brackets and signs apart', async () => {
      const everywhere = [
        "it's (1) & more, really; yes.txt",
        'a+b=c@d.txt',
        'a b',
        'a;b',
        'a?b',
        'a?download=b',
      ];
      const names =
        driver === 'local' ? [...everywhere, 'a%20b', 'a%2Fb', 'a#b', 'é', 'e\u0301'] : everywhere;
      for (const name of names) await put(`names/${name}`, name);
      expect(await listed(at('names'))).toEqual(names.map((name) => at(`names/${name}`)).sort());
      for (const name of names) {
        const path = at(`names/${name}`);
        expect((await buffer(await store.get(path))).toString()).toBe(name);
        expect(await store.stat(path)).toMatchObject({ path, bytes: Buffer.byteLength(name) });
        const signed = await subject.fetch(await store.signedUrl(path, { expiresInSeconds: 60 }));
        expect([signed.status, signed.body.toString()]).toEqual([200, name]);
      }
      await store.remove(names.slice(1).map((name) => at(`names/${name}`)));
      expect(await listed(at('names'))).toEqual([at(`names/${names[0]}`)]);
    });

    // Whoever erases asks for exactly one object: no name may ever mean another one.
    test.each(['#b', '?b', ';b', '%2Fb', '%00', 'é', ' ', '?'])(
      'a name that goes on with %j is never the object without it',
      async (more) => {
        await put('cut', 'stays');
        const other = at(`cut${more}`);
        expect(await store.stat(other)).toBeNull();
        await expect(store.get(other)).rejects.toMatchObject({ code: 'object.not_found' });
        const signed = await store.signedUrl(other, { expiresInSeconds: 60 }).then(
          async (url) => (await subject.fetch(url)).status,
          (error: unknown) => (error as { code?: string }).code,
        );
        expect([404, 'object.not_found']).toContain(signed);
        await store.remove([other]);
        expect((await buffer(await store.get(at('cut')))).toString()).toBe('stays');
      },
    );

    test('says that there is no such object, and that a folder is none', async () => {
      await put('folder/object', 'x');
      for (const missing of [at('nothing'), at('folder'), at('folder/object/below')]) {
        expect(await store.stat(missing)).toBeNull();
        await expect(store.get(missing)).rejects.toMatchObject({ code: 'object.not_found' });
      }
    });

    test('lists more objects than one page holds, below the folder only', async () => {
      const names = Array.from({ length: 230 }, (_, n) => `pages/${n % 3}/${n}`);
      for (let n = 0; n < names.length; n += 10)
        await Promise.all(names.slice(n, n + 10).map((name) => put(name, name)));
      await put('pages-other', 'x');
      expect(await listed(at('pages'))).toEqual(names.map(at).sort());
      expect(await listed(at('pages/1'))).toEqual(
        names
          .filter((name) => name.startsWith('pages/1/'))
          .map(at)
          .sort(),
      );
      expect(await listed(at('nowhere'))).toEqual([]);
      expect(
        (await all(store.list(at('pages/0')))).find((object) => object.path === at('pages/0/0'))?.bytes,
      ).toBe('pages/0/0'.length);
    });

    test('takes no character of a folder for any other', async () => {
      const folders = ['a_b', 'axb', 'a_', 'a__b'];
      for (const name of folders) await put(`alike/${name}/object`, 'x');
      for (const name of folders)
        expect(await listed(at(`alike/${name}`))).toEqual([at(`alike/${name}/object`)]);
    });

    test('removes exactly what is named, however many, and again without complaint', async () => {
      const names = Array.from({ length: 130 }, (_, n) => `gone/${n}`);
      for (let n = 0; n < names.length; n += 10)
        await Promise.all(names.slice(n, n + 10).map((name) => put(name, name)));
      await put('gone/1-kept', 'x');
      await store.remove(names.map(at));
      await store.remove(names.map(at));
      expect(await listed(at('gone'))).toEqual([at('gone/1-kept')]);
      await store.remove([at('gone')]);
      expect(await listed(at('gone'))).toEqual([at('gone/1-kept')]);
    });

    test('forgets an upload whose source fails, and passes the error on', async () => {
      const failing = Readable.from(
        (async function* () {
          for (let n = 0; n < 12; n += 1) yield randomBytes(1_000_000);
          await turn();
          throw new Error('the source broke');
        })(),
      );
      await expect(store.put(at('half/source'), failing, binary)).rejects.toThrow('the source broke');
      expect(await listed(at('half'))).toEqual([]);
      expect(await store.stat(at('half/source'))).toBeNull();
    });

    test('forgets an upload that is aborted, though its source never ends, and lets go of the source', async () => {
      const abort = new AbortController();
      let pushed = 0;
      const endless = new Readable({
        read() {
          setTimeout(() => this.push(randomBytes(65_536)), 1);
          // More than what any store keeps back before it begins to write: it is under way.
          if (++pushed === 200) abort.abort(new Error('changed our mind'));
        },
      });
      const closed = new Promise((resolve) => endless.once('close', resolve));
      await expect(
        store.put(at('half/aborted'), endless, { ...binary, signal: abort.signal }),
      ).rejects.toThrow('changed our mind');
      await closed;
      expect(await listed(at('half'))).toEqual([]);
    });

    test('keeps the old object when replacing it fails', async () => {
      await put('old', 'the old one');
      const failing = Readable.from(
        (async function* () {
          for (let n = 0; n < 12; n += 1) yield randomBytes(1_000_000);
          await turn();
          throw new Error('broke');
        })(),
      );
      await expect(store.put(at('old'), failing, binary)).rejects.toThrow('broke');
      expect((await buffer(await store.get(at('old')))).toString()).toBe('the old one');
    });

    test.each([
      '../x',
      'a/../../x',
      '/x',
      'x/',
      'a//b',
      '.',
      '',
      'a/./b',
      'a\\..\\b',
      'nul\0',
      'line\nbreak',
      'x'.repeat(300),
    ])('refuses the path %j everywhere', async (path) => {
      const refused = { code: 'object.path_invalid' };
      await expect(store.put(path, Readable.from(['x']), binary)).rejects.toMatchObject(refused);
      await expect(store.get(path)).rejects.toMatchObject(refused);
      // A storage without folders may hold all but these, and says that it does not: see supabase-names.test.ts.
      const nowhere = /^$|[\\\0\n]/.test(path);
      const found = await store.stat(path).catch((error: unknown) => (error as { code?: string }).code);
      expect(found).toBe(driver === 'local' || nowhere ? refused.code : null);
      await expect(store.remove([path])).rejects.toMatchObject(refused);
      await expect(store.signedUrl(path, { expiresInSeconds: 60 })).rejects.toMatchObject(refused);
    });

    test('hands out an address that needs nothing else, in parts too, under a name of our choice', async () => {
      await put('signed/pack age.zip', '0123456789');
      const url = await store.signedUrl(at('signed/pack age.zip'), {
        expiresInSeconds: 60,
        downloadAs: 'Your data, “é”.zip',
      });
      const whole = await subject.fetch(url);
      expect([whole.status, whole.body.toString()]).toEqual([200, '0123456789']);
      expect(whole.headers.get('content-disposition')).toContain(
        "filename*=UTF-8''Your%20data%2C%20%E2%80%9C%C3%A9%E2%80%9D.zip",
      );
      const part = await subject.fetch(url, { range: 'bytes=3-5' });
      expect([part.status, part.body.toString(), part.headers.get('content-range')]).toEqual([
        206,
        '345',
        'bytes 3-5/10',
      ]);
    });

    test('an address stops working when it expires, when it is altered, and when the object is removed', async () => {
      await put('signed/short', 'x');
      const short = await store.signedUrl(at('signed/short'), { expiresInSeconds: 1 });
      const long = await store.signedUrl(at('signed/short'), { expiresInSeconds: 60 });
      expect((await subject.fetch(long)).status).toBe(200);
      expect((await subject.fetch(long.replace('short', 'other'))).status).toBeGreaterThanOrEqual(400);
      await until(async () => (await subject.fetch(short)).status >= 400);
      await store.remove([at('signed/short')]);
      expect((await subject.fetch(long)).status).toBeGreaterThanOrEqual(400);
    });

    test('is ready again and again, and refuses a public bucket', async () => {
      await store.ready();
      await store.ready();
      await expect(subject.stores.bucket(await subject.publicBucket()).ready()).rejects.toMatchObject({
        code: 'storage.bucket_public',
      });
    });

    test('keeps buckets apart', async () => {
      const other = subject.stores.bucket('habeas-contract-other');
      await other.ready();
      await put('apart', 'x');
      expect(await other.stat(at('apart'))).toBeNull();
    });
  });
}

export async function all(objects: AsyncIterable<StoredObject>): Promise<StoredObject[]> {
  const found: StoredObject[] = [];
  for await (const object of objects) found.push(object);
  return found;
}

/** Polls a condition, at most 10 seconds. */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  const limit = Date.now() + 10_000;
  while (!(await condition())) {
    if (Date.now() > limit) throw new Error('it never came true');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

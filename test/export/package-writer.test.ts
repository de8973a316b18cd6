import { createHash, randomBytes } from 'node:crypto';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { rowsAsArray } from '../../src/export/package-writer-blocks.js';
import { type PackageWriter, type WrittenFile, writePackage } from '../../src/export/package-writer.js';
import { LocalStores } from '../../src/storage/local-store.js';
import { type ObjectStore } from '../../src/storage/object-store.js';
import { readZip } from './package-writer.reading.js';

const at = new Date('2026-11-20T10:11:12Z');
const sha256 = (content: Buffer | string): string => createHash('sha256').update(content).digest('hex');
const lines = (...rows: unknown[]): Readable =>
  Readable.from(
    rows.map((row) => Buffer.from(`${JSON.stringify(row)},\n`)),
    { objectMode: false },
  );

describe('a package', () => {
  let root: string;
  let store: ObjectStore;
  let written = 0;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'habeas-package-'));
    store = new LocalStores({ root, key: randomBytes(32), publicUrl: 'http://habeas.test' }).bucket(
      'packages',
    );
    await store.ready();
  });
  afterAll(() => rm(root, { recursive: true }));

  const packed = async <T>(
    fill: (files: PackageWriter) => Promise<T>,
  ): Promise<{ file: string; bytes: number; result: T }> => {
    const path = `package-${(written += 1)}.zip`;
    return { file: join(root, 'packages', path), ...(await writePackage(store, path, { at }, fill)) };
  };

  test('holds rows as a JSON array of one row a line, and says how many, how large and which', async () => {
    const rows = [
      { id: 1, text: 'plain' },
      { id: 2, text: 'quotes " \\ and\nnewline, 🕊️ مرحبا' },
      { id: 3, text: '],\n[' },
    ];
    const { file, result } = await packed((files) => files.rows('data/messages.json', lines(...rows)));
    const content = `[\n${rows.map((row) => JSON.stringify(row)).join(',\n')}\n]\n`;
    expect((await readZip(file)).get('data/messages.json')?.toString()).toBe(content);
    expect(result).toEqual({
      name: 'data/messages.json',
      rows: 3,
      bytes: Buffer.byteLength(content),
      sha256: sha256(content),
    });
  });

  test('holds an empty array where there are no rows', async () => {
    const { file, result } = await packed((files) => files.rows('data/none.json', lines()));
    expect((await readZip(file)).get('data/none.json')?.toString()).toBe('[]\n');
    expect(result).toMatchObject({ rows: 0, bytes: 3, sha256: sha256('[]\n') });
  });

  test('frames rows alike however the source cuts them', async () => {
    const rows = fc.array(fc.string({ maxLength: 5 }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(rows, fc.array(fc.integer({ min: 1, max: 4 })), async (values, cuts) => {
        const whole = Buffer.from(values.map((value) => `${JSON.stringify(value)},\n`).join(''));
        const counted = { rows: 0 };
        const framed = await collect(rowsAsArray(pieces(whole, cuts), counted));
        expect(JSON.parse(framed.toString())).toEqual(values);
        expect(framed.toString().split('\n').length - 1).toBe(values.length === 0 ? 1 : values.length + 2);
        expect(counted.rows).toBe(values.length);
      }),
    );
  });

  test('keeps the first rows of each data file for the page', async () => {
    const rows = Array.from({ length: 2000 }, (_, id) => ({ id, text: 'é'.repeat(100) }));
    const { result } = await packed(async (files) => {
      await files.rows('data/many.json', lines(...rows));
      await files.rows('data/two.json', lines({ id: 1 }, { id: 2 }));
      await files.rows('data/none.json', lines());
      await files.rows('data/long.json', lines({ text: 'x'.repeat(1_000_000) }));
      return files.samples;
    });
    expect([...result]).toEqual([
      ['data/many.json', rows.slice(0, 5)],
      ['data/two.json', [{ id: 1 }, { id: 2 }]],
      ['data/none.json', []],
      ['data/long.json', []],
    ]);
  });

  test('is refused where the source does not end with a whole row', async () => {
    for (const rows of ['{"id":1}', '{"id":1}\n', '{"id":1},', ',']) {
      await expect(
        packed((files) => files.rows('data/x.json', Readable.from([Buffer.from(rows)]))),
      ).rejects.toMatchObject({
        code: 'export.rows_malformed',
      });
    }
  });

  test('carries every kind of file byte for byte, over many blocks', async () => {
    const contents: [string, Buffer][] = [
      ['files/photo.jpg', randomBytes(3_000_001)],
      ['files/sealed.txt', Buffer.from(randomBytes(1_500_000).toString('hex'))],
      ['files/repeating.txt', Buffer.alloc(5_000_000, 'the same words again and again. ')],
      ['files/exactly-one-block', randomBytes(512 * 1024)],
      ['files/empty', Buffer.alloc(0)],
      ['files/日本語 – عربى – é 🕊️.txt', Buffer.from('named in UTF-8')],
    ];
    const { file, bytes, result } = await packed(async (files) => {
      const all: WrittenFile[] = [];
      for (const [name, content] of contents)
        all.push(await files.file(name, Readable.from(pieces(content, [70_000]), { objectMode: false })));
      return all;
    });
    const entries = await readZip(file);
    expect([...entries.keys()]).toEqual(contents.map(([name]) => name));
    for (const [name, content] of contents) {
      expect(entries.get(name)?.equals(content)).toBe(true);
      expect(result.find((one) => one.name === name)).toEqual({
        name,
        bytes: content.length,
        sha256: sha256(content),
      });
    }
    expect((await store.stat(file.slice(file.lastIndexOf('/') + 1)))?.bytes).toBe(bytes);
    expect(bytes).toBeLessThan(3_000_001 + 0.6 * 3_000_000 + 600_000 + 20_000);
  });

  test('is the same file for the same data', async () => {
    const once = await packed((files) => files.rows('data/x.json', lines({ id: 1 }, { id: 2 })));
    const again = await packed((files) => files.rows('data/x.json', lines({ id: 1 }, { id: 2 })));
    expect(sha256(await collect(await store.get(basename(once.file))))).toBe(
      sha256(await collect(await store.get(basename(again.file)))),
    );
  });

  test('is accepted by Info-ZIP and by Python, where they are installed', async () => {
    const { file } = await packed(async (files) => {
      await files.rows('data/x.json', lines({ id: 1 }));
      await files.text('index.html', '<!doctype html>');
      await files.file('files/é.bin', Readable.from([randomBytes(2_000_000)]));
    });
    for (const [command, ...args] of [
      ['unzip', '-tq', file],
      ['python3', '-m', 'zipfile', '-t', file],
      ['zip', '-T', file],
    ] as const) {
      await promisify(execFile)(command, args).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      });
    }
  });

  test('has room for more than 65,535 files', async () => {
    const count = 66_000;
    const { file } = await packed(async (files) => {
      for (let n = 0; n < count; n += 1) await files.text(`files/${n}`, `${n}`);
    });
    const entries = await readZip(file, (name) => name === 'files/65999');
    expect(entries.size).toBe(count);
    expect(entries.get('files/65999')?.toString()).toBe('65999');
  }, 120_000);

  test('refuses names that lead out of it', async () => {
    for (const name of ['../x', '/x', 'a/../b', 'a\\b', '']) {
      await expect(packed((files) => files.text(name, 'x'))).rejects.toMatchObject({
        code: 'object.path_invalid',
      });
    }
  });

  test('refuses two files at once', async () => {
    const both = packed((files) => Promise.all([files.text('a', 'x'), files.text('b', 'x')]));
    await expect(both).rejects.toMatchObject({ code: 'export.files_overlap' });
  });

  describe('that fails', () => {
    const nothingListed = async (): Promise<void> => {
      const names: string[] = [];
      for await (const object of store.list('failed')) names.push(object.path);
      expect(names).toEqual([]);
      expect(await readdir(join(root, '.incoming'))).toEqual([]);
    };
    const attempt = (fill: (files: PackageWriter) => Promise<unknown>, signal?: AbortSignal) =>
      writePackage(store, 'failed/package.zip', { at, ...(signal && { signal }) }, fill);

    test('for its source leaves nothing, and says what the source said', async () => {
      const failing = Readable.from(
        (async function* () {
          yield randomBytes(1_000_000);
          await turn();
          throw new Error('the connection broke');
        })(),
      );
      await expect(attempt((files) => files.rows('data/x.json', failing))).rejects.toThrow(
        'the connection broke',
      );
      await nothingListed();
    });

    test('for its builder leaves nothing', async () => {
      await expect(
        attempt(async (files) => {
          await files.text('a', 'x');
          throw new Error('changed its mind');
        }),
      ).rejects.toThrow('changed its mind');
      await nothingListed();
    });

    test('for its signal lets go of a source that has nothing to say', async () => {
      const abort = new AbortController();
      const silent = new Readable({
        // Asked for the first time, so it is being read.
        read: () => void setImmediate(() => abort.abort(new Error('told to stop'))),
      });
      const closed = new Promise((resolve) => silent.once('close', resolve).once('error', () => undefined));
      await expect(attempt((files) => files.rows('data/x.json', silent), abort.signal)).rejects.toThrow(
        'told to stop',
      );
      await closed;
      await nothingListed();
    });

    test('for the store stops an endless source, and says what the store said', async () => {
      const endless = new Readable({
        read() {
          this.push(randomBytes(100_000));
        },
      });
      const full: ObjectStore = Object.assign(Object.create(store) as ObjectStore, {
        put: async (_: string, source: Readable) => {
          for await (const _chunk of source) break;
          throw new Error('the disk is full');
        },
      });
      const failed = writePackage(full, 'failed/package.zip', { at }, (files) =>
        files.file('files/x', endless),
      );
      await expect(failed).rejects.toThrow('the disk is full');
      expect(endless.destroyed).toBe(true);
    });
  });
});

const basename = (file: string): string => file.slice(file.lastIndexOf('/') + 1);

async function collect(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

/** Cuts a buffer at the given lengths, in turn. */
async function* pieces(whole: Buffer, lengths: number[]): AsyncGenerator<Buffer> {
  for (let at = 0, n = 0; at < whole.length; n += 1) {
    const length = lengths[n % lengths.length] ?? whole.length;
    yield whole.subarray(at, at + length);
    at += length;
    await Promise.resolve();
  }
}

import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { writePackage } from '../../src/export/package-writer.js';
import { LocalStores } from '../../src/storage/local-store.js';
import { readZip } from './package-writer.reading.js';

const GiB = 1024 ** 3;

/** `bytes` bytes, in repeats of one block that deflate either shrinks to nothing or not at all. */
function endless(block: Buffer, bytes: number): Readable {
  function* blocks() {
    for (let left = bytes; left > 0; left -= block.length)
      yield block.subarray(0, Math.min(left, block.length));
  }
  return Readable.from(blocks(), { objectMode: false, highWaterMark: 1 });
}

describe('a very large package', () => {
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'habeas-large-'));
  });
  afterAll(() => rm(root, { recursive: true }));

  test('has room for files over 4 GiB, compressed or not, and for more behind them', async () => {
    const store = new LocalStores({ root, key: randomBytes(32), publicUrl: 'http://habeas.test' }).bucket(
      'packages',
    );
    await store.ready();
    const [zeros, noise] = [Buffer.alloc(1024 * 1024), randomBytes(1024 * 1024)];
    const { result } = await writePackage(store, 'large.zip', { at: new Date() }, async (files) => [
      await files.file('files/zeros', endless(zeros, 4.5 * GiB)),
      await files.file('files/noise', endless(noise, 4.25 * GiB)),
      await files.text('files/behind', 'still found'),
    ]);
    expect(result.map(({ bytes }) => bytes)).toEqual([4.5 * GiB, 4.25 * GiB, 11]);
    const expected = createHash('sha256');
    for (let n = 0; n < 4.5 * 1024; n += 1) expected.update(zeros);
    expect(result[0]?.sha256).toBe(expected.digest('hex'));

    const file = join(root, 'packages', 'large.zip');
    const entries = await readZip(file, (name) => name === 'files/behind');
    expect([...entries.keys()]).toEqual(['files/zeros', 'files/noise', 'files/behind']);
    expect(entries.get('files/behind')?.toString()).toBe('still found');
    for (const [command, ...args] of [
      ['unzip', '-tq', file],
      ['python3', '-m', 'zipfile', '-t', file],
    ] as const) {
      await promisify(execFile)(command, args).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      });
    }
  }, 600_000);
});

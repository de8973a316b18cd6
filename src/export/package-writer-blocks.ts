import { DomainError } from '../errors.js';
import { release } from '../database/released.js';
import { blockBytes } from './zip-deflate.js';

const newline = 0x0a;
const opening = Buffer.from('[\n');
const closing = Buffer.from('\n]\n');
const nothing = Buffer.from('[]\n');
const lineEnd = Buffer.from(',\n');
const tailBytes = lineEnd.length;

/**
 * The same bytes in large blocks: the database hands over 64 KB at a time, and hashing, counting,
 * compressing and writing each cost the less the fewer pieces there are.
 */
export async function* blocksOf(
  source: AsyncIterable<Buffer | string> | Iterable<Buffer>,
): AsyncGenerator<Buffer> {
  let block = Buffer.alloc(0);
  let filled = 0;
  for await (const piece of source) {
    const chunk = typeof piece === 'string' ? Buffer.from(piece) : piece;
    for (let taken = 0; taken < chunk.length;) {
      if (filled === block.length) block = grown(block, chunk.length - taken);
      const part = chunk.copy(block, filled, taken);
      filled += part;
      taken += part;
      if (filled < blockBytes) continue;
      yield block;
      block = Buffer.allocUnsafeSlow(blockBytes);
      filled = 0;
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
}

/** Small files get small blocks: a package may hold very many of them. */
function grown(block: Buffer<ArrayBuffer>, wanted: number): Buffer<ArrayBuffer> {
  const size = Math.min(blockBytes, Math.max(block.length * 4, wanted));
  const larger = Buffer.allocUnsafeSlow(size);
  block.copy(larger);
  return larger;
}

/** Gives each chunk's memory back as soon as the next one is asked for; for readers that keep none. */
export async function* releasing(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    yield chunk;
    release(chunk);
  }
}

/** Frames lines `<json>,\n` as one JSON array and counts them; the very last comma goes. */
export async function* rowsAsArray(
  source: AsyncIterable<Buffer>,
  counted: { rows: number },
): AsyncGenerator<Buffer> {
  // Which comma is the last shows only when the source ends.
  let held: Buffer = Buffer.alloc(0);
  for await (const chunk of source) {
    if (counted.rows === 0 && held.length === 0) yield opening;
    counted.rows += newlinesIn(chunk);
    const known = chunk.length < tailBytes ? Buffer.concat([held, chunk]) : chunk;
    if (known === chunk) yield held;
    const cut = Math.max(0, known.length - tailBytes);
    // A copy: the source may give the chunk's memory back once the next one is asked for.
    held = Buffer.from(known.subarray(cut));
    yield known.subarray(0, cut);
  }
  if (held.length > 0 && !held.equals(lineEnd)) throw malformed();
  yield held.length > 0 ? closing : nothing;
}

const malformed = (): DomainError =>
  new DomainError('export.rows_malformed', 'The database did not answer with one row a line.');

function newlinesIn(block: Buffer): number {
  let count = 0;
  for (let at = block.indexOf(newline); at !== -1; at = block.indexOf(newline, at + 1)) count += 1;
  return count;
}

import { promisify } from 'node:util';
import { constants, deflateRaw, deflateRawSync, type ZlibOptions } from 'node:zlib';

/** Large enough that crossing over to zlib's threads costs nothing, small enough that a few fit in memory. */
export const blockBytes = 512 * 1024;

/** Blocks compressed at the same time, on libuv's threads. */
const inFlightAtMost = 3;
const sampleBytes = 64 * 1024;
/** Below this, choosing a way, or another thread, costs more than it saves. */
const tinyBytes = 4 * 1024;
const lastBlock = Buffer.from([0x03, 0x00]);

const asBytesOnly: ZlibOptions = { strategy: constants.Z_HUFFMAN_ONLY };
const fast: ZlibOptions = { level: 1 };
const asItIs: ZlibOptions = { level: 0 };

/**
 * How to compress an entry that begins like this; decided by the bytes alone, so that the same data makes
 * the same package. Sealed bodies in hex or base64 have nothing to find again: looking for repetitions
 * takes four times as long as coding the bytes by frequency, for a third less. What is compressed already
 * (a photograph) is only framed. docs/decisions/0001-zip-writer.md has the figures.
 */
export function compressionFor(beginning: Buffer): ZlibOptions {
  if (beginning.length < tinyBytes) return fast;
  const sample = beginning.subarray(0, sampleBytes);
  const [byBytes, byRepetition] = [asBytesOnly, fast].map((way) => deflateRawSync(sample, way).length) as [
    number,
    number,
  ];
  if (Math.min(byBytes, byRepetition) > 0.97 * sample.length) return asItIs;
  return beginning.length < blockBytes || byRepetition < byBytes / 2 ? fast : asBytesOnly;
}

const deflateElsewhere = promisify<Buffer, ZlibOptions, Buffer>(deflateRaw);

async function deflateBlock(block: Buffer, way: ZlibOptions): Promise<Buffer> {
  const whole = { ...way, finishFlush: constants.Z_SYNC_FLUSH, chunkSize: outputBytes(block, way) };
  // A small window, because each one is allocated and cleared first.
  if (block.length < tinyBytes) return deflateRawSync(block, { ...whole, windowBits: 12, memLevel: 5 });
  return deflateElsewhere(block, whole);
}

/**
 * One raw deflate stream made of blocks that are compressed side by side and each end on a byte boundary
 * (Z_SYNC_FLUSH, as pigz does), in order, with at most a few in memory.
 */
export async function* deflated(blocks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const inFlight: Promise<Buffer>[] = [];
  let way: ZlibOptions | undefined;
  for await (const block of blocks) {
    way ??= compressionFor(block);
    const packed = deflateBlock(block, way);
    packed.catch(() => undefined); // heard when its turn comes, or not at all if the source fails first
    inFlight.push(packed);
    if (inFlight.length >= inFlightAtMost) yield (await inFlight.shift()) as Buffer;
  }
  for (const packed of inFlight) yield await packed;
  yield lastBlock;
}

/** Room for the result in one piece, as a rule: another piece is another turn of the event loop. */
const outputBytes = (block: Buffer, way: ZlibOptions): number =>
  way === asItIs ? block.length + 1024 : Math.max(1024, Math.ceil(block.length * 0.7));

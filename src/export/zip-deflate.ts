import { constants, createDeflateRaw, type DeflateRaw, deflateRawSync, type ZlibOptions } from 'node:zlib';
import { release } from '../database/released.js';

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
function compressionFor(beginning: Buffer): ZlibOptions {
  if (beginning.length < tinyBytes) return fast;
  const sample = beginning.subarray(0, sampleBytes);
  const [byBytes, byRepetition] = [asBytesOnly, fast].map((way) => deflateRawSync(sample, way).length) as [
    number,
    number,
  ];
  if (Math.min(byBytes, byRepetition) > 0.97 * sample.length) return asItIs;
  return beginning.length < blockBytes || byRepetition < byBytes / 2 ? fast : asBytesOnly;
}

/**
 * One raw deflate stream made of blocks that are compressed side by side and each end on a byte boundary
 * (Z_SYNC_FLUSH, as pigz does), in order, with at most a few in memory. Takes the blocks over: each is given back
 * once it is compressed.
 */
export async function* deflated(blocks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const inFlight: Promise<Buffer[]>[] = [];
  const deflaters: Deflater[] = [];
  let way: ZlibOptions | undefined;
  let count = 0;
  try {
    for await (const block of blocks) {
      way ??= compressionFor(block);
      if (count === 0 && block.length < tinyBytes) {
        yield deflateTiny(block, way);
        continue;
      }
      // Whoever is next in turn has finished: its result was waited for before this block was asked for.
      const deflater = (deflaters[count % inFlightAtMost] ??= new Deflater(way));
      count += 1;
      const packed = deflater.pack(block);
      packed.catch(() => undefined); // heard when its turn comes, or not at all if the source fails first
      inFlight.push(packed);
      if (inFlight.length >= inFlightAtMost) yield* (await inFlight.shift()) as Buffer[];
    }
    for (const packed of inFlight) yield* await packed;
    yield lastBlock;
  } finally {
    for (const deflater of deflaters) deflater.close();
  }
}

/** A small window, because each one is allocated and cleared first. */
const deflateTiny = (block: Buffer, way: ZlibOptions): Buffer =>
  deflateRawSync(block, { ...way, finishFlush: constants.Z_SYNC_FLUSH, windowBits: 12, memLevel: 5 });

/** Compresses one block after the other on libuv's threads: making a new one for each costs garbage collections. */
class Deflater {
  private readonly zlib: DeflateRaw;
  private pieces: Buffer[] = [];
  private failed: (error: Error) => void = () => undefined;

  constructor(way: ZlibOptions) {
    this.zlib = createDeflateRaw({ ...way, flush: constants.Z_SYNC_FLUSH, chunkSize: blockBytes });
    this.zlib.on('data', (piece: Buffer) => this.pieces.push(piece));
    this.zlib.on('error', (error) => this.failed(error));
  }

  /** The block, in pieces. It refers to nothing before it, whichever deflater that went through. */
  pack(block: Buffer): Promise<Buffer[]> {
    return new Promise((resolve, reject) => {
      this.failed = reject;
      this.zlib.write(block, (error) => {
        // Closed midway: a thread may still read the block, so it is left to the garbage collector.
        if (error ?? this.zlib.destroyed) {
          reject(error ?? new Error('closed'));
          return;
        }
        release(block);
        const packed = this.pieces;
        this.pieces = [];
        this.zlib.reset();
        resolve(packed);
      });
    });
  }

  close(): void {
    this.zlib.destroy();
  }
}

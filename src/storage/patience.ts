import { Readable } from 'node:stream';
import { unavailable } from './object-store.js';

/**
 * Tells a storage that hangs from a source that is slow: the clock runs only while the storage is expected
 * to move, to take what it was offered, or to answer.
 */
export class Patience {
  private readonly giveUp = new AbortController();
  private clock: NodeJS.Timeout | undefined;

  constructor(private readonly limitMs: number) {}

  /** Aborted when the storage has not moved for the limit. */
  get signal(): AbortSignal {
    return this.giveUp.signal;
  }

  expect(): void {
    clearTimeout(this.clock);
    this.clock = setTimeout(() => this.giveUp.abort(new Error('no progress')), this.limitMs);
  }

  rest(): void {
    clearTimeout(this.clock);
  }

  /** The source as the storage is to read it. */
  offering(source: AsyncIterable<Buffer>): Readable {
    return Readable.from(this.offered(source), { objectMode: false, highWaterMark: 64 * 1024 });
  }

  /** The storage's answer as we are to read it. */
  receiving(source: AsyncIterable<Uint8Array>): Readable {
    return Readable.from(this.received(source), { objectMode: false, highWaterMark: 64 * 1024 });
  }

  private async *offered(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    this.rest();
    for await (const chunk of source) {
      this.expect();
      yield chunk;
      this.rest();
    }
    this.expect();
  }

  private async *received(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
    try {
      this.expect();
      for await (const chunk of source) {
        this.rest();
        yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
        this.expect();
      }
    } catch (error) {
      throw unavailable('read the object to its end', error);
    } finally {
      this.rest();
    }
  }
}

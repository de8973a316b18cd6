import { PassThrough, type Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { DomainError } from '../errors.js';
import { objectPath } from '../storage/object-path.js';
import { deflated } from './zip-deflate.js';
import {
  centralHeader,
  dataDescriptor,
  dosTime,
  endOfDirectory,
  localHeader,
  type ZipEntry,
} from './zip-format.js';

/** Headers and small files go out together, and central headers are kept together, in pieces of about this size. */
const pieceBytes = 64 * 1024;

/**
 * A ZIP file as a stream, one entry after the other, with no limit on sizes or their number (zip64). Memory
 * holds a few blocks and the directory's records. Whoever reads `output` and stops ends every `add` with an error.
 */
export class ZipWriter {
  /** Read in the pieces that are written: joining them would cost as much memory again. */
  private readonly sink = new PassThrough({
    writableHighWaterMark: 1024 * 1024,
    readableObjectMode: true,
    readableHighWaterMark: 2,
  });
  private readonly directory = new Pieces();
  private readonly small = new Pieces();
  private entries = 0;
  private offset = 0;

  /** `modified` stamps every entry, so that the same data makes the same file. */
  constructor(private readonly modified: Date) {
    this.sink.on('error', () => undefined); // who destroys it knows the error already
  }

  get output(): Readable {
    return this.sink;
  }

  /** Writes one entry to its end. An error of the source is thrown as it is; the file must then be given up. */
  async add(name: string, blocks: AsyncIterable<Buffer>): Promise<void> {
    const entry: ZipEntry = {
      name: Buffer.from(objectPath(name)),
      offset: this.offset,
      modified: dosTime(this.modified),
      crc: 0,
      packed: 0,
      bytes: 0,
    };
    await this.write(localHeader(entry));
    for await (const packed of deflated(measured(blocks, entry))) {
      entry.packed += packed.length;
      await this.write(packed);
    }
    await this.write(dataDescriptor(entry));
    this.directory.add(centralHeader(entry));
    this.entries += 1;
  }

  /** Writes the directory and ends the output. */
  async finish(): Promise<void> {
    const begin = this.offset;
    for (const piece of this.directory.takeAll()) await this.write(piece);
    await this.write(endOfDirectory(this.entries, begin, this.offset - begin));
    await this.send(Buffer.concat(this.small.takeAll()));
    this.sink.end();
  }

  private async write(chunk: Buffer): Promise<void> {
    this.offset += chunk.length;
    this.small.add(chunk);
    if (this.small.bytes >= pieceBytes) for (const piece of this.small.takeAll()) await this.send(piece);
  }

  private async send(chunk: Buffer): Promise<void> {
    if (!this.sink.destroyed && this.sink.write(chunk)) return;
    await new Promise<void>((resolve, reject) => {
      const gone = (): void => reject(this.sink.errored ?? closedEarly());
      if (this.sink.destroyed) {
        gone();
        return;
      }
      const drained = (): void => {
        this.sink.off('close', gone);
        resolve();
      };
      this.sink.once('drain', drained).once('close', gone);
    });
  }
}

/** Small buffers gathered into larger ones; a large one is kept as it is. */
class Pieces {
  private readonly whole: Buffer[] = [];
  private gathering: Buffer[] = [];
  private gathered = 0;
  bytes = 0;

  add(record: Buffer): void {
    this.bytes += record.length;
    if (record.length >= pieceBytes) {
      this.close();
      this.whole.push(record);
      return;
    }
    this.gathering.push(record);
    this.gathered += record.length;
    if (this.gathered >= pieceBytes) this.close();
  }

  takeAll(): Buffer[] {
    this.close();
    this.bytes = 0;
    return this.whole.splice(0);
  }

  private close(): void {
    if (this.gathered > 0) this.whole.push(Buffer.concat(this.gathering));
    this.gathering = [];
    this.gathered = 0;
  }
}

const closedEarly = (): DomainError =>
  new DomainError('export.output_closed', 'The package could not be stored to its end.');

async function* measured(blocks: AsyncIterable<Buffer>, entry: ZipEntry): AsyncGenerator<Buffer> {
  for await (const block of blocks) {
    entry.crc = crc32(block, entry.crc);
    entry.bytes += block.length;
    yield block;
  }
}

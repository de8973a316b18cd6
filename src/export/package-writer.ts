import { createHash } from 'node:crypto';
import { type Readable } from 'node:stream';
import { DomainError } from '../errors.js';
import { type ObjectStore } from '../storage/object-store.js';
import { blocksOf, releasing, rowsAsArray } from './package-writer-blocks.js';
import { type Row, withFirstRows } from './package-writer-samples.js';
import { ZipWriter } from './zip-writer.js';

/** What the manifest says of one file in the package. */
export interface WrittenFile {
  name: string;
  bytes: number;
  /** Lower-case hex, of the file's own bytes, not of its compressed form. */
  sha256: string;
}

export interface WrittenRows extends WrittenFile {
  rows: number;
}

export interface PackageOptions {
  /** Stamped on every file in the ZIP. */
  at: Date;
  signal?: AbortSignal;
}

/**
 * Streams a package into the store while `fill` writes it, and answers once it is whole and stored. If
 * anything fails (a source, the store, `fill` itself, the signal) every stream is destroyed, nothing is
 * listed in the store, and the first error is thrown.
 */
export async function writePackage<T>(
  store: ObjectStore,
  path: string,
  { at, signal }: PackageOptions,
  fill: (files: PackageWriter) => Promise<T>,
): Promise<{ bytes: number; result: T }> {
  const zip = new ZipWriter(at);
  const stored = store.put(path, zip.output, { contentType: 'application/zip', ...(signal && { signal }) });
  stored.catch((error: unknown) => zip.output.destroy(error as Error));
  try {
    const result = await fill(new PackageWriter(zip));
    await zip.finish();
    return { ...(await stored), result };
  } catch (error) {
    // Where the store gave up first, what `fill` met was only the consequence.
    if (zip.output.destroyed) await stored;
    zip.output.destroy(error as Error);
    await stored.catch(() => undefined);
    throw error;
  }
}

/** Files of one package, written one after the other. */
export class PackageWriter {
  private writing = false;
  /** The first few rows of each data file, by its name, for a page that shows what is in it. */
  readonly samples = new Map<string, Row[]>();

  constructor(private readonly zip: ZipWriter) {}

  /**
   * A JSON array of one row a line, from a source whose lines are `<json>,\n` (the comma comes from the
   * database, so that no row costs anything here). Takes the chunks' memory over. `rows` is the number of lines, to hold against COPY's own count.
   */
  async rows(name: string, source: Readable): Promise<WrittenRows> {
    const counted = { rows: 0 };
    const sampled = withFirstRows(releasing(source), (first) => this.samples.set(name, first));
    return { ...(await this.add(name, source, blocksOf(rowsAsArray(sampled, counted)))), ...counted };
  }

  /** Any file, byte for byte. */
  file(name: string, source: Readable): Promise<WrittenFile> {
    return this.add(name, source, blocksOf(source));
  }

  text(name: string, content: string): Promise<WrittenFile> {
    return this.add(name, null, blocksOf([Buffer.from(content)]));
  }

  private async add(
    name: string,
    source: Readable | null,
    blocks: AsyncIterable<Buffer>,
  ): Promise<WrittenFile> {
    if (this.writing)
      throw new DomainError('export.files_overlap', 'Files of a package are written one after the other.');
    this.writing = true;
    // A source that waits (a long query) would otherwise not notice that nobody takes its data any more.
    const outputGone = (): unknown => source?.destroy(this.zip.output.errored ?? undefined);
    this.zip.output.once('close', outputGone);
    try {
      const measure = { bytes: 0, hash: createHash('sha256') };
      await this.zip.add(name, hashed(blocks, measure));
      return { name, bytes: measure.bytes, sha256: measure.hash.digest('hex') };
    } finally {
      source?.destroy();
      this.zip.output.off('close', outputGone);
      this.writing = false;
    }
  }
}

async function* hashed(
  blocks: AsyncIterable<Buffer>,
  measure: { bytes: number; hash: ReturnType<typeof createHash> },
): AsyncGenerator<Buffer> {
  for await (const block of blocks) {
    measure.bytes += block.length;
    measure.hash.update(block);
    yield block;
  }
}

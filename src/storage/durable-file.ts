import { open, type FileHandle } from 'node:fs/promises';
import { type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DomainError } from '../errors.js';

/** Sent to the disk while more is being written, so that the last fsync has little left to do. */
const syncEvery = 32 * 1024 * 1024;

/**
 * Writes the whole source to a new file, mode 0600, and returns its size once it is on the disk. On an error
 * of the source, the signal or the disk (`storage.full`) it rejects, and the caller removes the file.
 */
export async function writeDurably(path: string, source: Readable, signal?: AbortSignal): Promise<number> {
  const file = await open(path, 'wx', 0o600);
  const syncing = new BackgroundSync(file);
  let bytes = 0;
  try {
    const write = async (chunks: AsyncIterable<Buffer | string>): Promise<void> => {
      for await (const chunk of chunks) {
        const data = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
        await writeAll(file, data);
        bytes += data.length;
        syncing.written(data.length);
      }
    };
    await pipeline(source, write, { ...(signal && { signal }) });
    await syncing.settled();
    await file.sync();
    return bytes;
  } catch (error) {
    throw signal?.aborted ? signal.reason : fullDisk(error);
  } finally {
    await syncing.settled().catch(() => undefined);
    await file.close();
  }
}

async function writeAll(file: FileHandle, data: Buffer): Promise<void> {
  for (let done = 0; done < data.length;) {
    done += (await file.write(data, done)).bytesWritten;
  }
}

class BackgroundSync {
  private since = 0;
  private running: Promise<void> | undefined;
  private failure: unknown;

  constructor(private readonly file: FileHandle) {}

  written(bytes: number): void {
    this.since += bytes;
    if (this.since < syncEvery || this.running) return;
    this.since = 0;
    this.running = this.file
      .datasync()
      .catch((error: unknown) => (this.failure = error))
      .finally(() => (this.running = undefined)) as Promise<void>;
  }

  async settled(): Promise<void> {
    await this.running;
    if (this.failure) throw this.failure as Error;
  }
}

function fullDisk(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  return new DomainError(
    'storage.full',
    'The disk of the object store is full. Make room; the work is then retried.',
    { cause: error },
  );
}

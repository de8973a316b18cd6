import { randomUUID } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Readable } from 'node:stream';

/** A file that a row names. */
export interface NamedFile {
  collection: string;
  key: unknown;
  bucket: string | null;
  path: string;
  name: string | null;
}

const NEWLINE = 0x0a;

/** The files that rows name, kept on disk while the rows are read: there may be as many of them as rows. */
export class FileList {
  private constructor(private readonly file: FileHandle) {}

  /** An empty list. Its file has no name: names of files are personal, and a killed process cannot tidy up. */
  static async create(): Promise<FileList> {
    const path = join(tmpdir(), `habeas-list-${randomUUID()}`);
    const file = await open(path, 'wx+', 0o600);
    await unlink(path);
    return new FileList(file);
  }

  /** Takes lines of JSON, one file each; an error of the source or of the disk is thrown. */
  async take(lines: Readable): Promise<void> {
    for await (const chunk of lines) await this.file.appendFile(chunk as Buffer);
  }

  async *read(): AsyncGenerator<NamedFile> {
    // By bytes: readline would break a line at U+2028 too, which is fine in a file's name.
    let rest = Buffer.alloc(0);
    for await (const chunk of this.file.createReadStream({ start: 0, autoClose: false })) {
      rest = Buffer.concat([rest, chunk as Buffer]);
      for (let end = rest.indexOf(NEWLINE); end !== -1; end = rest.indexOf(NEWLINE)) {
        yield JSON.parse(rest.toString('utf8', 0, end)) as NamedFile;
        rest = rest.subarray(end + 1);
      }
    }
  }

  close(): Promise<void> {
    return this.file.close();
  }
}

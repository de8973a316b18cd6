import { type FileHandle, open } from 'node:fs/promises';
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

  /** A new list at this path, readable for nobody else. */
  static async create(path: string): Promise<FileList> {
    return new FileList(await open(path, 'wx+', 0o600));
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

import { type Duplex, Readable } from 'node:stream';
import { type Connection, type Submittable } from 'pg';
import { release } from './released.js';

/** A piece of what arrives: large, because each costs the reader a turn of the event loop. */
const pieceBytes = 256 * 1024;
const headBytes = 5;

const code = { data: 0x64, response: 0x48, done: 0x63, notice: 0x4e, parameter: 0x53, notification: 0x41 };
const passedOver: number[] = [code.response, code.done, code.notice, code.parameter, code.notification];

/**
 * The rows of a COPY … TO STDOUT, read off the connection itself: pg would make an object of every row. Each piece
 * belongs to whoever reads it. `rowCount` is COPY's own count, known when the stream ends; the connection is then free
 * for the next statement.
 *
 * As pg-copy-streams does it (for which TypeORM and pg's types vouch), with half its CPU: rows are copied once, into
 * pieces, and what the socket gave is given back at once.
 */
export class CopyOut extends Readable implements Submittable {
  rowCount = 0;
  /** Whether the server has sent all there is, or its error. Until then the connection is good for nothing else. */
  over = false;

  private socket: Duplex | undefined;
  private parser: ((chunk: Buffer) => void) | undefined;
  private piece = Buffer.alloc(0);
  private filled = 0;
  private readonly head = Buffer.alloc(headBytes);
  private headFilled = 0;
  private bodyLeft = 0;
  private inData = false;

  constructor(private readonly text: string) {
    // In object mode each piece is read as it is; else several would be joined into yet another one.
    super({ objectMode: true, highWaterMark: 4 });
  }

  submit(connection: Connection): void {
    const socket = connection.stream;
    const [parser, ...others] = socket.listeners('data') as ((chunk: Buffer) => void)[];
    if (!parser || others.length > 0)
      throw new Error('pg reads its connection in another way than it used to');
    this.socket = socket;
    this.parser = parser;
    socket.on('data', this.arrived).removeListener('data', parser);
    connection.query(this.text);
  }

  override _read(): void {
    if (!this.over) this.socket?.resume();
  }

  /** Called by pg. */
  handleError(error: Error): void {
    this.destroy(error);
  }

  /** Called by pg. */
  handleCommandComplete({ text }: { text: string }): void {
    this.rowCount = Number(/^COPY (\d+)/.exec(text)?.[1] ?? 0);
  }

  /** Called by pg. */
  handleReadyForQuery(): void {
    this.push(null);
  }

  private readonly arrived = (chunk: Buffer): void => {
    const rest = this.sift(chunk);
    // A copy, since pg's parser may keep parts of it.
    if (rest) this.handBack(Buffer.from(rest));
    release(chunk);
  };

  /** Takes the rows out of a chunk, wherever messages are cut; answers what is no longer the COPY's. */
  private sift(chunk: Buffer): Buffer | undefined {
    for (let at = 0; at < chunk.length;) {
      if (this.bodyLeft > 0) {
        const end = Math.min(at + this.bodyLeft, chunk.length);
        if (this.inData) this.keep(chunk, at, end);
        this.bodyLeft -= end - at;
        at = end;
        continue;
      }
      let kind = chunk[at] as number;
      if (this.headFilled === 0 && at + headBytes <= chunk.length) {
        this.bodyLeft = chunk.readUInt32BE(at + 1) - 4;
        at += headBytes;
      } else {
        const copied = chunk.copy(this.head, this.headFilled, at, at + headBytes - this.headFilled);
        this.headFilled += copied;
        at += copied;
        if (this.headFilled < headBytes) return undefined;
        kind = this.head[0] as number;
        this.bodyLeft = this.head.readUInt32BE(1) - 4;
        this.headFilled = 0;
      }
      this.inData = kind === code.data;
      if (this.inData || passedOver.includes(kind)) continue;
      const head = Buffer.alloc(headBytes);
      head[0] = kind;
      head.writeUInt32BE(this.bodyLeft + 4, 1);
      return Buffer.concat([head, chunk.subarray(at)]);
    }
    return undefined;
  }

  private keep(chunk: Buffer, from: number, to: number): void {
    for (let at = from; at < to;) {
      if (this.filled === this.piece.length) {
        this.flush();
        this.piece = Buffer.allocUnsafeSlow(pieceBytes);
      }
      const copied = chunk.copy(this.piece, this.filled, at, to);
      this.filled += copied;
      at += copied;
    }
  }

  private flush(): void {
    if (this.filled > 0 && !this.push(this.piece.subarray(0, this.filled))) this.socket?.pause();
    this.piece = Buffer.alloc(0);
    this.filled = 0;
  }

  /** The end of the COPY, or an error, is for pg to understand. */
  private handBack(rest: Buffer): void {
    const { socket, parser } = this;
    this.flush();
    this.over = true;
    if (!socket || !parser) return;
    socket.on('data', parser).removeListener('data', this.arrived);
    parser(rest);
    socket.resume();
  }
}

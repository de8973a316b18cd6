/**
 * Reads COPY … (FORMAT binary) as it arrives, wherever the pieces are cut, and looks for identifiers in every value.
 * In this format a value is preceded by its length and written as it is, so there is nothing to unescape. The
 * first field of every row is its place (ctid); the others are text.
 */
import { type Candidate, contextBytes, type ResidueMatcher } from './matcher.js';

/** "PGCOPY\n\xff\r\n\0", flags, and the length of a header extension. */
const headerBytes = 11 + 4 + 4;
const endOfData = -1;
/** The mark of the end, read as a number without sign, is more. */
const mostFields = 0x7fff;
/** A longer value is looked at in pieces of this size, so that memory does not depend on it. */
export const pieceBytes = 1024 * 1024;
/** How much of the last piece is looked at again: the longest match, and what decides about it. */
const overlapBytes = 16 * 1024;
const aloneBytes = overlapBytes / 4;

/** One identifier in one column of one row; reported once for each time it stands there. */
export interface Hit {
  /** Block and offset of the row, `(block,offset)`. */
  place: string;
  /** Index among the columns that were asked for. */
  column: number;
  pattern: number;
}

type State = 'header' | 'row' | 'length' | 'value' | 'piece' | 'end';

export class ResidueRows {
  rows = 0;
  private state: State = 'header';
  /** Used again and again: a new one for each chunk would keep the garbage collector busier than the search. */
  private bytes = Buffer.allocUnsafeSlow(pieceBytes);
  private have = 0;
  private need = headerBytes;
  private fields = 0;
  private field = 0;
  private block = 0;
  private offset = 0;
  /** Of a long value: bytes that have not been looked at for the first time. */
  private left = 0;
  private isFirstPiece = true;
  /** What may be a match in the bytes at hand, in order, and how far it has been judged. */
  private candidates: Candidate[] = [];
  private judged = 0;

  constructor(
    private readonly matcher: ResidueMatcher,
    private readonly hit: (hit: Hit) => void,
  ) {}

  /** Takes the next bytes of the COPY, and keeps nothing of the chunk. */
  take(chunk: Buffer): void {
    this.keep(chunk);
    if (this.have < this.need) return;
    const bytes = this.bytes.subarray(0, this.have);
    // All values at once: a million times around a small loop costs more than the looking.
    this.candidates = this.matcher.candidates(bytes);
    this.judged = 0;
    let at = 0;
    for (;;) {
      if (this.state === 'row') at = this.pass(bytes, at);
      if (this.state === 'end' || bytes.length - at < this.need) break;
      at = this.step(bytes, at);
    }
    this.bytes.copyWithin(0, at, this.have);
    this.have -= at;
  }

  /** @throws where the data ended in the middle of a row */
  end(): void {
    if (this.state !== 'end') throw new Error('the data ended in the middle of a row');
  }

  private keep(chunk: Buffer): void {
    const needed = this.have + chunk.length;
    if (needed > this.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.need + chunk.length));
      this.bytes.copy(larger, 0, 0, this.have);
      this.bytes = larger;
    }
    chunk.copy(this.bytes, this.have);
    this.have = needed;
  }

  /** Passes over the rows that are here as a whole and in which nothing may be a match: nearly all of them. */
  private pass(bytes: Buffer, from: number): number {
    const end = bytes.length;
    let row = from;
    let next = this.nextCandidate(row);
    for (;;) {
      let at = row + 2;
      if (at > end) return row;
      const fields = ((bytes[row] as number) << 8) | (bytes[row + 1] as number);
      if (fields > mostFields) return row;
      for (let field = 0; field < fields; field += 1) {
        if (at + 4 > end) return row;
        const length =
          ((bytes[at] as number) << 24) |
          ((bytes[at + 1] as number) << 16) |
          ((bytes[at + 2] as number) << 8) |
          (bytes[at + 3] as number);
        at += length > 0 ? 4 + length : 4;
      }
      if (at > end) return row;
      if (next < row) next = this.nextCandidate(row);
      if (next < at) return row;
      this.rows += 1;
      row = at;
    }
  }

  private nextCandidate(from: number): number {
    const { candidates } = this;
    while (this.judged < candidates.length && (candidates[this.judged] as Candidate).from < from)
      this.judged += 1;
    return candidates[this.judged]?.from ?? Infinity;
  }

  private step(bytes: Buffer, at: number): number {
    const next = at + this.need;
    switch (this.state) {
      case 'header':
        if (bytes.readUInt32BE(next - 4) !== 0) throw new Error('the data has a header that is not known');
        return this.expect('row', 2, next);
      case 'row':
        this.fields = bytes.readInt16BE(at);
        if (this.fields === endOfData) return this.expect('end', 0, next);
        this.rows += 1;
        this.field = 0;
        return this.expect('length', 4, next);
      case 'length':
        return this.startValue(bytes.readInt32BE(at), next);
      case 'value':
        this.value(bytes, at, next);
        return this.nextField(next);
      case 'piece':
        return this.piece(bytes, at);
      case 'end':
        return next;
    }
  }

  private startValue(length: number, next: number): number {
    this.field += 1;
    if (length <= 0) return this.nextField(next);
    if (length <= pieceBytes) return this.expect('value', length, next);
    this.left = length;
    this.isFirstPiece = true;
    return this.expect('piece', pieceBytes, next);
  }

  private value(bytes: Buffer, from: number, to: number): void {
    if (this.field > 1) this.judge(bytes, from, to);
    else {
      this.block = bytes.readUInt32BE(from);
      this.offset = bytes.readUInt16BE(from + 4);
    }
  }

  /** Pieces overlap; each match is judged in the one that shows enough of what stands around it. */
  private piece(bytes: Buffer, from: number): number {
    const to = from + this.need;
    const isLast = this.need === this.left;
    const least = this.isFirstPiece ? from : from + aloneBytes;
    this.judge(bytes, from, to, least, isLast ? to : to - contextBytes);
    if (isLast) return this.nextField(to);
    this.isFirstPiece = false;
    this.left -= this.need - overlapBytes;
    return this.expect('piece', Math.min(pieceBytes, this.left), to - overlapBytes);
  }

  /** A match counts that begins at `least` or later and ends at `most` or earlier. */
  private judge(bytes: Buffer, from: number, to: number, least = from, most = to): void {
    const { candidates } = this;
    this.nextCandidate(from);
    for (let n = this.judged; n < candidates.length; n += 1) {
      const candidate = candidates[n] as Candidate;
      if (candidate.from >= to) break;
      if (candidate.from < least || candidate.to > most) continue;
      if (!this.matcher.isToken(candidate, bytes, from, to)) continue;
      const place = `(${this.block},${this.offset})`;
      this.hit({ place, column: this.field - 2, pattern: candidate.pattern });
    }
  }

  private nextField(at: number): number {
    return this.field < this.fields ? this.expect('length', 4, at) : this.expect('row', 2, at);
  }

  private expect(state: State, need: number, at: number): number {
    this.state = state;
    this.need = need;
    return at;
  }
}

/**
 * Many literal byte strings at once, whatever their case (Wu and Manber, "A fast algorithm for multi-pattern
 * searching", 1994): a window as long as the shortest literal moves over the bytes, and the last three bytes in it
 * say how far it may jump. Most bytes are never looked at.
 */

const blockLength = 3;
/** Of a byte: upper and lower case are alike in these bits. */
const lowBits = 0x1f;
const blocks = (lowBits + 1) ** blockLength;
/** A longer window jumps further, but fills the table. */
const longestWindow = 24;
const beyondAscii = 0x80;

/** A→a; everything beyond ASCII is alike here, because a letter's bytes differ between its cases. */
const fold = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= beyondAscii ? beyondAscii : byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte,
);

/** Called for every place where the bytes of a literal stand, cases and non-ASCII letters not yet told apart. */
export type LiteralFound = (literal: number, from: number, to: number) => void;

export class Literals {
  private readonly literals: Uint8Array[];
  private readonly window: number;
  /** Of each literal: where in it the window lies that finds it. */
  private readonly offsets: number[];
  private readonly jumps: Uint8Array;
  /** hash of the whole window → literals. Many mails end alike, so that the last block alone would say little. */
  private readonly windows = new Map<number, number[]>();

  /** @param literals in lower case, three bytes at least */
  constructor(literals: readonly string[]) {
    this.literals = literals.map((text) =>
      Uint8Array.from(Buffer.from(text), (byte) => fold[byte] as number),
    );
    const shortest = Math.min(longestWindow, ...this.literals.map((bytes) => bytes.length));
    if (shortest < blockLength) throw new RangeError('a literal has three bytes at least');
    this.window = shortest;
    this.offsets = this.literals.map((bytes) => plainestWindow(bytes, shortest));
    this.jumps = new Uint8Array(blocks).fill(shortest - blockLength + 1);
    this.literals.forEach((bytes, literal) => {
      this.enter(bytes, literal);
    });
  }

  /** Looks at the bytes from `from` up to, not including, `to`. */
  scan(bytes: Uint8Array, from: number, to: number, found: LiteralFound): void {
    const { window, jumps } = this;
    if (this.literals.length === 0) return;
    for (let at = from + window - 1; at < to;) {
      const block =
        (((bytes[at - 2] as number) & lowBits) << 10) |
        (((bytes[at - 1] as number) & lowBits) << 5) |
        ((bytes[at] as number) & lowBits);
      const jump = jumps[block] as number;
      if (jump === 0) {
        this.compare(bytes, at - window + 1, from, to, found);
        at += 1;
      } else at += jump;
    }
  }

  private compare(bytes: Uint8Array, window: number, from: number, to: number, found: LiteralFound): void {
    for (const literal of this.windows.get(hashOf(bytes, window, this.window)) ?? []) {
      const wanted = this.literals[literal] as Uint8Array;
      const begin = window - (this.offsets[literal] as number);
      const end = begin + wanted.length;
      if (begin < from || end > to) continue;
      let n = 0;
      while (n < wanted.length && fold[bytes[begin + n] as number] === wanted[n]) n += 1;
      if (n === wanted.length) found(literal, begin, end);
    }
  }

  private enter(bytes: Uint8Array, literal: number): void {
    const offset = this.offsets[literal] as number;
    const hash = hashOf(bytes, offset, this.window);
    this.windows.set(hash, [...(this.windows.get(hash) ?? []), literal]);
    for (let end = blockLength; end <= this.window; end += 1) {
      const jump = this.window - end;
      for (const block of blocksOf(bytes.subarray(offset + end - blockLength, offset + end)))
        if (jump < (this.jumps[block] as number)) this.jumps[block] = jump;
    }
  }
}

function hashOf(bytes: Uint8Array, from: number, length: number): number {
  let hash = 0;
  for (let n = from; n < from + length; n += 1)
    hash = (Math.imul(hash, 31) + (fold[bytes[n] as number] as number)) | 0;
  return hash;
}

/** The entry of three bytes; every one that they may have where some are beyond ASCII. */
function blocksOf(bytes: Uint8Array): number[] {
  const choices = Array.from(bytes, (byte) =>
    byte === beyondAscii ? Array.from({ length: lowBits + 1 }, (_, bits) => bits) : [byte & lowBits],
  );
  return choices.reduce((heads, bits) => heads.flatMap((head) => bits.map((low) => (head << 5) | low)), [0]);
}

/** Where the window has the fewest bytes beyond ASCII, which all look alike. */
function plainestWindow(bytes: Uint8Array, window: number): number {
  let best = 0;
  let fewest = Infinity;
  for (let offset = 0; offset + window <= bytes.length; offset += 1) {
    const odd = bytes.subarray(offset, offset + window).filter((byte) => byte === beyondAscii).length;
    if (odd < fewest) [best, fewest] = [offset, odd];
  }
  return best;
}

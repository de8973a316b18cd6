/**
 * Phone numbers, however they are spaced: `+49 30 123456`, `0049(30)123-456`. A number of n digits is a run of at
 * least n bytes that are digits or stand between digits, so looking at every n-th byte misses none.
 */
import { betweenDigits } from './token.js';

/** Ten times ten to this power is still exact in a number. */
const mostLead = 14;
const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;
/** 1 for the bytes of a run. Few of them occur in letters beyond ASCII, or such text would be one long run. */
const inRun = new Uint8Array(256);
for (const char of `0123456789${betweenDigits}`) for (const byte of Buffer.from(char)) inRun[byte] = 1;

/** Called where the digits of a number follow each other; what stands between them is not looked at yet. */
export type PhoneFound = (phone: number, from: number, to: number) => void;

export class Phones {
  private readonly shortest: number;
  /** So many digits of each number are looked up at once. */
  private readonly lead: number;
  private readonly modulus: number;
  /** The first digits of each number → the numbers. */
  private readonly starts = new Map<number, number[]>();
  private readonly hints = new Uint8Array(1 << 16);
  private readonly wanted: string[];
  private digits = new Uint8Array(256);
  private places = new Int32Array(256);

  /** @param phones digits only; one at least */
  constructor(phones: readonly string[]) {
    this.wanted = [...phones];
    this.shortest = Math.min(...phones.map((phone) => phone.length));
    this.lead = Math.min(this.shortest, mostLead);
    this.modulus = 10 ** this.lead;
    this.wanted.forEach((phone, index) => {
      const start = Number(phone.slice(0, this.lead));
      this.starts.set(start, [...(this.starts.get(start) ?? []), index]);
      this.hints[start & 0xffff] = 1;
    });
  }

  scan(bytes: Uint8Array, from: number, to: number, found: PhoneFound): void {
    const step = this.shortest;
    const left = step >> 1;
    const right = step - left;
    for (let at = from + step - 1; at < to; at += step) {
      // A run that is long enough reaches half its length to one side. All at once: each test alone would be a guess
      // of the processor's that often goes wrong.
      const mayBe =
        at + right < to
          ? (inRun[bytes[at] as number] as number) &
            (((inRun[bytes[at - 1] as number] as number) & (inRun[bytes[at - left] as number] as number)) |
              ((inRun[bytes[at + 1] as number] as number) & (inRun[bytes[at + right] as number] as number)))
          : (inRun[bytes[at] as number] as number);
      if (mayBe === 0) continue;
      let begin = at;
      while (begin > from && inRun[bytes[begin - 1] as number] === 1) begin -= 1;
      let end = at + 1;
      while (end < to && inRun[bytes[end] as number] === 1) end += 1;
      if (end - begin >= step) this.run(bytes, begin, end, found);
      at = end;
    }
  }

  private run(bytes: Uint8Array, begin: number, end: number, found: PhoneFound): void {
    if (end - begin > this.digits.length) {
      this.digits = new Uint8Array(2 * (end - begin));
      this.places = new Int32Array(2 * (end - begin));
    }
    const { digits, places, lead, modulus } = this;
    let count = 0;
    for (let at = begin; at < end; at += 1) {
      const byte = bytes[at] as number;
      if (!isDigit(byte)) continue;
      digits[count] = byte - 0x30;
      places[count] = at;
      count += 1;
    }
    let rolling = 0;
    for (let n = 0; n < count; n += 1) {
      rolling = (rolling * 10 + (digits[n] as number)) % modulus;
      if (n + 1 < lead || this.hints[rolling & 0xffff] === 0) continue;
      for (const phone of this.starts.get(rolling) ?? []) this.follow(phone, n + 1 - lead, count, found);
    }
  }

  private follow(phone: number, start: number, count: number, found: PhoneFound): void {
    const wanted = this.wanted[phone] as string;
    if (start + wanted.length > count) return;
    for (let n = this.lead; n < wanted.length; n += 1)
      if (this.digits[start + n] !== wanted.charCodeAt(n) - 0x30) return;
    found(phone, this.places[start] as number, (this.places[start + wanted.length - 1] as number) + 1);
  }
}

/**
 * Phone numbers, however they are spaced: `+49 30 123456`, `0049(30)123-456`. A number of n digits is a run of at
 * least n bytes that are digits or stand between digits, so looking at every n-th byte misses none.
 */

const digit = 1;
const between = 2;
/** Ten times ten to this power is still exact in a number. */
const mostLead = 14;
/** Bytes of a run: digits, ASCII blanks and punctuation, and the bytes of other blanks and of dashes in UTF-8. */
const classes = new Uint8Array(256);
for (let byte = 0x30; byte <= 0x39; byte += 1) classes[byte] = digit;
for (const char of ' \t\n\v\f\r().-/') classes[char.charCodeAt(0)] = between;
for (const char of '\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff\u2010\u2011\u2012\u2013\u2014\u2015')
  for (const byte of Buffer.from(char)) classes[byte] = between;

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
    for (let at = from + step - 1; at < to; at += step) {
      if (classes[bytes[at] as number] === 0) continue;
      let begin = at;
      while (begin > from && classes[bytes[begin - 1] as number] !== 0) begin -= 1;
      let end = at + 1;
      while (end < to && classes[bytes[end] as number] !== 0) end += 1;
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
      if (classes[byte] !== digit) continue;
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

/**
 * Chance that comes out the same every time: the same name gives the same sequence on every machine and
 * every day, so that a demo, a test and a benchmark speak of the same people. Not for secrets.
 */
export class Dice {
  private readonly state: Uint32Array;

  constructor(private readonly name: string) {
    this.state = new Uint32Array(seedOf(name));
    // sfc32 needs some rounds until similar names have nothing in common.
    for (let round = 0; round < 12; round++) this.next();
  }

  /** A sequence of its own, that later changes to this one do not disturb. */
  fork(name: string | number): Dice {
    return new Dice(`${this.name}/${name}`);
  }

  /** A whole number, 0 ≤ n < limit. */
  below(limit: number): number {
    return Math.floor((this.next() / 0x1_0000_0000) * limit);
  }

  /** A whole number, least ≤ n ≤ most. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  chance(probability: number): boolean {
    return this.next() < probability * 0x1_0000_0000;
  }

  pick<T>(list: readonly T[]): T {
    return at(list, this.below(list.length));
  }

  /** Like pick, but the front of the list comes far more often, as a few people write most of the mail. */
  pickSkewed<T>(list: readonly T[]): T {
    const unit = this.next() / 0x1_0000_0000;
    return at(list, Math.floor(unit * unit * list.length));
  }

  /** Several different ones, in the order of the list. */
  sample<T>(list: readonly T[], count: number): T[] {
    let wanted = Math.min(count, list.length);
    return list.filter((_, index) => {
      const taken = this.below(list.length - index) < wanted;
      if (taken) wanted--;
      return taken;
    });
  }

  bytes(length: number): Buffer {
    const words = new Uint32Array(Math.ceil(length / 4));
    for (let i = 0; i < words.length; i++) words[i] = this.next();
    return Buffer.from(words.buffer, 0, length);
  }

  /** A version 4 uuid. */
  uuid(): string {
    const bytes = this.bytes(16);
    bytes[6] = (at([...bytes], 6) & 0x0f) | 0x40;
    bytes[8] = (at([...bytes], 8) & 0x3f) | 0x80;
    const hex = bytes.toString('hex');
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
  }

  /** sfc32, by Chris Doty-Humphrey: 32 bits from 128 bits of state. */
  private next(): number {
    const [a = 0, b = 0, c = 0, counter = 0] = this.state;
    const result = (((a + b) | 0) + counter) >>> 0;
    this.state[0] = b ^ (b >>> 9);
    this.state[1] = c + (c << 3);
    this.state[2] = ((c << 21) | (c >>> 11)) + result;
    this.state[3] = counter + 1;
    return result;
  }
}

/** The element that is known to be there. */
export function at<T>(list: readonly T[], index: number): T {
  const value = list[index];
  if (value === undefined) throw new RangeError(`Nothing at ${index} of ${list.length}`);
  return value;
}

/** Four FNV-1a hashes of the name, from different starts. */
function seedOf(name: string): number[] {
  return [0x811c9dc5, 0x9e3779b9, 0x85ebca6b, 1].map((start) => {
    let hash = start;
    for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
    return hash >>> 0;
  });
}

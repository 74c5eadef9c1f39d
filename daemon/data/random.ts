import { UnimissError } from '../../protocol/errors.ts';

/** Names a stream of random numbers, for example [run seed, epoch, sample id, 'view', 0]. */
export type RandomKey = readonly (number | string)[];

const float64 = new Float64Array(1);
const float64Words = new Uint32Array(float64.buffer);

/**
 * Random numbers that depend only on a key: equal keys give equal draws, in any worker and in any order.
 * `1` and `'1'` are different parts of a key, and so are `'ab', 'c'` and `'a', 'bc'`.
 *
 * The key is hashed to the 128-bit state of xoshiro128** (Blackman and Vigna, "Scrambled linear pseudorandom number
 * generators", 2021). Not for secrets.
 */
export class Random {
  private readonly state: Uint32Array;
  private spareNormal = Number.NaN;

  /** @throws UnimissError if a number in the key is not finite */
  constructor(...key: RandomKey) {
    this.state = hashKey(key);
  }

  /** A number, uniform in [low, high), with 53 random bits. */
  uniform(low = 0, high = 1): number {
    const upper = this.next() >>> 5;
    const lower = this.next() >>> 6;
    return low + (high - low) * ((upper * 67108864 + lower) / 9007199254740992);
  }

  /**
   * A whole number, uniform in 0 … n − 1 (the bias of an n below 2^32 is below 2^-21).
   * @throws UnimissError if n is not a whole number from 1 to 2^32
   */
  int(n: number): number {
    if (!Number.isInteger(n) || n < 1 || n > 4294967296)
      throw new UnimissError('internal', `cannot draw a whole number below ${n}`);
    return Math.floor(this.uniform() * n);
  }

  /** A normal number of mean 0 and deviation 1 (the polar method of Marsaglia, which makes them in pairs). */
  normal(): number {
    const spare = this.spareNormal;
    if (!Number.isNaN(spare)) {
      this.spareNormal = Number.NaN;
      return spare;
    }
    for (;;) {
      // 32 bits a coordinate are enough here, and half the work of `uniform`.
      const x = this.next() / 2147483648 - 1;
      const y = this.next() / 2147483648 - 1;
      const square = x * x + y * y;
      if (square >= 1 || square === 0) continue;
      const scale = Math.sqrt((-2 * Math.log(square)) / square);
      this.spareNormal = y * scale;
      return x * scale;
    }
  }

  /** True with the given probability: never for 0, always for 1. Takes one draw in either case. */
  bool(probability = 0.5): boolean {
    return this.uniform() < probability;
  }

  /** Shuffles `items` in place (Fisher and Yates) and returns them. */
  shuffle<T>(items: T[]): T[] {
    for (let last = items.length - 1; last > 0; last--) {
      const other = this.int(last + 1);
      const item = items[last] as T;
      items[last] = items[other] as T;
      items[other] = item;
    }
    return items;
  }

  /** 32 random bits: one step of xoshiro128**. */
  private next(): number {
    const s = this.state;
    const s1 = s[1]!;
    const product = Math.imul(s1, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9);
    const s2 = s[2]! ^ s[0]!;
    const s3 = s[3]! ^ s1;
    s[1] = s1 ^ s2;
    s[0] = s[0]! ^ s3;
    s[2] = s2 ^ (s1 << 9);
    s[3] = (s3 << 11) | (s3 >>> 21);
    return result >>> 0;
  }
}

/** Four 32-bit lanes, each a chain of bijections over the words of the key, with its own start and multiplier. */
function hashKey(key: RandomKey): Uint32Array {
  const lanes = Uint32Array.of(0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344);
  const multipliers = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f];
  const absorb = (word: number) => {
    for (let i = 0; i < 4; i++) lanes[i] = mix32(Math.imul(lanes[i]! ^ word, multipliers[i]!) + i);
  };
  for (const part of key) {
    if (typeof part === 'number') {
      if (!Number.isFinite(part)) throw new UnimissError('internal', `${part} cannot be part of a random key`);
      float64[0] = part === 0 ? 0 : part; // so that -0 is 0
      absorb(1);
      absorb(float64Words[0]!);
      absorb(float64Words[1]!);
    } else {
      absorb(2);
      absorb(part.length);
      for (let i = 0; i < part.length; i++) absorb(part.charCodeAt(i));
    }
  }
  // xoshiro would never leave this state.
  if (lanes.every((lane) => lane === 0)) lanes[0] = 1;
  return lanes;
}

/** The finaliser of MurmurHash3 (Appleby): a bijection of 32-bit words in which every input bit affects every output bit. */
function mix32(word: number): number {
  let x = word;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}

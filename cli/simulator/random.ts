/**
 * A stream of pseudo-random numbers, named by whole numbers, for example seed, key, hour and message: any part of
 * the simulation can be drawn again without drawing what came before it. Equal names give equal streams.
 *
 * The generator is xoshiro128** 1.1 (Blackman and Vigna, "Scrambled Linear Pseudorandom Number Generators",
 * ACM TOMS 2021; prng.di.unimi.it/xoshiro128starstar.c). Its 128 bits of state keep a million streams apart,
 * where 32 bits would let some coincide. The lanes start at the first hexadecimal digits of pi's fraction.
 */
export class Random {
  #a: number
  #b: number
  #c: number
  #d: number

  constructor(...name: readonly number[]) {
    this.#a = mixParts(0x243f6a88, name)
    this.#b = mixParts(0x85a308d3, name)
    this.#c = mixParts(0x13198a2e, name)
    // The state must not be all zero.
    this.#d = mixParts(0x03707344, name) | 1
  }

  /** Uniform 32-bit unsigned integer. */
  nextUint32(): number {
    const result = Math.imul(rotateLeft(Math.imul(this.#b, 5), 7), 9) >>> 0
    const t = this.#b << 9
    this.#c ^= this.#a
    this.#d ^= this.#b
    this.#b ^= this.#c
    this.#a ^= this.#d
    this.#c ^= t
    this.#d = rotateLeft(this.#d, 11)
    return result
  }

  /** Uniform in [0, 1). */
  next(): number {
    return this.nextUint32() / 2 ** 32
  }
}

/** Normal with mean 0 and deviation 1, by the polar method (Marsaglia and Bray, SIAM Review 1964). */
export function normal(random: Random): number {
  for (;;) {
    const x = 2 * random.next() - 1
    const y = 2 * random.next() - 1
    const square = x * x + y * y
    if (square > 0 && square < 1) return x * Math.sqrt((-2 * Math.log(square)) / square)
  }
}

/** Log-normal with the given median; `sigma` is the deviation of the logarithm. */
export function logNormal(random: Random, median: number, sigma: number): number {
  return median * Math.exp(sigma * normal(random))
}

/** Exponential with the given mean. */
export function exponential(random: Random, mean: number): number {
  return -mean * Math.log(1 - random.next())
}

/**
 * Gamma with mean 1 and variance 1 / `shape` (`shape` ≥ 1): the factor that makes Poisson counts over-dispersed,
 * that is, negative binomial. Method: Marsaglia and Tsang, ACM TOMS 2000.
 */
export function gammaFactor(random: Random, shape: number): number {
  const d = shape - 1 / 3
  const c = 1 / Math.sqrt(9 * d)
  for (;;) {
    const x = normal(random)
    const v = (1 + c * x) ** 3
    if (v > 0 && Math.log(1 - random.next()) < 0.5 * x * x + d - d * v + d * Math.log(v))
      return (d * v) / shape
  }
}

/** A whole number in [0, bound). */
export function below(random: Random, bound: number): number {
  return Math.floor(random.next() * bound)
}

/** One of the items, each equally likely. The list must not be empty. */
export function pick<Item>(random: Random, items: readonly Item[]): Item {
  const item = items[below(random, items.length)]
  if (item === undefined) throw new RangeError('nothing to pick from')
  return item
}

/** One of the items by weight. The list must not be empty. */
export function pickWeighted<Item>(random: Random, items: readonly (readonly [Item, number])[]): Item {
  let left = random.next() * items.reduce((sum, [, weight]) => sum + weight, 0)
  for (const [item, weight] of items) {
    left -= weight
    if (left < 0) return item
  }
  const last = items.at(-1)
  if (last === undefined) throw new RangeError('nothing to pick from')
  return last[0]
}

const HEX = '0123456789abcdef'
const BASE64_URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const LETTERS_AND_DIGITS = 'abcdefghijklmnopqrstuvwxyz0123456789'

export const hexText = (random: Random, length: number) => text(random, HEX, length)
export const base64UrlText = (random: Random, length: number) => text(random, BASE64_URL, length)
export const plainText = (random: Random, length: number) => text(random, LETTERS_AND_DIGITS, length)

function text(random: Random, alphabet: string, length: number): string {
  let result = ''
  for (let index = 0; index < length; index++) result += alphabet.charAt(below(random, alphabet.length))
  return result
}

/** Mixes each part in with the finaliser of MurmurHash3 (Appleby, public domain), which spreads every bit. */
function mixParts(lane: number, parts: readonly number[]): number {
  let mixed = lane
  for (const part of parts) {
    mixed = finalise(mixed ^ (part | 0))
    // Hours since the epoch and seeds may pass 32 bits one day; the upper part must count, too.
    mixed = finalise(mixed + 0x9e3779b9 + Math.floor(part / 2 ** 32))
  }
  return mixed
}

function finalise(value: number): number {
  let h = value
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}

import { mixed } from '#shared/detection/statistics/hash-text.ts'

/** What tells one event from another; a redelivery has all of it again. */
export type SeenIdentity = {
  readonly source: string
  /** Event time, seconds; 0 where the event has none of its own. */
  readonly timestamp: number
  readonly eventId: string
}

/** Remembers events and says whether one was there before. */
export type SeenEvents = {
  /** True the first time. `nowMs` is the arrival clock, which moves forward only. */
  readonly add: (identity: SeenIdentity, nowMs: number) => boolean
  /** Set when there were too many events to remember them all for as long as they may be delivered again. */
  readonly isCutShort: () => boolean
}

/** SendGrid delivers again for a day, and what waited in between comes hours later: together more than 30 hours. */
const GENERATION_MS = 8 * 3600 * 1000
const GENERATIONS = 5
/** 16 million events of the last 32 hours are remembered at the cost of 512 MB at most; so busy are few. */
const REMEMBERED_MAX = 16 * 1024 * 1024
const CAPACITY_MIN = 1 << 14

/**
 * Keeps 64 bits of each event, for at least 32 hours of the arrival clock. Of ten million events no two are taken for
 * one with a probability of more than 0.999997.
 */
export function createSeenEvents(rememberedMax = REMEMBERED_MAX): SeenEvents {
  let newest = new Generation()
  let generations: Generation[] = [newest]
  let startMs = Number.NEGATIVE_INFINITY
  let cutShort = false

  const startGeneration = (nowMs: number) => {
    startMs = nowMs
    newest = new Generation()
    generations = [newest, ...generations].slice(0, GENERATIONS)
  }
  return {
    add: (identity, nowMs) => {
      if (nowMs - startMs >= GENERATION_MS) startGeneration(nowMs)
      hashIdentity(identity)
      const { low, high } = hash
      for (const generation of generations) if (generation.has(low, high)) return false
      newest.add(low, high)
      if (newest.size * GENERATIONS > rememberedMax) {
        cutShort = true
        startGeneration(nowMs)
      }
      return true
    },
    isCutShort: () => cutShort,
  }
}

/** A set of 64-bit numbers: open addressing, linear probing, at most half full. */
class Generation {
  size = 0
  #low = new Uint32Array(CAPACITY_MIN)
  #high = new Uint32Array(CAPACITY_MIN)

  has(low: number, high: number): boolean {
    const mask = this.#low.length - 1
    for (let at = low & mask; ; at = (at + 1) & mask) {
      const lowThere = this.#low[at]
      const highThere = this.#high[at]
      if (lowThere === low && highThere === high) return true
      if (lowThere === 0 && highThere === 0) return false
    }
  }

  /** Adds a number that is not there. */
  add(low: number, high: number) {
    if (this.size * 2 >= this.#low.length) this.#grow()
    this.#place(low, high)
    this.size += 1
  }

  #place(low: number, high: number) {
    const mask = this.#low.length - 1
    let at = low & mask
    while (this.#low[at] !== 0 || this.#high[at] !== 0) at = (at + 1) & mask
    this.#low[at] = low
    this.#high[at] = high
  }

  #grow() {
    const low = this.#low
    const high = this.#high
    this.#low = new Uint32Array(low.length * 2)
    this.#high = new Uint32Array(low.length * 2)
    for (let at = 0; at < low.length; at++) {
      const lowThere = low[at] ?? 0
      const highThere = high[at] ?? 0
      if (lowThere !== 0 || highThere !== 0) this.#place(lowThere, highThere)
    }
  }
}

/** Of the event that was looked at last: a pair made for each event would cost as much as the look-up. */
const hash = { low: 0, high: 0 }

/** Two FNV-1a hashes with different primes, each with murmur3's last mixing step; never both 0, which means empty. */
function hashIdentity({ source, timestamp, eventId }: SeenIdentity): void {
  let low = 0x811c9dc5 ^ timestamp
  let high = 0x9747b28c ^ Math.imul(timestamp, 0x85ebca6b)
  for (let at = 0; at < eventId.length; at++) {
    const code = eventId.charCodeAt(at)
    low = Math.imul(low ^ code, 0x01000193)
    high = Math.imul(high ^ code, 0x5bd1e995)
    high ^= high >>> 15
  }
  for (let at = 0; at < source.length; at++) {
    const code = source.charCodeAt(at) + 0x10000
    low = Math.imul(low ^ code, 0x01000193)
    high = Math.imul(high ^ code, 0x5bd1e995)
    high ^= high >>> 15
  }
  hash.low = mixed(low)
  hash.high = mixed(high) || 1
}

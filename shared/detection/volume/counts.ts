/** Counters that take one byte each until one of them overflows: most keys send little most of the time. */
export type Counts = Uint8Array | Uint16Array | Uint32Array

const UINT8_MAX = 0xff
const UINT16_MAX = 0xffff

export function createCounts(length: number): Counts {
  return new Uint8Array(length)
}

/** Adds to one counter; answers the counters, which are new ones where the old ones were too narrow. */
export function added(counts: Counts, index: number, more: number): Counts {
  const value = (counts[index] ?? 0) + more
  const wide =
    counts.BYTES_PER_ELEMENT === 4 || value <= (counts.BYTES_PER_ELEMENT === 1 ? UINT8_MAX : UINT16_MAX)
  const kept = wide ? counts : value <= UINT16_MAX ? Uint16Array.from(counts) : Uint32Array.from(counts)
  kept[index] = value
  return kept
}

/** The narrowest counters that hold the same values. */
export function narrowed(counts: Counts): Counts {
  let largest = 0
  for (const value of counts) if (value > largest) largest = value
  if (largest <= UINT8_MAX) return counts.BYTES_PER_ELEMENT === 1 ? counts : Uint8Array.from(counts)
  if (largest <= UINT16_MAX) return counts.BYTES_PER_ELEMENT <= 2 ? counts : Uint16Array.from(counts)
  return counts
}

/** One byte holds 0 and 255 steps of 6 %: up to 2.6 million. Rounded up, so that a limit is never set too low. */
const STEP = Math.log(1.06)

export function packed(value: number): number {
  return value < 1 ? 0 : Math.min(255, 1 + Math.ceil(Math.log(value) / STEP - 1e-9))
}

const unpackedBytes = Float64Array.from({ length: 256 }, (_, byte) =>
  byte === 0 ? 0 : Math.exp((byte - 1) * STEP),
)

export function unpacked(byte: number): number {
  return unpackedBytes[byte] ?? 0
}

/** Two bytes hold a rate from 0.0004 to 10⁹ in steps of 0.05 %. */
const RATE_STEP = 0.0005
const RATE_UNIT = 1 / 50

export function packedRate(rate: number): number {
  return Math.min(UINT16_MAX, Math.round(Math.log1p(rate / RATE_UNIT) / RATE_STEP))
}

export function unpackedRate(code: number): number {
  return Math.expm1(code * RATE_STEP) * RATE_UNIT
}

/**
 * A sample of the distinct values ever seen, for answering "seen before?" in bounded memory: the k smallest of their
 * 32-bit hashes (bottom-k or KMV sketch; Bar-Yossef et al., Counting Distinct Elements in a Data Stream, 2002). The
 * answer is exact for every hash below the largest one kept, which is an even sample of all values; up to k distinct
 * values it is exact for all.
 */
export type BottomK = {
  readonly capacity: number
  /** Ascending; the first `size` are in use. */
  hashes: Uint32Array
  size: number
}

const FIRST_LENGTH = 8

export function createBottomK(capacity: number): BottomK {
  return { capacity, hashes: new Uint32Array(0), size: 0 }
}

export type Sighting = 'seen' | 'new' | 'outside the sample'

/** Looks a hash up and remembers it. */
export function sight(sketch: BottomK, hash: number): Sighting {
  const { size, capacity } = sketch
  if (size === capacity && hash > (sketch.hashes[size - 1] ?? 0)) return 'outside the sample'
  const place = placeOf(sketch, hash)
  if (place < size && sketch.hashes[place] === hash) return 'seen'
  if (size === sketch.hashes.length && size < capacity) {
    const longer = new Uint32Array(Math.min(capacity, Math.max(FIRST_LENGTH, size * 2)))
    longer.set(sketch.hashes)
    sketch.hashes = longer
  }
  sketch.hashes.copyWithin(place + 1, place, Math.min(size, capacity - 1))
  sketch.hashes[place] = hash
  sketch.size = Math.min(capacity, size + 1)
  return 'new'
}

function placeOf({ hashes, size }: BottomK, hash: number): number {
  let low = 0
  let high = size
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((hashes[middle] ?? 0) < hash) low = middle + 1
    else high = middle
  }
  return low
}

/** The kept hashes, ascending, as base64 of little-endian 32-bit numbers. */
export function encodeBottomK({ hashes, size }: BottomK): string {
  const bytes = Buffer.alloc(size * 4)
  for (let index = 0; index < size; index += 1) bytes.writeUInt32LE(hashes[index] ?? 0, index * 4)
  return bytes.toString('base64')
}

export function decodeBottomK(capacity: number, text: string): BottomK {
  const bytes = Buffer.from(text, 'base64')
  const size = Math.min(capacity, Math.floor(bytes.length / 4))
  const hashes = new Uint32Array(size)
  for (let index = 0; index < size; index += 1) hashes[index] = bytes.readUInt32LE(index * 4)
  return { capacity, hashes, size }
}

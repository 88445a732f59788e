/** How many keys keep their partition in memory; a fleet has far fewer, a flood of new ones only clears it. */
const REMEMBERED_KEYS_MAX = 50_000

/**
 * Chooses partitions as Kafka's own producers do: murmur2 of the key's UTF-8 bytes, its sign bit cleared, modulo
 * the number of partitions. Both logs use it, so a key's records meet on the same partition in either.
 *
 * Keys repeat, so a bounded number of answers is remembered.
 */
export function createPartitioner(partitions: number): (key: string) => number {
  if (partitions === 1) return () => 0
  const remembered = new Map<string, number>()
  return (key) => {
    const known = remembered.get(key)
    if (known !== undefined) return known
    if (remembered.size >= REMEMBERED_KEYS_MAX) remembered.clear()
    const partition = (murmur2(Buffer.from(key, 'utf8')) & 0x7fffffff) % partitions
    remembered.set(key, partition)
    return partition
  }
}

const SEED = 0x9747b28c
const MULTIPLIER = 0x5bd1e995

/**
 * MurmurHash2 with Kafka's seed, as a signed 32-bit number.
 *
 * Source: org.apache.kafka.common.utils.Utils.murmur2 (Apache Kafka), after Austin Appleby's MurmurHash2.
 */
export function murmur2(bytes: Buffer): number {
  const length = bytes.length
  let hash = SEED ^ length
  const wholeWordsEnd = length & ~3
  for (let at = 0; at < wholeWordsEnd; at += 4) {
    let word = Math.imul(bytes.readInt32LE(at), MULTIPLIER)
    word = Math.imul(word ^ (word >>> 24), MULTIPLIER)
    hash = Math.imul(hash, MULTIPLIER) ^ word
  }
  const rest = length - wholeWordsEnd
  if (rest > 0) {
    for (let index = rest - 1; index >= 0; index--) {
      hash ^= bytes.readUInt8(wholeWordsEnd + index) << (8 * index)
    }
    hash = Math.imul(hash, MULTIPLIER)
  }
  hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER)
  return hash ^ (hash >>> 15)
}

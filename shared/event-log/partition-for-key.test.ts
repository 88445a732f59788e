import fc from 'fast-check'
import { Partitioners } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { createPartitioner, murmur2 } from './partition-for-key.ts'

describe('murmur2', () => {
  // Source: UtilsTest.testMurmur2 of Apache Kafka.
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('hashes %j as Kafka does', (text, hash) => {
    expect(murmur2(Buffer.from(text))).toBe(hash)
  })
})

describe('createPartitioner', () => {
  it("chooses the partition that Kafka's default partitioner chooses, whatever the key", () => {
    const kafkajs = Partitioners.DefaultPartitioner()
    const codePoint = fc.integer({ min: 0, max: 0x10ffff }).filter((code) => code < 0xd800 || code > 0xdfff)
    const anyKey = fc
      .array(codePoint, { minLength: 1, maxLength: 20 })
      .map((codes) => String.fromCodePoint(...codes))
    fc.assert(
      fc.property(anyKey, fc.integer({ min: 1, max: 12 }), (key, partitions) => {
        const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
          partitionErrorCode: 0,
          partitionId,
          leader: 1,
          replicas: [1],
          isr: [1],
        }))
        const expected = kafkajs({ topic: 't', partitionMetadata, message: { key, value: null } })
        const partitionFor = createPartitioner(partitions)
        expect(partitionFor(key)).toBe(expected)
        // The remembered answer is the same.
        expect(partitionFor(key)).toBe(expected)
      }),
      { numRuns: 60 },
    )
  })

  it('spreads keys evenly', () => {
    const partitionFor = createPartitioner(4)
    const counts = [0, 0, 0, 0]
    for (let key = 0; key < 10_000; key++) {
      const partition = partitionFor(`key-${key}`)
      counts[partition] = (counts[partition] ?? 0) + 1
    }
    for (const count of counts) expect(Math.abs(count - 2500)).toBeLessThan(250)
  })

  it('answers the same after more keys than it remembers', () => {
    const partitionFor = createPartitioner(7)
    const first = partitionFor('first')
    for (let key = 0; key < 60_000; key++) partitionFor(`key-${key}`)
    expect(partitionFor('first')).toBe(first)
  })
})

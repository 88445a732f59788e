import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PartitionBuffer } from './kafka-buffer.ts'

function batch(fetchedOffset: number, lastOffset: number, firstOffset = fetchedOffset) {
  const records = Array.from({ length: lastOffset - firstOffset + 1 }, (_, index) => ({
    offset: firstOffset + index,
    key: 'k',
    value: new Uint8Array(10),
    appendedAtMs: 0,
  }))
  return { fetchedOffset, lastOffset, records }
}

const offsets = (records: readonly { readonly offset: number }[] | undefined) =>
  records?.map(({ offset }) => offset)

describe('PartitionBuffer', () => {
  it('serves what was fetched before anybody asked', () => {
    const buffer = new PartitionBuffer()
    expect(buffer.receive(batch(5, 9))).toBe(true)
    expect(offsets(buffer.read(5, 3))).toEqual([5, 6, 7])
  })

  it('asks for a seek when a read goes elsewhere, and then takes only what belongs there', () => {
    const buffer = new PartitionBuffer()
    buffer.receive(batch(100, 109))
    expect(buffer.read(20, 10)).toBeUndefined()
    expect(buffer.next).toBe(20)
    // What was under way before the seek took effect.
    expect(buffer.receive(batch(110, 119))).toBe(false)
    expect(buffer.receive(batch(20, 24))).toBe(true)
    expect(offsets(buffer.read(20, 10))).toEqual([20, 21, 22, 23, 24])
  })

  it('can be read again at the same offset without a seek', () => {
    const buffer = new PartitionBuffer()
    buffer.receive(batch(0, 9))
    expect(offsets(buffer.read(3, 2))).toEqual([3, 4])
    expect(offsets(buffer.read(3, 4))).toEqual([3, 4, 5, 6])
    expect(buffer.read(2, 1)).toBeUndefined()
  })

  it('drops what it has already', () => {
    const buffer = new PartitionBuffer()
    buffer.receive(batch(0, 9))
    expect(buffer.receive(batch(0, 9))).toBe(false)
    expect(buffer.receive(batch(5, 12))).toBe(true)
    expect(offsets(buffer.read(8, 10))).toEqual([8, 9, 10, 11, 12])
  })

  it('refuses a batch that lies ahead until a second one, after the seek, begins there too', () => {
    const buffer = new PartitionBuffer()
    buffer.receive(batch(0, 9))
    expect(buffer.receive(batch(15, 19))).toBe(false)
    expect(buffer.next).toBe(10)
    expect(buffer.receive(batch(15, 19))).toBe(true)
    expect(offsets(buffer.read(10, 10))).toEqual([15, 16, 17, 18, 19])
  })

  it('goes over offsets that the broker has no record for', () => {
    const buffer = new PartitionBuffer()
    buffer.receive(batch(0, 9, 4))
    expect(offsets(buffer.read(0, 2))).toEqual([4, 5])
    expect(buffer.next).toBe(10)
  })

  it('counts what it holds, and forgets what was read past', () => {
    const buffer = new PartitionBuffer()
    buffer.receive(batch(0, 9))
    expect([buffer.recordCount, buffer.bytes]).toEqual([10, 100])
    buffer.read(6, 1)
    expect([buffer.recordCount, buffer.bytes]).toEqual([4, 40])
    buffer.read(10, 1)
    expect([buffer.recordCount, buffer.bytes]).toEqual([0, 0])
  })

  it('never skips and never repeats a record, however kafkajs and the reader interleave', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('fetch' as const), size: fc.integer({ min: 1, max: 8 }) }),
      fc.record({
        kind: fc.constant('stray' as const),
        at: fc.nat(60),
        size: fc.integer({ min: 1, max: 8 }),
      }),
      fc.record({ kind: fc.constant('read' as const), max: fc.integer({ min: 1, max: 8 }) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const buffer = new PartitionBuffer()
        const read: number[] = []
        let kafkajs = 0
        let strayed = false
        for (const each of steps) {
          if (each.kind === 'read') {
            const records = buffer.read(read.length, each.max)
            if (records === undefined) kafkajs = buffer.next
            read.push(...(records ?? []).map(({ offset }) => offset))
            continue
          }
          // One fetch of a partition is under way at a time, so after a stray one the next follows the seek.
          const at = each.kind === 'stray' && !strayed ? each.at : kafkajs
          strayed = each.kind === 'stray' && !strayed
          if (buffer.receive(batch(at, at + each.size - 1))) kafkajs = at + each.size
          else kafkajs = buffer.next
        }
        expect(read).toEqual(read.map((_, index) => index))
      }),
    )
  })
})

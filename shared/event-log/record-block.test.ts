import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LogRecord } from './event-log.ts'
import { readBlockHeader, readBlockRecords, RecordBlockWriter } from './record-block.ts'

const anyRecord = fc.record({
  key: fc.string({ unit: 'grapheme' }),
  value: fc.oneof(fc.string({ unit: 'grapheme' }), fc.uint8Array(), fc.constant('x'.repeat(9000))),
})

function write(
  records: readonly { readonly key: string; readonly value: string | Uint8Array }[],
  at: number,
): Buffer {
  const writer = new RecordBlockWriter()
  for (const record of records) writer.add(record)
  expect(writer.count).toBe(records.length)
  return Buffer.from(writer.finish(at))
}

describe('a block of records', () => {
  it('gives back what was written, from any offset and as many as asked for', () => {
    fc.assert(
      fc.property(
        fc.array(anyRecord, { minLength: 1, maxLength: 12 }),
        fc.nat(1e12),
        fc.nat(14),
        fc.integer({ min: 1, max: 14 }),
        (records, firstOffset, skip, recordsMax) => {
          const block = write(records, 1_700_000_000_123.5)
          const read: LogRecord[] = []
          readBlockRecords(block, { firstOffset, fromOffset: firstOffset + skip, recordsMax }, read)
          const expected = records.map(({ key, value }, index) => ({
            offset: firstOffset + index,
            key,
            value: Buffer.from(value).toString('latin1'),
            appendedAtMs: 1_700_000_000_123.5,
          }))
          // Compared as text: comparing buffers byte by byte is slow.
          const asText = read.map((record) => ({
            ...record,
            value: Buffer.from(record.value).toString('latin1'),
          }))
          expect(asText).toEqual(expected.slice(skip, skip + recordsMax))
        },
      ),
      { numRuns: 50 },
    )
  })

  it('says how many records it holds and when they came', () => {
    expect(readBlockHeader(write([{ key: 'a', value: 'b' }], 42))).toEqual({ count: 1, appendedAtMs: 42 })
  })

  it('is refused when a later version wrote it', () => {
    const block = write([{ key: 'a', value: 'b' }], 42)
    block.writeUInt8(2, 0)
    expect(() => readBlockHeader(block)).toThrow('version 2')
  })
})

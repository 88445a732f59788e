import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import Record from 'kafkajs/src/protocol/recordBatch/record/v0/index.js'
import recordBatch from 'kafkajs/src/protocol/recordBatch/v0/index.js'
import { crc32c } from './crc32c.ts'
import { recordCountOf, RecordBatchWriter, stampRecordBatch } from './kafka-record-batch.ts'
import { SequenceBook } from './kafkajs-produce.ts'

const anyRecord = fc.record({
  key: fc.string({ unit: 'grapheme', maxLength: 40 }),
  value: fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    fc.constantFrom('x'.repeat(63), 'x'.repeat(64), 'x'.repeat(8191), 'x'.repeat(8192), 'é'.repeat(20_000)),
  ),
})

describe('RecordBatchWriter', () => {
  it('writes what kafkajs would write, byte for byte', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyRecord, { minLength: 1, maxLength: 80 }),
        fc.nat(2 ** 40),
        fc.nat(32_767),
        fc.nat(2 ** 31 - 1),
        async (records, producerId, epoch, baseSequence) => {
          const writer = new RecordBatchWriter()
          for (const { key, value } of records) {
            writer.add(key, Buffer.byteLength(key), value, Buffer.byteLength(value))
          }
          const ours = writer.finish(1_795_559_864_081)
          stampRecordBatch(ours, { id: BigInt(producerId), epoch, baseSequence })
          const theirs = await recordBatch.RecordBatch({
            records: records.map(({ key, value }, offsetDelta) => Record({ offsetDelta, key, value })),
            firstTimestamp: 1_795_559_864_081,
            maxTimestamp: 1_795_559_864_081,
            partitionLeaderEpoch: -1,
            lastOffsetDelta: records.length - 1,
            producerId: `${producerId}`,
            producerEpoch: epoch,
            firstSequence: baseSequence,
          })
          expect(ours.equals(theirs.buffer)).toBe(true)
          expect(recordCountOf(ours)).toBe(records.length)
        },
      ),
      { numRuns: 30 },
    )
  })

  it('writes bytes as they are', () => {
    const [asText, asBytes] = [new RecordBatchWriter(), new RecordBatchWriter()]
    asText.add('k', 1, 'value', 5)
    asBytes.add('k', 1, new Uint8Array(Buffer.from('value')), 5)
    const [text, bytes] = [asText.finish(1), asBytes.finish(1)]
    for (const batch of [text, bytes]) stampRecordBatch(batch, { id: 1n, epoch: 0, baseSequence: 0 })
    expect(bytes).toEqual(text)
  })

  it('may be stamped again, as for a second try', () => {
    const writer = new RecordBatchWriter()
    writer.add('k', 1, 'v', 1)
    const batch = writer.finish(1)
    stampRecordBatch(batch, { id: 7n, epoch: 0, baseSequence: 12 })
    const first = Buffer.from(batch)
    stampRecordBatch(batch, { id: 7n, epoch: 0, baseSequence: 12 })
    expect(batch).toEqual(first)
  })
})

describe('crc32c', () => {
  // Source: RFC 3720, appendix B.4, and the usual check value.
  it.each([
    ['123456789', Buffer.from('123456789'), 0xe3069283],
    ['32 bytes of zeros', Buffer.alloc(32), 0x8a9136aa],
    ['32 bytes of ones', Buffer.alloc(32, 0xff), 0x62a8ab43],
    ['0 to 31', Buffer.from(Array.from({ length: 32 }, (_, index) => index)), 0x46dd794e],
    ['nothing', Buffer.alloc(0), 0],
  ])('of %s is as published', (_name, bytes, checksum) => {
    expect(crc32c(bytes, 0)).toBe(checksum)
  })

  it('leaves out what lies before the start', () => {
    expect(crc32c(Buffer.from('xx123456789'), 2)).toBe(0xe3069283)
  })
})

describe('SequenceBook', () => {
  it('counts the records of a partition, and gives a batch that is sent again its first number', () => {
    const book = new SequenceBook()
    expect(book.start('t/0', 0, 10)).toBe(0)
    expect(book.start('t/0', 0, 10)).toBe(0)
    expect(book.start('t/0', 1, 5)).toBe(10)
    expect(book.start('t/1', 0, 3)).toBe(0)
    expect(book.start('t/0', 1, 5)).toBe(10)
    expect(book.start('t/0', 2, 1)).toBe(15)
  })

  it('goes on from 0 after the largest 32-bit number, as brokers do', () => {
    const book = new SequenceBook()
    book.start('t/0', 0, 2 ** 31 - 2)
    expect(book.start('t/0', 1, 5)).toBe(2 ** 31 - 2)
    expect(book.start('t/0', 2, 1)).toBe(3)
  })

  it('refuses a batch out of turn', () => {
    const book = new SequenceBook()
    book.start('t/0', 0, 1)
    expect(() => book.start('t/0', 2, 1)).toThrow('batch 2 of t/0')
  })
})

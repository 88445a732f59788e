import { crc32c } from './crc32c.ts'

/**
 * Kafka's record batch, magic 2, as it goes over the wire and onto the broker's disk. All integers are big-endian.
 *
 * base offset int64 | length int32 | leader epoch int32 | magic int8 | CRC-32C uint32 | attributes int16 |
 * last offset delta int32 | first timestamp int64 | last timestamp int64 | producer id int64 |
 * producer epoch int16 | base sequence int32 | record count int32 | records.
 * Source: kafka.apache.org/documentation/#recordbatch.
 */
const LENGTH_AT = 8
const LEADER_EPOCH_AT = 12
const MAGIC_AT = 16
const CRC_AT = 17
const ATTRIBUTES_AT = 21
const LAST_OFFSET_DELTA_AT = 23
const FIRST_TIMESTAMP_AT = 27
const LAST_TIMESTAMP_AT = 35
const PRODUCER_ID_AT = 43
const PRODUCER_EPOCH_AT = 51
const BASE_SEQUENCE_AT = 53
const COUNT_AT = 57
const RECORDS_AT = 61

const MAGIC = 2
/** Brokers fill it in. */
const NO_LEADER_EPOCH = -1
/** A record's length, attributes, timestamp and offset deltas, the lengths of key and value, and no headers. */
export const RECORD_OVERHEAD_BYTES_MAX = 5 + 1 + 1 + 5 + 5 + 5 + 1
const FIRST_BUFFER_BYTES = 4096

/** Collects the records of one partition in the form in which they are sent; nothing is kept per record. */
export class RecordBatchWriter {
  #bytes = Buffer.allocUnsafeSlow(FIRST_BUFFER_BYTES)
  #length = RECORDS_AT
  #count = 0

  get byteLength(): number {
    return this.#length
  }

  /** `keyBytes` and `valueBytes` are the lengths of the two in UTF-8. */
  add(key: string, keyBytes: number, value: string | Uint8Array, valueBytes: number): void {
    this.#reserve(RECORD_OVERHEAD_BYTES_MAX + keyBytes + valueBytes)
    const offsetDelta = this.#count
    const body =
      3 + varintBytes(offsetDelta) + varintBytes(keyBytes) + keyBytes + varintBytes(valueBytes) + valueBytes
    this.#writeVarint(body)
    this.#bytes[this.#length++] = 0 // attributes
    this.#bytes[this.#length++] = 0 // timestamp delta: all have the batch's timestamp
    this.#writeVarint(offsetDelta)
    this.#writeVarint(keyBytes)
    this.#length += this.#bytes.write(key, this.#length, 'utf8')
    this.#writeVarint(valueBytes)
    if (typeof value === 'string') this.#bytes.write(value, this.#length, 'utf8')
    else this.#bytes.set(value, this.#length)
    this.#length += valueBytes
    this.#bytes[this.#length++] = 0 // headers
    this.#count += 1
  }

  /** The batch, complete but for the producer, its sequence and the checksum; see `stampRecordBatch`. */
  finish(timestampMs: number): Buffer {
    const batch = this.#bytes.subarray(0, this.#length)
    const timestamp = BigInt(timestampMs)
    batch.writeBigInt64BE(0n, 0)
    batch.writeInt32BE(this.#length - LEADER_EPOCH_AT, LENGTH_AT)
    batch.writeInt32BE(NO_LEADER_EPOCH, LEADER_EPOCH_AT)
    batch.writeInt8(MAGIC, MAGIC_AT)
    batch.writeInt16BE(0, ATTRIBUTES_AT)
    batch.writeInt32BE(this.#count - 1, LAST_OFFSET_DELTA_AT)
    batch.writeBigInt64BE(timestamp, FIRST_TIMESTAMP_AT)
    batch.writeBigInt64BE(timestamp, LAST_TIMESTAMP_AT)
    batch.writeInt32BE(this.#count, COUNT_AT)
    return batch
  }

  #reserve(more: number): void {
    const needed = this.#length + more
    if (needed <= this.#bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2))
    this.#bytes.copy(larger, 0, 0, this.#length)
    this.#bytes = larger
  }

  /** A signed varint of a number that is not negative: zigzag doubles it. */
  #writeVarint(value: number): void {
    let rest = value * 2
    while (rest > 0x7f) {
      this.#bytes[this.#length++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.#bytes[this.#length++] = rest
  }
}

export function recordCountOf(batch: Buffer): number {
  return batch.readInt32BE(COUNT_AT)
}

/** Fills in who sends the batch and as which part of its sequence, and the checksum. May be repeated. */
export function stampRecordBatch(
  batch: Buffer,
  producer: { readonly id: bigint; readonly epoch: number; readonly baseSequence: number },
): void {
  batch.writeBigInt64BE(producer.id, PRODUCER_ID_AT)
  batch.writeInt16BE(producer.epoch, PRODUCER_EPOCH_AT)
  batch.writeInt32BE(producer.baseSequence, BASE_SEQUENCE_AT)
  batch.writeUInt32BE(crc32c(batch, ATTRIBUTES_AT), CRC_AT)
}

function varintBytes(value: number): number {
  const doubled = value * 2
  if (doubled < 0x80) return 1
  if (doubled < 0x4000) return 2
  if (doubled < 0x200000) return 3
  return doubled < 0x10000000 ? 4 : 5
}

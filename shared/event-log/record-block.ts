import type { LogRecord, NewRecord } from './event-log.ts'

/**
 * How consecutive records of one partition lie in one value of the `file:` log.
 *
 * version (1 byte) | record count (uint32) | appended at, ms since the epoch (float64), then for each record:
 * key bytes (uint32) | value bytes (uint32) | key (UTF-8) | value. Numbers are little-endian. A block's first
 * offset is in its database key; a record's offset is that plus its place in the block.
 */
const VERSION = 1
const COUNT_AT = 1
const APPENDED_AT = 5
const HEADER_BYTES = 13
const RECORD_HEADER_BYTES = 8
/** UTF-8 needs at most three bytes for each UTF-16 unit. */
const UTF8_BYTES_PER_UNIT_MAX = 3
const FIRST_BLOCK_BYTES = 16 * 1024

/** Collects records and lays them out as one block. Strings are written straight into it, without a copy each. */
export class RecordBlockWriter {
  #bytes = Buffer.allocUnsafeSlow(FIRST_BLOCK_BYTES)
  #length = HEADER_BYTES
  #count = 0

  get count(): number {
    return this.#count
  }

  get byteLength(): number {
    return this.#length
  }

  add(record: NewRecord): void {
    const { key, value } = record
    const valueBytesMax =
      typeof value === 'string' ? value.length * UTF8_BYTES_PER_UNIT_MAX : value.byteLength
    this.#reserve(RECORD_HEADER_BYTES + key.length * UTF8_BYTES_PER_UNIT_MAX + valueBytesMax)
    const keyAt = this.#length + RECORD_HEADER_BYTES
    const keyBytes = this.#bytes.write(key, keyAt, 'utf8')
    const valueAt = keyAt + keyBytes
    const valueBytes = this.#writeValue(value, valueAt)
    this.#bytes.writeUInt32LE(keyBytes, this.#length)
    this.#bytes.writeUInt32LE(valueBytes, this.#length + 4)
    this.#length = valueAt + valueBytes
    this.#count += 1
  }

  /** The finished block; it stays valid until the next `add`. */
  finish(appendedAtMs: number): Buffer {
    this.#bytes.writeUInt8(VERSION, 0)
    this.#bytes.writeUInt32LE(this.#count, COUNT_AT)
    this.#bytes.writeDoubleLE(appendedAtMs, APPENDED_AT)
    return this.#bytes.subarray(0, this.#length)
  }

  #writeValue(value: string | Uint8Array, at: number): number {
    if (typeof value === 'string') return this.#bytes.write(value, at, 'utf8')
    this.#bytes.set(value, at)
    return value.byteLength
  }

  #reserve(more: number): void {
    const needed = this.#length + more
    if (needed <= this.#bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2))
    this.#bytes.copy(larger, 0, 0, this.#length)
    this.#bytes = larger
  }
}

/** What a block says about itself, without its records. */
export function readBlockHeader(block: Buffer): { readonly count: number; readonly appendedAtMs: number } {
  const version = block.readUInt8(0)
  if (version !== VERSION) {
    throw new Error(
      `The event log holds blocks of version ${version}; this program reads version ${VERSION}.`,
    )
  }
  return { count: block.readUInt32LE(COUNT_AT), appendedAtMs: block.readDoubleLE(APPENDED_AT) }
}

/** Appends to `into` the block's records from `fromOffset` on, until it holds `recordsMax`. Values share the block's memory. */
export function readBlockRecords(
  block: Buffer,
  range: { readonly firstOffset: number; readonly fromOffset: number; readonly recordsMax: number },
  into: LogRecord[],
): void {
  const { count, appendedAtMs } = readBlockHeader(block)
  let at = HEADER_BYTES
  for (let index = 0; index < count && into.length < range.recordsMax; index++) {
    const keyBytes = block.readUInt32LE(at)
    const valueAt = at + RECORD_HEADER_BYTES + keyBytes
    const end = valueAt + block.readUInt32LE(at + 4)
    const offset = range.firstOffset + index
    if (offset >= range.fromOffset) {
      const key = block.toString('utf8', at + RECORD_HEADER_BYTES, valueAt)
      into.push({ offset, key, value: block.subarray(valueAt, end), appendedAtMs })
    }
    at = end
  }
}

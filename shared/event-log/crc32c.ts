/** The Castagnoli polynomial, bits reversed. */
const POLYNOMIAL = 0x82f63b78
const SLICES = 8

/** `TABLES[k * 256 + byte]` advances the checksum of `byte` by `k` more bytes of zero. */
const TABLES = buildTables()

/**
 * CRC-32C of `bytes` from `start` to their end, as an unsigned 32-bit number. Kafka puts it into every record batch.
 *
 * Eight bytes at a time by tables ("slicing-by-8", Kounavis and Berry, Intel 2005).
 */
export function crc32c(bytes: Buffer, start: number): number {
  let crc = 0xffffffff
  let at = start
  for (const end = bytes.length - SLICES; at <= end; at += SLICES) {
    const low = crc ^ bytes.readInt32LE(at)
    const high = bytes.readInt32LE(at + 4)
    crc =
      entry(7, low & 0xff) ^
      entry(6, (low >>> 8) & 0xff) ^
      entry(5, (low >>> 16) & 0xff) ^
      entry(4, low >>> 24) ^
      entry(3, high & 0xff) ^
      entry(2, (high >>> 8) & 0xff) ^
      entry(1, (high >>> 16) & 0xff) ^
      entry(0, high >>> 24)
  }
  for (; at < bytes.length; at++) crc = entry(0, (crc ^ bytes.readUInt8(at)) & 0xff) ^ (crc >>> 8)
  return ~crc >>> 0
}

function entry(slice: number, byte: number): number {
  return TABLES[slice * 256 + byte] ?? 0
}

function buildTables(): Int32Array {
  const tables = new Int32Array(SLICES * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0)
    tables[byte] = crc
  }
  for (let at = 256; at < tables.length; at++) {
    const shorter = tables[at - 256] ?? 0
    tables[at] = (shorter >>> 8) ^ (tables[shorter & 0xff] ?? 0)
  }
  return tables
}

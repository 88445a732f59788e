import { describe, expect, it } from 'vitest'
import type { AssignedPartition, LogRecord } from '#shared/event-log/event-log.ts'
import { collectFresh, intentOf, parseIntent, tokenOf } from './block.ts'

const MIB = 1024 * 1024

/** A partition with endless records of this size, eight to a read, as a log bounds its reads. */
function endlessPartition(recordBytes: number): Pick<AssignedPartition, 'read'> {
  const value = new Uint8Array(recordBytes)
  return {
    read: async ({ fromOffset, maxRecords }) =>
      Array.from({ length: Math.min(8, maxRecords) }, (_, index): LogRecord => ({
        offset: fromOffset + index,
        key: 'key',
        value,
        appendedAtMs: 0,
      })),
  }
}

const limits = { idleMs: 1, blockWaitMs: 60_000, recordsMax: 100 }

describe('collectFresh', () => {
  it('ends a block at its number of records', async () => {
    const records = await collectFresh(endlessPartition(10), 5, limits)
    expect(records.map(({ offset }) => offset)).toEqual(Array.from({ length: 100 }, (_, index) => index + 5))
  })

  it('ends a block of large records at its bytes, so that it fits into memory', async () => {
    const records = await collectFresh(endlessPartition(MIB), 0, { ...limits, recordsMax: 5000 })
    expect(records.length).toBeGreaterThanOrEqual(32)
    expect(records.length).toBeLessThanOrEqual(40)
  })
})

describe('the intent', () => {
  it('names the last offset of the block, and nothing means that none is pending', () => {
    expect(parseIntent(intentOf({ lastOffset: 4711 }))).toBe(4711)
    expect(parseIntent('')).toBeUndefined()
  })

  it('refuses a position that another program wrote', () => {
    expect(() => parseIntent('sending:a:1')).toThrow(/another program/)
  })
})

describe('the token', () => {
  const block = (text: string) => ({
    partition: 1,
    firstOffset: 10,
    lastOffset: 10,
    records: [{ offset: 10, key: 'key', value: Buffer.from(text), appendedAtMs: 0 }],
  })

  it('is the same for the same records and another for others at the same offsets', () => {
    expect(tokenOf('topic', block('a'))).toBe(tokenOf('topic', block('a')))
    expect(tokenOf('topic', block('a'))).not.toBe(tokenOf('topic', block('b')))
  })
})

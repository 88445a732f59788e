import { constants } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { eventColumns, toEventRow } from './event-row.ts'
import { inPieces, lineOf } from './event-store.ts'
import { createRecipientPrivacy } from './recipient-privacy.ts'

const privacy = createRecipientPrivacy({
  data_directory: '.',
  privacy: { recipients: 'hash', hash_key: 'a key for tests' },
})

function row(id: string, text: string) {
  const event = {
    event: 'bounce',
    sg_event_id: id,
    timestamp: 1_790_000_000,
    reason: text,
    url: text,
    useragent: text,
  }
  const message = {
    v: 1,
    key: 'k',
    attribution: { rule: 'source' },
    source: 'main',
    received_at: 0,
    event,
  } as const
  return toEventRow(message, { partition: 0, offset: 1 }, privacy)
}

describe('the body of an insert', () => {
  it('writes one row a line, its columns in order', () => {
    const rows = [row('a', 'x'), row('b', 'line\nbreak and "quotes" \u{1f512}')]
    const lines = Buffer.concat([...inPieces(rows.map(lineOf))])
      .toString('utf8')
      .trimEnd()
      .split('\n')
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual(
      rows.map((written) => eventColumns.map((column) => written[column])),
    )
  })

  it('writes a block that is longer than any string can be, a small piece at a time', () => {
    const large = lineOf(row('large', '\0'.repeat(8192)))
    const count = Math.ceil(constants.MAX_STRING_LENGTH / large.length) + 1
    const lines = Array.from({ length: count }, () => large)
    let bytes = 0
    for (const piece of inPieces(lines)) {
      bytes += piece.length
      expect(piece.length).toBeLessThan(2 * 1024 * 1024)
    }
    expect(bytes).toBeGreaterThan(constants.MAX_STRING_LENGTH)
  })
})

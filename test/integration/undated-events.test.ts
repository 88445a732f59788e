import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decodeRecord } from '../../services/detector/decode-records.ts'
import { createMetrics } from '../../services/detector/metrics.ts'
import { storeBlock } from '../../services/detector/store-block.ts'
import { normaliseEvent } from '#shared/domain/normalise-event.ts'
import { topics } from '#shared/event-log/topics.ts'
import { createWarehouseClient, type ClickHouseClient } from '#shared/warehouse/client.ts'
import { migrateWarehouse } from '#shared/warehouse/migrate.ts'
import { createRecipientPrivacy } from '#shared/warehouse/recipient-privacy.ts'
import { startTestWarehouse, type TestWarehouse } from '../support/start-warehouse.ts'
import { countOf, differingRollupCells } from '../support/stored-events.ts'

const HOUR_MS = 3_600_000
const RECEIVED_MS = 1_790_000_000_000
const privacy = createRecipientPrivacy({
  data_directory: '.',
  privacy: { recipients: 'hash', hash_key: 'a key for tests' },
})

let warehouse: TestWarehouse
let client: ClickHouseClient

beforeAll(async () => {
  warehouse = await startTestWarehouse()
  await migrateWarehouse(warehouse.connection, { rawRetentionDays: 3650 })
  client = createWarehouseClient(warehouse.connection, 'keywatch-tests')
})

afterAll(async () => {
  await client?.close()
  await warehouse?.stop()
})

type Webhook = { readonly source: string; readonly receivedMs: number; readonly elements: readonly object[] }

let nextOffset = 0

/** What ingest appends for these elements, stored by the detector as one block. */
async function store(
  webhooks: readonly Webhook[],
  again?: { readonly firstOffset: number },
): Promise<{ readonly fresh: string[]; readonly firstOffset: number }> {
  const firstOffset = again?.firstOffset ?? nextOffset
  const values = webhooks.flatMap(({ source, receivedMs, elements }) =>
    elements.map((element) => {
      const normal = normaliseEvent(element, receivedMs)
      if (normal.kind !== 'event') throw new Error(normal.detail)
      return JSON.stringify({
        v: 1,
        source,
        key: 'orders',
        attribution: { rule: 'custom_arg' },
        received_at: receivedMs,
        event: normal.event,
        normalised: normal.normalised,
      })
    }),
  )
  const records = values.map((value, index) => ({
    offset: firstOffset + index,
    key: 'orders',
    value: Buffer.from(value),
    appendedAtMs: 0,
  }))
  nextOffset = Math.max(nextOffset, firstOffset + records.length)
  const block = { partition: 1, firstOffset, lastOffset: firstOffset + records.length - 1, records }
  const fresh = await storeBlock(
    block,
    records.map((record) => decodeRecord(record, 1, privacy)),
    { topic: topics.events, replaying: again !== undefined },
    { client, metrics: createMetrics(), log: pino({ level: 'silent' }), lost: new AbortController().signal },
  )
  return { fresh: fresh.map(({ row }) => row.sg_event_id), firstOffset }
}

const undated = (sg_event_id: string) => ({ event: 'processed', sg_event_id, email: 'a@example.org' })
const dated = (sg_event_id: string, timestamp = RECEIVED_MS / 1000 - 60) => ({
  ...undated(sg_event_id),
  timestamp,
})
const many = (count: number, prefix: string) =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`)
const count = (source: string) =>
  countOf(client, `SELECT count() AS count FROM events WHERE source = '${source}'`)

describe('an event without a believable time', () => {
  it('is stored once, though it has another time whenever it is delivered', async () => {
    const elements = [
      undated('none'),
      { ...undated('text'), timestamp: 'yesterday' },
      { ...undated('negative'), timestamp: -5 },
      { ...undated('far'), timestamp: 4_102_444_800 },
      { event: 'processed', email: 'no-id@example.org' },
    ]
    for (const hours of [0, 1, 23, 47, 71]) {
      await store([{ source: 'odd', receivedMs: RECEIVED_MS + hours * HOUR_MS, elements }])
    }
    expect(await count('odd')).toBe(5)
  })

  it('is stored once where one block holds it several times', async () => {
    const webhooks = [0, 30, 90].map((minutes) => ({
      source: 'block',
      receivedMs: RECEIVED_MS + minutes * 60_000,
      elements: [undated('a'), undated('b')],
    }))
    expect((await store(webhooks)).fresh).toEqual(['a', 'b'])
    expect(await count('block')).toBe(2)
  })

  it('does not hide another event: of another source, of another id, or long before', async () => {
    await store([{ source: 'one', receivedMs: RECEIVED_MS, elements: [undated('a')] }])
    const { fresh } = await store([
      { source: 'two', receivedMs: RECEIVED_MS + HOUR_MS, elements: [undated('a'), undated('b')] },
      { source: 'one', receivedMs: RECEIVED_MS + HOUR_MS, elements: [undated('c')] },
      { source: 'one', receivedMs: RECEIVED_MS + 24 * 30 * HOUR_MS, elements: [undated('a')] },
    ])
    expect(fresh).toEqual(['a', 'b', 'c', 'a'])
  })

  it('is found among thousands of its kind in one block', async () => {
    const ids = many(9000, 'x'.repeat(60))
    const elements = ids.map(undated)
    await store([{ source: 'many', receivedMs: RECEIVED_MS, elements }])
    const later = RECEIVED_MS + 20 * HOUR_MS
    const { fresh } = await store([
      { source: 'many', receivedMs: later, elements: [...elements.toReversed(), undated('new')] },
    ])
    expect(fresh).toEqual(['new'])
    expect(await count('many')).toBe(9001)
  })

  it('changes nothing for the dated events of its block', async () => {
    const dates = many(1500, 'd').map((id, index) => dated(id, RECEIVED_MS / 1000 - index * 60))
    const undatedOnes = many(1500, 'u').map(undated)
    const mixed = dates.flatMap((event, index) => [event, undatedOnes[index] ?? event])
    await store([{ source: 'mixed', receivedMs: RECEIVED_MS, elements: mixed }])
    const { fresh } = await store([
      {
        source: 'mixed',
        receivedMs: RECEIVED_MS + 5 * HOUR_MS,
        // One dated event of a known id and another time: as ever, another event.
        elements: [...mixed, dated('d7', RECEIVED_MS / 1000 + 7), dated('fresh'), undated('fresh-too')],
      },
    ])
    expect(fresh).toEqual(['d7', 'fresh', 'fresh-too'])
    expect(await count('mixed')).toBe(3003)
    expect(await differingRollupCells(client)).toBe(0)
  })

  it('is the same event where one delivery was believed and another was not', async () => {
    const [first, second] = [dated('both'), undated('both')]
    await store([{ source: 'believed', receivedMs: RECEIVED_MS, elements: [first, second] }])
    await store([{ source: 'believed', receivedMs: RECEIVED_MS + HOUR_MS, elements: [second, first] }])
    expect(await count('believed')).toBe(1)
  })

  it('does not count as stored when its own block is stored again', async () => {
    const webhook = { source: 'again', receivedMs: RECEIVED_MS, elements: [undated('a'), dated('b')] }
    const { firstOffset } = await store([webhook])
    expect((await store([webhook], { firstOffset })).fresh).toEqual(['a', 'b'])
    expect(await count('again')).toBe(2)
  })
})

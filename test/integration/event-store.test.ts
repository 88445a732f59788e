import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { alertChangesSince, insertAlertChanges, openAlerts } from '#shared/warehouse/alert-store.ts'
import { createWarehouseClient, type ClickHouseClient } from '#shared/warehouse/client.ts'
import { toEventRow, type EventRow } from '#shared/warehouse/event-row.ts'
import { findStoredEvents, identityOf, insertEvents } from '#shared/warehouse/event-store.ts'
import { migrateWarehouse } from '#shared/warehouse/migrate.ts'
import { createRecipientPrivacy } from '#shared/warehouse/recipient-privacy.ts'
import { insertRejected, toRejectedRow } from '#shared/warehouse/rejected-store.ts'
import {
  keyPartitions,
  loadSourceHours,
  loadSources,
  loadSourceTraffic,
} from '#shared/warehouse/usage-store.ts'
import { endedAlert } from '#shared/detection/incident-alerts.ts'
import type { Alert } from '#shared/domain/alert.ts'
import { exampleAlert } from '#shared/domain/example-alert.ts'
import { habitsOf, MONDAY, traffic } from '../support/engine-traffic.ts'
import { startTestWarehouse, type TestWarehouse } from '../support/start-warehouse.ts'
import { anEventMessage, countOf, differingRollupCells } from '../support/stored-events.ts'

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

const privacy = createRecipientPrivacy({
  data_directory: '.',
  privacy: { recipients: 'hash', hash_key: 'a key for tests' },
})

function rows(source: string, ids: readonly string[], event: Record<string, unknown> = {}): EventRow[] {
  return ids.map((id, index) => {
    const message = anEventMessage(
      { sg_event_id: id, timestamp: 1_790_000_000 + index, ...event },
      { source },
    )
    return toEventRow(message, { partition: 1, offset: 100 + index }, privacy)
  })
}

const count = (source: string) =>
  countOf(client, `SELECT count() AS count FROM events WHERE source = '${source}'`)

describe('insertEvents', () => {
  it('changes nothing when the same block comes again under its token, in raw or in rollups', async () => {
    const block = rows('again', ['a', 'b', 'c'])
    await insertEvents(client, block, 'again:1')
    await insertEvents(client, block, 'again:1')
    expect(await count('again')).toBe(3)
    expect(await differingRollupCells(client)).toBe(0)
  })

  it('stores the same rows under another token: no setting of one insert acts on the next', async () => {
    const block = rows('other', ['a', 'b'])
    await insertEvents(client, block, 'other:1')
    await insertEvents(client, block, 'other:2')
    expect(await count('other')).toBe(4)
  })

  it('refuses a token that could end the statement’s text', async () => {
    await expect(insertEvents(client, rows('token', ['a']), "x' --")).rejects.toThrow(RangeError)
  })

  it('stores whatever an event may hold, byte for byte', async () => {
    const odd = ["'; DROP TABLE events; --", 'x\u0000y\\', '\u2028\u202e{x:String}', '日本語 🎉']
    const block = rows('odd', odd, { 'odd \u0000 name': 'half \ud800 pair', url: 'https://x.io/?e=a%40b.de' })
    await insertEvents(client, block, 'odd:1')
    const result = await client.query({
      query: `SELECT sg_event_id, url, arguments FROM events WHERE source = 'odd' ORDER BY log_offset`,
      format: 'JSONEachRow',
    })
    expect(await result.json()).toEqual(
      block.map(({ sg_event_id, url, arguments: rest }) => ({ sg_event_id, url, arguments: rest })),
    )
  })
})

describe('findStoredEvents', () => {
  it('finds what is stored under the same source, time and id, whatever its key, and nothing else', async () => {
    const stored = rows('find', ["it's", 'b"', 'c\\'])
    await insertEvents(client, stored, 'find:1')
    const [first, second, third] = stored
    if (first === undefined || second === undefined || third === undefined) throw new Error('three rows')
    const candidates = [
      { ...first, key: 'another key' },
      { ...second, timestamp: second.timestamp + 1 },
      { ...third, source: 'elsewhere' },
      { ...third, sg_event_id: 'never' },
    ]
    expect(await findStoredEvents(client, candidates)).toEqual(new Set([identityOf(first)]))
  })

  it('ignores the rows of the block that is stored again, and only those', async () => {
    await insertEvents(client, rows('ignore', ['a', 'b', 'c', 'd']), 'ignore:1')
    const found = await findStoredEvents(client, rows('ignore', ['a', 'b', 'c', 'd']), {
      partition: 1,
      firstOffset: 101,
      lastOffset: 102,
    })
    expect(new Set([...found].map((identity) => identity.split(' ').at(-1)))).toEqual(new Set(['a', 'd']))
  })

  it('looks up far more ids than one statement holds', async () => {
    const ids = Array.from({ length: 9000 }, (_, index) => `${index}`.padStart(90, 'x'))
    const block = rows('many', ids)
    await insertEvents(client, block, 'many:1')
    expect((await findStoredEvents(client, block)).size).toBe(9000)
  })
})

describe('usage', () => {
  it('reads from the rollups what is known of a source', async () => {
    const events = [
      ...traffic({
        keys: { orders: habitsOf(5).transactional },
        fromMinute: MONDAY,
        toMinute: MONDAY + 4320,
        seed: 5,
      }),
    ]
    const block = events.map((event, index) =>
      toEventRow(
        anEventMessage({ sg_event_id: `u${index}`, timestamp: event.timestamp }, { source: 'usage' }),
        { partition: 3, offset: index },
        privacy,
      ),
    )
    await insertEvents(client, block, 'usage:1')
    const minute = MONDAY + 4319
    const [source] = (await loadSources(client, minute * 60)).filter((stored) => stored.source === 'usage')
    expect(source).toEqual({
      source: 'usage',
      firstSeen: events[0]?.timestamp,
      unit: 'processed',
      messages: events.length,
      unattributedMessages: 0,
    })
    const hours = await loadSourceHours(client, minute * 60)
    const [silent] = (await loadSourceTraffic(client, hours)).filter((seen) => seen.source === 'usage')
    expect(silent?.lastSeen).toBe(events.at(-1)?.timestamp)
    const key = { source: 'usage', key: 'orders' }
    expect([...(await keyPartitions(client, [key], minute * 60)).values()]).toEqual([3])
  })
})

describe('alerts', () => {
  it('come back as they were written, each in its present state, however often they are written', async () => {
    const startMinute = Math.floor(Date.now() / 60_000) - 30
    const opened: Alert = {
      ...exampleAlert(),
      source: 'alerts',
      key: "it's \\ a key",
      started_at: new Date(startMinute * 60_000).toISOString(),
      detected_at: new Date((startMinute + 3) * 60_000 + 123).toISOString(),
      changed_at: new Date((startMinute + 3) * 60_000 + 123).toISOString(),
      evidence: { note: 'quote " and \u0000' },
    }
    await insertAlertChanges(client, [opened])
    await insertAlertChanges(client, [opened])
    expect((await openAlerts(client)).filter(({ source }) => source === 'alerts')).toEqual([opened])
    const over = endedAlert(opened, { endMinute: startMinute + 30, nowMs: (startMinute + 40) * 60_000 })
    await insertAlertChanges(client, [over])
    expect((await openAlerts(client)).filter(({ source }) => source === 'alerts')).toEqual([])
    const changes = await alertChangesSince(client, startMinute * 60_000)
    expect(changes.filter(({ source }) => source === 'alerts')).toEqual([opened, over])
  })
})

describe('rejected input', () => {
  it('is kept with its addresses masked and cut, once however often it comes', async () => {
    const row = toRejectedRow(
      {
        v: 1,
        rejected_id: 'r1',
        source: 'rejects',
        received_at: 1_790_000_000_123,
        scope: 'event',
        reason: 'schema',
        detail: 'half \ud800 pair of jane@example.org',
        payload_base64: Buffer.from(`{"email":"jane@example.org","x":"${'y'.repeat(9000)}"}`).toString(
          'base64',
        ),
      },
      { partition: 0, offset: 5 },
    )
    await insertRejected(client, [row])
    await insertRejected(client, [row])
    const result = await client.query({
      query: `SELECT detail, payload FROM rejected FINAL WHERE source = 'rejects'`,
      format: 'JSONEachRow',
    })
    const stored: { detail: string; payload: string }[] = await result.json()
    expect(stored).toHaveLength(1)
    expect(JSON.stringify(stored)).not.toContain('jane')
    expect(Buffer.byteLength(stored[0]?.payload ?? '')).toBeLessThanOrEqual(8192)
  })
})

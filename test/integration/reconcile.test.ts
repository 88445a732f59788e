import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createMetrics } from '../../services/detector/metrics.ts'
import { createReconciler, type Reconciler } from '../../services/detector/reconcile-rollups.ts'
import type { CommittedPosition } from '#shared/event-log/event-log.ts'
import { createWarehouseClient, type ClickHouseClient } from '#shared/warehouse/client.ts'
import { toEventRow, type EventRow } from '#shared/warehouse/event-row.ts'
import { insertEvents } from '#shared/warehouse/event-store.ts'
import { migrateWarehouse } from '#shared/warehouse/migrate.ts'
import { createRecipientPrivacy } from '#shared/warehouse/recipient-privacy.ts'
import { startTestWarehouse, type TestWarehouse } from '../support/start-warehouse.ts'
import { anEventMessage, countOf, differingRollupCells } from '../support/stored-events.ts'
import { seededRandom } from '../support/test-traffic.ts'

const DAY = 24 * 3600
const nowSeconds = Math.floor(Date.now() / 1000)
const today = Math.floor(nowSeconds / DAY) * DAY
const text = (seconds: number) => new Date(seconds * 1000).toISOString().slice(0, 10)
const TABLES = ['usage_minute', 'usage_hour', 'usage_day'] as const
const privacy = createRecipientPrivacy({
  data_directory: '.',
  privacy: { recipients: 'hash', hash_key: 'a key for tests' },
})

let warehouse: TestWarehouse
let client: ClickHouseClient

beforeEach(async () => {
  warehouse = await startTestWarehouse()
  await migrateWarehouse(warehouse.connection, { rawRetentionDays: 90 })
  client = createWarehouseClient(warehouse.connection, 'keywatch-tests')
})

afterEach(async () => {
  await client?.close()
  await warehouse?.stop()
})

const CLEAN: CommittedPosition = { offset: 0, metadata: '' }

function reconcilerOf(
  settings: {
    readonly positions?: () => Promise<readonly CommittedPosition[]>
    readonly settleMs?: number
  } = {},
): { readonly reconciler: Reconciler; readonly metric: (name: string, rollup?: string) => Promise<number> } {
  const metrics = createMetrics()
  const reconciler = createReconciler({
    client,
    metrics,
    log: pino({ level: process.env['TEST_LOG_LEVEL'] ?? 'silent' }),
    positions: settings.positions ?? (() => Promise.resolve([CLEAN])),
    rawRetentionDays: 90,
    now: Date.now,
    settleMs: settings.settleMs ?? 1,
    blocksMs: 1000,
  })
  const metric = async (name: string, rollup?: string) => {
    const found = (await metrics.registry.getSingleMetric(`keywatch_detector_${name}`)?.get())?.values ?? []
    return found
      .filter(({ labels }) => rollup === undefined || labels['rollup'] === rollup)
      .reduce((sum, { value }) => sum + value, 0)
  }
  return { reconciler, metric }
}

const run = (reconciler: Reconciler) => reconciler.run(new AbortController().signal)
const command = (query: string) => client.command({ query })
const total = (table: string) => countOf(client, `SELECT sum(events) AS count FROM ${table}`)
const parts = () =>
  countOf(
    client,
    `SELECT cityHash64(groupArray(name)) % 1000000007 AS count FROM
      (SELECT table || '/' || name AS name FROM system.parts
       WHERE database = currentDatabase() AND active ORDER BY name)`,
  )

let nextOffset = 0

/** Events of seven keys over so many days up to now. */
function makeRows(count: number, days: number, seed: number): EventRow[] {
  const random = seededRandom(seed)
  return Array.from({ length: count }, () => {
    nextOffset += 1
    return toEventRow(
      anEventMessage(
        {
          sg_event_id: `e${seed}-${nextOffset}`,
          timestamp: nowSeconds - Math.floor(random() * days * DAY),
          event: random() < 0.7 ? 'processed' : 'delivered',
        },
        { key: `key-${Math.floor(random() * 7)}`, source: random() < 0.5 ? 'main' : "o'ther" },
      ),
      { partition: 1, offset: nextOffset },
      privacy,
    )
  })
}

describe('reconciliation', { timeout: 180_000 }, () => {
  it('leaves an undamaged warehouse as it is', async () => {
    await insertEvents(client, makeRows(5000, 9, 1), 'rows:1')
    for (const table of [...TABLES, 'key_activity', 'events']) await command(`SYSTEM STOP MERGES ${table}`)
    const before = await parts()
    const { reconciler, metric } = reconcilerOf()
    for (let turn = 0; turn < 12; turn += 1) expect(await run(reconciler)).toBe('done')
    expect(await parts()).toBe(before)
    expect(await metric('rollup_repaired_total')).toBe(0)
    expect(await metric('reconciled_at_seconds')).toBeGreaterThan(nowSeconds - 1)
  })

  it('makes every cell equal to its raw events again, whatever was done to the rollups', async () => {
    await insertEvents(client, makeRows(20_000, 40, 2), 'rows:2')
    const yesterday = today - DAY
    const month = text(yesterday).slice(0, 7).replace('-', '')
    const wholeDay = text(today - 3 * DAY).replaceAll('-', '')
    await command(`ALTER TABLE usage_minute DROP PARTITION ${wholeDay}`)
    await command(`ALTER TABLE usage_day DROP PARTITION ${month}`)
    await command(`ALTER TABLE usage_hour DELETE WHERE key = 'key-3' SETTINGS mutations_sync = 1`)
    await command(
      `INSERT INTO usage_minute SELECT source, key, minute, event, events + 2 FROM usage_minute
       WHERE toDate(minute) = '${text(today - 5 * DAY)}' AND key = 'key-1'`,
    )
    await command(
      `INSERT INTO usage_hour VALUES ('main', 'nobody', toDateTime('${text(yesterday)} 05:00:00', 'UTC'), 'open', 7)`,
    )
    // Moved from one cell to another: the day's total says nothing.
    await command(
      `INSERT INTO usage_minute VALUES
        ('main', 'moved', toDateTime('${text(yesterday)} 05:00:00', 'UTC'), 'open', 3),
        ('main', 'moved', toDateTime('${text(yesterday)} 05:01:00', 'UTC'), 'open', 18446744073709551613)`,
    )
    await command(`ALTER TABLE key_activity DELETE WHERE key = 'key-2' SETTINGS mutations_sync = 1`)
    expect(await differingRollupCells(client)).toBeGreaterThan(300)

    const { reconciler, metric } = reconcilerOf()
    expect(await run(reconciler)).toBe('done')
    expect(await differingRollupCells(client)).toBe(0)
    for (const table of TABLES) {
      expect(await total(table)).toBe(20_000)
      expect(await metric('rollup_repaired_total', table)).toBeGreaterThan(0)
      // Nor does anybody see a row that only a sum makes sense of.
      expect(await countOf(client, `SELECT count() AS count FROM ${table} WHERE events > 1000000`)).toBe(0)
    }
    expect(await metric('rollup_repaired_total', 'key_activity')).toBe(2)
    expect(
      await countOf(
        client,
        `SELECT count() AS count FROM
          (SELECT source, key, min(timestamp) AS first, max(timestamp) AS last FROM events GROUP BY source, key)
          AS raw FULL JOIN
          (SELECT source, key, min(first_seen) AS first, max(last_seen) AS last FROM key_activity GROUP BY source, key)
          AS kept ON raw.source = kept.source AND raw.key = kept.key
          WHERE raw.first != kept.first OR raw.last != kept.last`,
      ),
    ).toBe(0)
    const repaired = await metric('rollup_repaired_total')
    expect(await run(reconciler)).toBe('done')
    expect(await metric('rollup_repaired_total')).toBe(repaired)
  })

  it('repairs the same damage again, and finds a moved count on any day in its turn', async () => {
    await insertEvents(client, makeRows(500, 10, 3), 'rows:3')
    const { reconciler } = reconcilerOf()
    for (let round = 0; round < 3; round += 1) {
      await command(
        `INSERT INTO usage_minute SETTINGS insert_deduplication_token='${round}' VALUES
          ('main', 'moved', toDateTime('${text(today - 6 * DAY)} 05:00:00', 'UTC'), 'open', 3),
          ('main', 'moved', toDateTime('${text(today - 6 * DAY)} 05:01:00', 'UTC'), 'open', 18446744073709551613)`,
      )
      expect(await differingRollupCells(client)).toBe(2)
      for (let turn = 0; turn < 11; turn += 1) await run(reconciler)
      expect(await differingRollupCells(client)).toBe(0)
    }
  })

  it('repairs more cells than one statement can name', async () => {
    await insertEvents(client, makeRows(30_000, 2, 8), 'rows:8')
    await command(`ALTER TABLE usage_minute DROP PARTITION ${text(today - DAY).replaceAll('-', '')}`)
    expect(await differingRollupCells(client)).toBeGreaterThan(9000)
    expect(await run(reconcilerOf().reconciler)).toBe('done')
    expect(await differingRollupCells(client)).toBe(0)
  })

  it('takes nothing from the rollups of a day whose raw events are missing, and still adds what they lack', async () => {
    await insertEvents(client, makeRows(3000, 8, 4), 'rows:4')
    const [gone, cut] = [today - 2 * DAY, today - 3 * DAY]
    const before = await countOf(
      client,
      `SELECT sum(events) AS count FROM usage_hour WHERE toDate(hour) = '${text(cut)}'`,
    )
    await command(`ALTER TABLE events DROP PARTITION ${text(gone).replaceAll('-', '')}`)
    await command(
      `ALTER TABLE events DELETE WHERE toDate(timestamp) = '${text(cut)}' AND key IN ('key-1', 'key-2')
       SETTINGS mutations_sync = 1`,
    )
    await command(
      `ALTER TABLE usage_hour DELETE WHERE toDate(hour) = '${text(cut)}' AND key = 'key-4' AND event = 'delivered'
       SETTINGS mutations_sync = 1`,
    )
    const { reconciler } = reconcilerOf()
    for (let turn = 0; turn < 3; turn += 1) expect(await run(reconciler)).toBe('done')
    expect(await total('usage_day')).toBe(3000)
    expect(await total('usage_minute')).toBe(3000)
    expect(
      await countOf(
        client,
        `SELECT sum(events) AS count FROM usage_hour WHERE toDate(hour) = '${text(cut)}'`,
      ),
    ).toBe(before)
  })

  it('does not take a block between raw and rollups for damage, and the retry of a crashed one doubles nothing', async () => {
    await insertEvents(client, makeRows(1000, 3, 5), 'rows:5')
    const block = makeRows(300, 1, 6)
    // What a crash leaves: the raw part is there under its token, the parts of two rollups are not.
    const views = ['usage_hour', 'usage_day'].map((table) => `${table}_from_events`)
    for (const view of views) await command(`DETACH TABLE ${view}`)
    await insertEvents(client, block, 'rows:6')
    for (const view of views) await command(`ATTACH TABLE ${view}`)
    let position = { offset: 7, metadata: '306' }
    const { reconciler, metric } = reconcilerOf({ positions: () => Promise.resolve([CLEAN, position]) })
    expect(await run(reconciler)).toBe('deferred')
    expect(await metric('rollup_repaired_total')).toBe(0)
    expect(await metric('reconciled_at_seconds')).toBe(0)

    // Now the retry comes while the reconciliation waits for it.
    let asked = 0
    const whileItLooks = reconcilerOf({
      positions: async () => {
        asked += 1
        if (asked === 2) {
          await insertEvents(client, block, 'rows:6')
          position = { offset: 307, metadata: '' }
        }
        return [CLEAN, position]
      },
    })
    expect(await run(whileItLooks.reconciler)).toBe('done')
    expect(await whileItLooks.metric('rollup_repaired_total')).toBe(0)
    expect(await differingRollupCells(client)).toBe(0)
    expect(await total('usage_day')).toBe(1300)
  })

  it('loses and doubles nothing while events are inserted all the time, and repairs what was damaged before', async () => {
    await insertEvents(client, makeRows(5000, 5, 7), 'rows:7')
    await command(`ALTER TABLE usage_minute DROP PARTITION ${text(today - 2 * DAY).replaceAll('-', '')}`)
    await command(`ALTER TABLE usage_hour DELETE WHERE key = 'key-5' SETTINGS mutations_sync = 1`)
    // One writer per partition, each with its intent, as the detector's.
    const positions = [0, 1].map(() => ({ offset: 0, metadata: '' }))
    let writing = true
    let stored = 5000
    const write = async (partition: number) => {
      for (let number = 0; writing; number += 1) {
        const rows = makeRows(150, 2, 100 + partition)
        positions[partition] = { offset: number * 150, metadata: String(number * 150 + 149) }
        await insertEvents(client, rows, `writer:${partition}:${number}`)
        positions[partition] = { offset: (number + 1) * 150, metadata: '' }
        stored += rows.length
      }
    }
    const writers = Promise.all([write(0), write(1)])
    const { reconciler, metric } = reconcilerOf({
      positions: () => Promise.resolve(positions.map((position) => ({ ...position }))),
      settleMs: 20,
    })
    for (let turn = 0; turn < 8; turn += 1) expect(await run(reconciler)).toBe('done')
    const repairedUnderLoad = await metric('rollup_repaired_total')
    writing = false
    await writers
    await run(reconciler)
    expect(repairedUnderLoad).toBeGreaterThan(100)
    expect(await countOf(client, 'SELECT count() AS count FROM events')).toBe(stored)
    for (const table of TABLES) expect(await total(table)).toBe(stored)
    expect(await differingRollupCells(client)).toBe(0)
  })
})

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { configSchema } from '#shared/config/config.ts'
import { createWarehouseClient, type ClickHouseClient } from '#shared/warehouse/client.ts'
import { migrateWarehouse } from '#shared/warehouse/migrate.ts'
import { generateEvents } from '../../cli/simulator/event-stream.ts'
import { defaultFleet } from '../../cli/simulator/fleet.ts'
import { writePosition } from '../../cli/simulator/position.ts'
import { simulateHistory, type HistoryOptions } from '../../cli/simulator/simulate-history.ts'
import { startTestWarehouse, type TestWarehouse } from '../support/start-warehouse.ts'

const HOUR_MS = 3_600_000
const NOW_MS = Math.floor(Date.now() / HOUR_MS) * HOUR_MS
const HISTORY_MS = 48 * HOUR_MS
const SEED = 4

let warehouse: TestWarehouse
let client: ClickHouseClient
let directory: string

beforeAll(async () => {
  warehouse = await startTestWarehouse()
  await migrateWarehouse(warehouse.connection, { rawRetentionDays: 90 })
  client = createWarehouseClient(warehouse.connection, 'test')
})
afterAll(async () => {
  await client.close()
  await warehouse.stop()
})
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keywatch-history-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const load = (more: Partial<HistoryOptions> = {}) =>
  simulateHistory({
    config: configSchema.parse({ data_directory: directory }),
    connection: warehouse.connection,
    seed: SEED,
    rate: 1,
    historyMs: HISTORY_MS,
    now: () => NOW_MS,
    ...more,
  })

const countRow = z.object({ stored: z.coerce.number(), ids: z.coerce.number(), rolled_up: z.coerce.number() })
/** Rows, different event ids among them, and what the hourly rollup says. */
async function counts() {
  const result = await client.query({
    query: `SELECT count() AS stored, uniqExact(sg_event_id) AS ids,
      (SELECT sum(events) FROM usage_hour) AS rolled_up FROM events`,
    format: 'JSONEachRow',
  })
  return countRow.parse((await result.json())[0])
}
const expected = (fromMs: number, toMs: number) =>
  [...generateEvents({ profiles: defaultFleet, seed: SEED, rate: 1, fromMs, toMs })].length
const once = (events: number) => ({ stored: events, ids: events, rolled_up: events })

describe('simulateHistory', () => {
  it('stores every event once, however often and wherever the load was interrupted', async () => {
    const events = expected(NOW_MS - HISTORY_MS, NOW_MS)
    const controller = new AbortController()
    const interrupted = load({ signal: controller.signal, onProgress: () => controller.abort() })
    await expect(interrupted).rejects.toMatchObject({ name: 'AbortError' })
    // The interrupted load is finished for the time it was begun at; what happened since is added.
    const added = expected(NOW_MS, NOW_MS + HOUR_MS)
    expect(await load({ now: () => NOW_MS + HOUR_MS })).toEqual({ events: events + added })
    expect(await counts()).toEqual(once(events + added))

    // Nothing is missing, so nothing is loaded.
    expect(await load({ now: () => NOW_MS + HOUR_MS })).toEqual({ events: 0 })
    // A lost position makes the same loads again, under the same names.
    await writePosition(directory, { v: 1 })
    await load()
    expect(await counts()).toEqual(once(events + added))
  })

  it('goes on when the warehouse is killed and comes back, and names every key', async () => {
    const before = await counts()
    let killed: Promise<void> | undefined
    const fraction: number[] = []
    const nowMs = NOW_MS - 20 * 24 * HOUR_MS
    const { events } = await load({
      now: () => nowMs,
      onProgress: (progress) => {
        fraction.push(progress.fraction)
        killed ??= warehouse.kill9().then(() => warehouse.restart())
      },
    })
    await killed
    expect(await counts()).toEqual(once(before.stored + events))
    expect(events).toBe(expected(nowMs - HISTORY_MS, nowMs))
    expect(fraction.at(-1)).toBe(1)
    const result = await client.query({ query: 'SELECT DISTINCT key FROM events', format: 'JSONEachRow' })
    const keys = z.array(z.object({ key: z.string() })).parse(await result.json())
    const active = defaultFleet.map(({ name }) => name).filter((name) => name !== 'weekly-newsletter')
    expect(keys.map(({ key }) => key)).toEqual(
      expect.arrayContaining(active.filter((name) => name !== 'staff-reports')),
    )
    expect(keys.map(({ key }) => key)).not.toContain('unattributed')
  })
})

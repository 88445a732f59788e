import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { configSchema } from '#shared/config/config.ts'
import { createAttributor } from '#shared/domain/attribute-event.ts'
import type { EventMessage } from '#shared/domain/log-message.ts'
import { normaliseEvent } from '#shared/domain/normalise-event.ts'
import { createWarehouseClient, type ClickHouseClient } from '#shared/warehouse/client.ts'
import { toEventRow, type EventRow } from '#shared/warehouse/event-row.ts'
import { insertEvents } from '#shared/warehouse/event-store.ts'
import { migrateWarehouse } from '#shared/warehouse/migrate.ts'
import { eventsByArrival } from '#shared/warehouse/past-events-store.ts'
import { createRecipientPrivacy } from '#shared/warehouse/recipient-privacy.ts'
import { backtestFile } from '../../cli/backtest/backtest-file.ts'
import { backtestHistory } from '../../cli/backtest/backtest-history.ts'
import { startTestWarehouse, type TestWarehouse } from '../support/start-warehouse.ts'

const COMMAND = fileURLToPath(new URL('../../cli/keywatch.js', import.meta.url))
const lineSchema = z.object({ received_at: z.number(), source: z.string(), event: z.unknown() })
const UNTIL_MS = Date.parse('2026-03-04T12:00:00Z')
const DAYS = 5
const FROM_MS = UNTIL_MS - DAYS * 86_400_000

let warehouse: TestWarehouse
let client: ClickHouseClient
let file: string
beforeAll(async () => {
  warehouse = await startTestWarehouse()
  await migrateWarehouse(warehouse.connection, { rawRetentionDays: 3650 })
  client = createWarehouseClient(warehouse.connection, 'keywatch-tests')
  file = join(warehouse.dataDirectory, 'events.ndjson')
})
afterAll(async () => {
  await client.close()
  await warehouse.stop()
})

const configOf = () =>
  configSchema.parse({
    data_directory: warehouse.dataDirectory,
    warehouse: { url: warehouse.url },
    privacy: { hash_key: 'a key for tests' },
  })

/** Some days of the simulated organisation with a theft in them. */
async function writeEvents() {
  const range = ['--history', `${DAYS}d`, '--until', new Date(UNTIL_MS).toISOString(), '--rate', '0.25']
  const attack = ['--attack', 'stolen-key', '--attack-key', 'password-reset', '--attack-after', '400000']
  const child = spawn(process.execPath, [COMMAND, 'simulate', '--events-out', file, ...range, ...attack], {
    cwd: warehouse.dataDirectory,
    stdio: 'ignore',
  })
  const status = await new Promise((resolve) => child.once('close', resolve))
  if (status !== 0) throw new Error(`the events could not be made: status ${String(status)}`)
  return (await readFile(file, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => lineSchema.parse(JSON.parse(line)))
}

/** Rows as the detector stores them. */
function rowsOf(lines: readonly z.output<typeof lineSchema>[]): EventRow[] {
  const config = configOf()
  const privacy = createRecipientPrivacy(config)
  return lines.map(({ received_at, source, event }, offset) => {
    const receivedAtMs = Math.round(received_at * 1000)
    const normal = normaliseEvent(event, receivedAtMs)
    if (normal.kind === 'rejected') throw new Error(normal.detail)
    const attributed = createAttributor({ source, rules: config.attribution })(normal.event)
    const message: EventMessage = {
      v: 1,
      ...attributed,
      source,
      received_at: receivedAtMs,
      event: normal.event,
    }
    return toEventRow(message, { partition: 0, offset }, privacy)
  })
}

describe('keywatch backtest --since', () => {
  it(
    'gives the same alerts from the warehouse as from the file of the same events',
    { timeout: 180_000 },
    async () => {
      const rows = rowsOf(await writeEvents())
      for (let start = 0; start < rows.length; start += 5000) {
        await insertEvents(client, rows.slice(start, start + 5000), `history:${start}`)
      }
      const sink = { drawn: false, knowledge: [] }
      const fromFile = await backtestFile(file, configOf(), sink)
      const span = { fromMs: FROM_MS - 3_600_000, toMs: UNTIL_MS + 3_600_000 }
      const fromWarehouse = await backtestHistory(span, configOf(), sink)
      expect(fromWarehouse.events).toBe(rows.length)
      expect(fromFile.changes.length).toBeGreaterThan(3)
      expect(fromWarehouse.changes).toEqual(fromFile.changes)
    },
  )

  it('reads each stored event once and in order of arrival, however the span is cut into days', async () => {
    const span = { fromMs: FROM_MS, toMs: UNTIL_MS }
    const arrivals: number[] = []
    const ids = new Set<string>()
    for await (const events of eventsByArrival(client, span)) {
      for (const { event, eventId } of events) {
        arrivals.push(event.receivedAtMs)
        ids.add(`${event.timestamp} ${eventId}`)
      }
    }
    expect(arrivals).toEqual(arrivals.toSorted((left, right) => left - right))
    expect(ids.size).toBe(arrivals.length)
    expect(arrivals.length).toBeGreaterThan(1000)
  })

  it('says that there is nothing, or that the warehouse is away', async () => {
    const none = backtestHistory({ fromMs: 0, toMs: 1000 }, configOf(), { drawn: false, knowledge: [] })
    await expect(none).rejects.toMatchObject({ code: 'NOT_FOUND' })
    const away = { ...configOf(), warehouse: { ...configOf().warehouse, url: 'http://127.0.0.1:9' } }
    const unreachable = backtestHistory({ fromMs: 0, toMs: 1000 }, away, { drawn: false, knowledge: [] })
    await expect(unreachable).rejects.toMatchObject({ code: 'WAREHOUSE_UNAVAILABLE' })
  })
})

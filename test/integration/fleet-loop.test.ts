import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createFleetLoop } from '../../services/detector/fleet-loop.ts'
import { createMetrics } from '../../services/detector/metrics.ts'
import { exampleAlert } from '#shared/domain/example-alert.ts'
import { alertChangesSince, insertAlertChanges } from '#shared/warehouse/alert-store.ts'
import { createWarehouseClient, type ClickHouseClient } from '#shared/warehouse/client.ts'
import { migrateWarehouse } from '#shared/warehouse/migrate.ts'
import { readMigrations } from '#shared/warehouse/migration-files.ts'
import { startTestWarehouse, type TestWarehouse } from '../support/start-warehouse.ts'

const MINUTE_MS = 60_000
/** Outages end now; what lies in the log is of hours ago. */
const HOURS_AGO = Date.now() - 3 * 60 * MINUTE_MS

let warehouse: TestWarehouse
let client: ClickHouseClient

beforeAll(async () => {
  warehouse = await startTestWarehouse()
  client = createWarehouseClient(warehouse.connection, 'keywatch-tests')
})
afterAll(async () => {
  await client?.close()
  await warehouse?.stop()
})

function fleetLoop() {
  const log = pino({ level: 'silent' })
  return createFleetLoop({ client, log, metrics: createMetrics(), lost: new AbortController().signal })
}

/** Strange mail of one key, three hours ago. */
function strange(key: string, minute: number) {
  const at = new Date(HOURS_AGO + minute * MINUTE_MS).toISOString()
  const times = { started_at: at, detected_at: at, changed_at: at }
  return exampleAlert({ alert_id: `alert-${key}`, key, signal: 'novelty.sender', score: 5, ...times })
}

async function storedLongAgo() {
  await client.command({
    query:
      'ALTER TABLE alert_changes UPDATE stored_at = stored_at - INTERVAL 1 HOUR WHERE 1 SETTINGS mutations_sync = 1',
  })
}

describe('the fleet loop', () => {
  it('reads rows of before it knew when they were stored as stored when they became true', async () => {
    const migrations = readMigrations()
    const older = migrations.filter(({ name }) => name < '0007')
    await migrateWarehouse(warehouse.connection, { rawRetentionDays: 90, migrations: older })
    const { alert_id, revision, changed_at } = strange('old', 0)
    await client.command({
      query: `INSERT INTO alert_changes (alert_id, revision, source, key, signal, severity, status, started_at, detected_at, changed_at, incident_id, summary, evidence, links)
              SELECT '${alert_id}', ${revision}, 'main', 'old', 'novelty.sender', 'info', 'open', at, at, at, 'i', 's', '{}', '{}'
              FROM (SELECT parseDateTime64BestEffort('${changed_at}', 3, 'UTC') AS at)`,
    })
    await migrateWarehouse(warehouse.connection, { rawRetentionDays: 90, migrations })
    expect(await alertChangesSince(client, HOURS_AGO + 1)).toEqual([])
    expect((await alertChangesSince(client, HOURS_AGO)).map(({ key }) => key)).toEqual(['old'])
    await client.command({ query: 'TRUNCATE TABLE alert_changes' })
  })

  it('tells what was found in the backlog of an outage, once, even if it is killed before it has', async () => {
    const loop = fleetLoop()
    await loop.restore()
    expect(await loop.look(Date.now())).toEqual([])
    await insertAlertChanges(client, [strange('shop', 0), strange('billing', 5)])
    expect(await loop.look(Date.now())).toEqual([])
    await insertAlertChanges(client, [strange('alerts', 9)])

    const told = await loop.look(Date.now())
    expect(told.map(({ signal, status, observed }) => ({ signal, status, observed }))).toEqual([
      { signal: 'fleet.shift', status: 'open', observed: 3 },
    ])
    expect(await loop.look(Date.now())).toEqual([])

    const next = fleetLoop()
    await next.restore()
    expect((await next.look(Date.now())).map(({ alert_id }) => alert_id)).toEqual([told[0]?.alert_id])
  })

  it('does not tell again what was told in its time', async () => {
    await storedLongAgo()
    const loop = fleetLoop()
    await loop.restore()
    expect(await loop.look(Date.now())).toEqual([])
  })
})

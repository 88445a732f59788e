import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Alert } from '#shared/domain/alert.ts'
import { openAlerts } from '#shared/warehouse/alert-store.ts'
import { startDetectorHarness, type DetectorHarness } from '../support/detector-harness.ts'
import { eventually } from '../support/eventually.ts'
import { anEventMessage } from '../support/stored-events.ts'

const LAG_SECONDS = 1
const nowSeconds = Math.floor(Date.now() / 1000)
let harness: DetectorHarness

beforeAll(async () => {
  harness = await startDetectorHarness({ KEYWATCH_DETECTOR__LAG_WARNING_SECONDS: String(LAG_SECONDS) })
})
afterAll(async () => {
  await harness?.stop()
})

const messages = (name: string, count: number, keys: number) =>
  Array.from({ length: count }, (_, index) =>
    anEventMessage(
      { sg_event_id: `${name}-${index}`, timestamp: nowSeconds - 5 },
      { key: `key-${index % keys}`, received_at: nowSeconds * 1000 },
    ),
  )

const lagAlerts = async (): Promise<Alert[]> =>
  (await harness.alerts()).filter(({ signal }) => signal === 'pipeline.lag')
const openNow = (alerts: readonly Alert[]) => {
  const latest = new Map(alerts.map((alert) => [alert.alert_id, alert]))
  return [...latest.values()].filter(({ status }) => status === 'open')
}

describe('pipeline.lag', () => {
  it('is told once for each partition with a backlog, and is over when the detector has caught up', async () => {
    await harness.append(messages('backlog', 6000, 40))
    const appendedAt = performance.now()
    await eventually(() => performance.now() - appendedAt > LAG_SECONDS * 1500, {
      timeoutMs: 10_000,
      what: 'the backlog is old enough',
    })
    await harness.startDetector()
    await harness.storedEvents(6000)
    await eventually(
      async () => {
        const found = await lagAlerts()
        return found.length > 0 && openNow(found).length === 0
      },
      { timeoutMs: 60_000, what: 'the delay is told and over' },
    )
    const alerts = await lagAlerts()
    const opened = alerts.filter(({ revision }) => revision === 1)
    const partitions = opened.map(({ evidence }) => evidence['partition'])
    expect(new Set(partitions)).toEqual(new Set([0, 1, 2, 3]))
    expect(partitions).toHaveLength(4)
    expect(alerts).toHaveLength(2 * opened.length)
    for (const alert of opened) {
      expect(alert).toMatchObject({ severity: 'warning', source: '*', key: '*' })
      expect(alert.summary).toMatch(/^Alerts come late: the detector is \d+ seconds behind on partition \d/)
    }
    await eventually(
      async () => (await openAlerts(harness.client)).every(({ signal }) => signal !== 'pipeline.lag'),
      { timeoutMs: 20_000, what: 'the warehouse knows that it is over' },
    )
  })

  it('is told while the warehouse is away, when nothing can be handled', async () => {
    const before = (await lagAlerts()).length
    await harness.warehouse.kill9()
    await harness.append(messages('stuck', 10, 1))
    const opened = async () => openNow((await lagAlerts()).slice(before))
    await eventually(async () => (await opened()).length > 0, {
      timeoutMs: 30_000,
      what: 'the delay is told',
    })
    expect(await opened()).toHaveLength(1)
    await harness.warehouse.restart()
    await eventually(async () => (await opened()).length === 0, {
      timeoutMs: 60_000,
      what: 'the delay is over',
    })
    await harness.storedEvents(6010)
  })
})

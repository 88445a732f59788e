import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startDetectorHarness, type DetectorHarness } from '../support/detector-harness.ts'
import { eventually } from '../support/eventually.ts'
import type { SpawnedService } from '../support/spawn-service.ts'
import { anEventMessage, countOf } from '../support/stored-events.ts'

const nowSeconds = Math.floor(Date.now() / 1000)
let harness: DetectorHarness
let detector: SpawnedService

beforeAll(async () => {
  harness = await startDetectorHarness()
  detector = await harness.startDetector()
})
afterAll(async () => {
  await harness?.stop()
})

let made = 0
/** Events of many keys, so that every partition has some. */
const eventsWith = (
  count: number,
  fields: (index: number) => Readonly<Record<string, unknown>>,
  source = 'main',
) =>
  Array.from({ length: count }, (_, index) => {
    made += 1
    return anEventMessage(
      { sg_event_id: `unknown-${made}`, timestamp: nowSeconds - 5, tenant: '7', ...fields(index) },
      { key: `key-${made % 40}`, received_at: nowSeconds * 1000, source },
    )
  })

const told = async () => (await harness.alerts()).filter(({ signal }) => signal === 'schema.unknown_field')
const namesTold = async (source: string) =>
  (await told()).filter((alert) => alert.source === source).map(({ evidence }) => evidence['name'])
const inWarehouse = (source: string) =>
  countOf(
    harness.client,
    `SELECT uniqExact(alert_id) AS count FROM alert_changes WHERE signal = 'schema.unknown_field' AND source = '${source}'`,
  )

describe('schema.unknown_field', () => {
  it('tells once of a field named like SendGrid’s own and of a new type, whatever partition they are on', async () => {
    await harness.append([
      ...eventsWith(60, () => ({ sg_dkim: 'pass' })),
      ...eventsWith(60, () => ({ event: 'unknown:snoozed' })),
    ])
    await harness.storedEvents(120)
    await eventually(async () => (await inWarehouse('main')) === 2, {
      timeoutMs: 30_000,
      what: 'both are told',
    })
    expect(await namesTold('main')).toHaveLength(2)
    expect(new Set(await namesTold('main'))).toEqual(new Set(['sg_dkim', 'unknown:snoozed']))
    expect((await told())[0]).toMatchObject({ severity: 'info', key: '*', status: 'open' })
  })

  it('says nothing again after a restart, and bounds what somebody invents', async () => {
    const first = (await told()).length
    await detector.kill('SIGTERM')
    await harness.startDetector()
    await harness.append([
      ...eventsWith(40, () => ({ sg_dkim: 'pass' })),
      ...eventsWith(2000, (index) => ({ [`sg_invented_${index}`]: '1' }), 'hostile'),
    ])
    await harness.storedEvents(2160)
    await eventually(async () => (await namesTold('hostile')).length >= 6, {
      timeoutMs: 30_000,
      what: 'some of what is invented is told',
    })
    await harness.append(eventsWith(100, (index) => ({ [`sg_more_${index}`]: '1' }), 'hostile'))
    await harness.storedEvents(2260)
    await harness.append(eventsWith(1, () => ({ sg_last: '1' }), 'other'))
    await eventually(async () => (await namesTold('other')).length === 1, {
      timeoutMs: 30_000,
      what: 'what came last is told',
    })
    expect(await namesTold('hostile')).toHaveLength(6)
    expect(await told()).toHaveLength(first + 6 + 1)
  })
})

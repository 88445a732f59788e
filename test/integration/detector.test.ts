import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { EventMessage } from '#shared/domain/log-message.ts'
import { topics } from '#shared/event-log/topics.ts'
import { firstOf, startDetectorHarness, type DetectorHarness } from '../support/detector-harness.ts'
import { eventually } from '../support/eventually.ts'
import { anEventMessage, countOf } from '../support/stored-events.ts'
import { insertVictimHistory, seededRandom, VICTIM } from '../support/test-traffic.ts'

let harness: DetectorHarness
const nowSeconds = Math.floor(Date.now() / 1000)

beforeAll(async () => {
  harness = await startDetectorHarness()
  await insertVictimHistory(harness.client, nowSeconds)
  await harness.startDetector()
})

afterAll(async () => {
  await harness?.stop()
})

/** `count` events of 20 keys over the last hour, one in ten of them delivered twice. */
function redelivered(count: number, random: () => number): EventMessage[] {
  const messages: EventMessage[] = []
  for (let index = 0; index < count; index += 1) {
    const timestamp = nowSeconds - Math.floor(random() * 3600)
    const key = `key-${Math.floor(random() * 20)}`
    const message = anEventMessage(
      { sg_event_id: `e${index}`, timestamp, event: index % 3 === 0 ? 'processed' : 'delivered' },
      { key, received_at: nowSeconds * 1000 },
    )
    messages.push(message)
    const earlier = messages[Math.floor(random() * messages.length)]
    if (random() < 0.1 && earlier !== undefined) messages.push(earlier)
  }
  return messages
}

describe('the detector', () => {
  it('stores 5,000 events once each, a tenth of them delivered again, and its rollups equal the raw events', async () => {
    const before = await countOf(harness.client, 'SELECT count() AS count FROM events')
    const messages = redelivered(5000, seededRandom(1))
    await harness.append(messages)
    await harness.storedEvents(before + 5000)
    await eventually(
      async () => (await harness.metric('keywatch_detector_duplicates_total')) === messages.length - 5000,
      {
        timeoutMs: 20_000,
        what: 'every redelivery is left out',
      },
    )
    expect(await countOf(harness.client, 'SELECT count() AS count FROM events')).toBe(before + 5000)
    expect(await countOf(harness.client, 'SELECT uniqExact(sg_event_id) AS count FROM events')).toBe(
      before + 5000,
    )
    await harness.rollupsEqualRaw()
  })

  it('opens one alert for a burst on a key whose history is in the warehouse, in the log and in the warehouse', async () => {
    const burst = Array.from({ length: 800 }, (_, index) =>
      anEventMessage(
        {
          sg_event_id: `burst-${index}`,
          timestamp: nowSeconds - 60 + Math.floor(index / 20),
          category: 'lottery',
        },
        { key: VICTIM, received_at: nowSeconds * 1000 },
      ),
    )
    await harness.append(burst)
    const opened = await eventually(
      async () => firstOf((await harness.alerts()).filter(({ signal }) => signal === 'volume.spike')),
      { timeoutMs: 30_000, what: 'an alert is appended' },
    )
    expect(opened).toMatchObject({ key: VICTIM, source: 'main', status: 'open', revision: 1 })
    expect(opened.summary).toContain('categories "lottery" (never before)')
    expect(opened.messages_before_alarm).toBeLessThan(200)
    await eventually(
      async () =>
        (await countOf(
          harness.client,
          `SELECT count() AS count FROM alert_changes WHERE alert_id = '${opened.alert_id}' AND revision = 1`,
        )) === 1,
      { timeoutMs: 10_000, what: 'the alert is in the warehouse' },
    )
  })

  it('keeps a record that is no event aside and goes on with the next one', async () => {
    const before = await countOf(harness.client, 'SELECT count() AS count FROM events')
    const good = anEventMessage({ sg_event_id: 'after-poison', timestamp: nowSeconds })
    const deep = '['.repeat(50_000) + ']'.repeat(50_000)
    await harness.eventLog.append(topics.events, [
      { key: 'orders', value: 'no JSON of jane@example.org' },
      { key: 'orders', value: '{"v":1}' },
      { key: 'orders', value: `{"v":1,"event":${deep}}` },
      { key: 'orders', value: JSON.stringify(good) },
    ])
    await harness.storedEvents(before + 1)
    expect(
      await countOf(harness.client, `SELECT count() AS count FROM rejected WHERE source = 'unknown'`),
    ).toBe(3)
    expect(
      await countOf(harness.client, `SELECT count() AS count FROM rejected WHERE payload LIKE '%jane%'`),
    ).toBe(0)
  })

  it('copies what ingest rejected into the warehouse, addresses masked', async () => {
    await harness.eventLog.append(topics.rejected, [
      {
        key: 'main',
        value: JSON.stringify({
          v: 1,
          rejected_id: 'rejected-1',
          source: 'main',
          received_at: nowSeconds * 1000,
          scope: 'event',
          reason: 'schema',
          detail: 'event is missing',
          payload_base64: Buffer.from('{"email":"jane@example.org"}').toString('base64'),
        }),
      },
    ])
    const payload = async () => {
      const result = await harness.client.query({
        query: `SELECT payload FROM rejected WHERE rejected_id = 'rejected-1'`,
        format: 'JSONEachRow',
      })
      return firstOf<unknown>(await result.json())
    }
    expect(await eventually(payload, { timeoutMs: 20_000, what: 'the rejected event is stored' })).toEqual({
      payload: '{"email":"***@example.org"}',
    })
  })

  it('waits for a warehouse that is away and then stores everything once', async () => {
    const before = await countOf(harness.client, 'SELECT count() AS count FROM events')
    await harness.warehouse.kill9()
    await harness.append(
      Array.from({ length: 500 }, (_, index) =>
        anEventMessage(
          { sg_event_id: `outage-${index}`, timestamp: nowSeconds },
          { key: `key-${index % 20}` },
        ),
      ),
    )
    await eventually(
      async () => (await harness.metric('keywatch_detector_retries_total{what="look up"}')) > 0,
      {
        timeoutMs: 20_000,
        what: 'the detector tries again',
      },
    )
    await harness.warehouse.restart()
    await harness.storedEvents(before + 500)
    expect(await countOf(harness.client, 'SELECT count() AS count FROM events')).toBe(before + 500)
    await harness.rollupsEqualRaw()
  })
})

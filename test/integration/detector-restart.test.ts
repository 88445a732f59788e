import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { insertKnowledge } from '#shared/warehouse/knowledge-store.ts'
import { firstOf, startDetectorHarness, type DetectorHarness } from '../support/detector-harness.ts'
import { eventually } from '../support/eventually.ts'
import { anEventMessage, countOf } from '../support/stored-events.ts'
import { insertVictimHistory, VICTIM } from '../support/test-traffic.ts'

let harness: DetectorHarness
const nowSeconds = Math.floor(Date.now() / 1000)

beforeAll(async () => {
  harness = await startDetectorHarness()
  await insertVictimHistory(harness.client, nowSeconds)
})
afterAll(async () => {
  await harness?.stop()
})

const messageOf = (id: string, key: string) =>
  anEventMessage({ sg_event_id: id, timestamp: nowSeconds - 5 }, { key, received_at: nowSeconds * 1000 })

describe('a detector that is stopped and started', () => {
  it('saves what it knows of a key, and starts from there instead of from the key’s past', async () => {
    const past = await countOf(
      harness.client,
      `SELECT count() AS count FROM events WHERE source = 'main' AND key = '${VICTIM}'`,
    )
    const stored = await countOf(harness.client, 'SELECT count() AS count FROM events')
    const first = await harness.startDetector()
    await harness.append([messageOf('restart-1', VICTIM)])
    await harness.storedEvents(stored + 1)
    await eventually(async () => (await harness.metric('keywatch_detector_events_replayed_total')) >= past, {
      timeoutMs: 20_000,
      what: 'the past of the key is read once',
    })
    await eventually(async () => (await harness.metric('keywatch_detector_block_seconds_count')) >= 1, {
      timeoutMs: 20_000,
      what: 'the block is committed',
    })
    await first.kill('SIGTERM')
    expect(
      await countOf(harness.client, `SELECT count() AS count FROM key_state WHERE key = '${VICTIM}'`),
    ).toBe(1)

    await harness.startDetector()
    await harness.append([messageOf('restart-2', VICTIM)])
    await harness.storedEvents(stored + 2)
    expect(await harness.metric('keywatch_detector_events_replayed_total')).toBe(0)
  })

  it('pages for the first message of a key that a person declared retired', async () => {
    await insertKnowledge(harness.client, [
      {
        kind: 'retired_key',
        knowledge_id: 'retired-1',
        source: 'main',
        key: VICTIM,
        since: new Date((nowSeconds - 60) * 1000).toISOString(),
        author: 'anna',
        note: '',
        created_at: new Date().toISOString(),
        revoked: false,
      },
    ])
    // What people state is read every half a minute.
    let sent = 0
    const opened = await eventually(
      async () => {
        sent += 1
        await harness.append([messageOf(`retired-${sent}`, VICTIM)])
        return firstOf((await harness.alerts()).filter(({ signal }) => signal === 'key.retired_used'))
      },
      { timeoutMs: 50_000, what: 'the alert is raised' },
    )
    expect(opened).toMatchObject({ key: VICTIM, severity: 'critical', status: 'open' })
  })
})

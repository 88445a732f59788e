import { afterAll, beforeAll, expect, it } from 'vitest'
import type { EventMessage } from '#shared/domain/log-message.ts'
import { firstOf, startDetectorHarness, type DetectorHarness } from '../support/detector-harness.ts'
import { eventually } from '../support/eventually.ts'
import { anEventMessage, countOf } from '../support/stored-events.ts'
import { insertVictimHistory, seededRandom, VICTIM } from '../support/test-traffic.ts'

const EVENTS = 30_000
const KILLS = 6
/** A killed member is missed after the log's lease of ten seconds, so every kill costs as much. */
const TIMEOUT_MS = 300_000
const nowSeconds = Math.floor(Date.now() / 1000)

let harness: DetectorHarness

beforeAll(async () => {
  harness = await startDetectorHarness({ KEYWATCH_DETECTOR__BLOCK_RECORDS_MAX: '500' })
  await insertVictimHistory(harness.client, nowSeconds)
})

afterAll(async () => {
  await harness?.stop()
})

/** Events of 30 keys over two days with a burst of the victim's in the middle; one in ten comes twice. */
function messagesOf(random: () => number): EventMessage[] {
  const messages: EventMessage[] = []
  for (let index = 0; index < EVENTS; index += 1) {
    const inBurst = index > EVENTS / 2 && index <= EVENTS / 2 + 1000
    const message = anEventMessage(
      {
        sg_event_id: `e${index}`,
        timestamp: nowSeconds - (inBurst ? Math.floor(random() * 60) : Math.floor(random() * 2 * 24 * 3600)),
        event: inBurst || index % 2 === 0 ? 'processed' : 'delivered',
      },
      { key: inBurst ? VICTIM : `key-${Math.floor(random() * 30)}`, received_at: nowSeconds * 1000 },
    )
    messages.push(message)
    const earlier = messages[Math.floor(random() * messages.length)]
    if (random() < 0.1 && earlier !== undefined) messages.push(earlier)
  }
  return messages
}

it(
  'loses nothing and counts nothing twice when it is killed again and again, and still raises the alert',
  async () => {
    const before = await countOf(harness.client, 'SELECT count() AS count FROM events')
    const random = seededRandom(42)
    await harness.append(messagesOf(random))
    let unfinished = 0
    for (let kill = 0; kill < KILLS; kill += 1) {
      const storedBefore = await countOf(harness.client, 'SELECT count() AS count FROM events')
      const detector = harness.spawnDetector()
      // Somewhere in its work: after a random number of further events is stored, at any step of a block.
      const more = 1 + Math.floor(random() * 2500)
      await eventually(
        async () =>
          (await countOf(harness.client, 'SELECT count() AS count FROM events')) >=
          Math.min(storedBefore + more, before + EVENTS),
        { timeoutMs: 30_000, what: `the detector stores events; ${detector.output().slice(-2000)}` },
      )
      await detector.kill('SIGKILL')
      if (detector.output().includes('storing an unfinished block again')) unfinished += 1
    }
    await harness.startDetector()
    await harness.storedEvents(before + EVENTS, 60_000)
    const announced = async () =>
      (await harness.alerts()).filter(({ signal, key }) => signal === 'volume.spike' && key === VICTIM)
    const opened = await eventually(async () => firstOf(await announced()), {
      timeoutMs: 30_000,
      what: 'the alert is appended',
    })

    expect(await countOf(harness.client, 'SELECT count() AS count FROM events')).toBe(before + EVENTS)
    expect(await countOf(harness.client, 'SELECT uniqExact(sg_event_id) AS count FROM events')).toBe(
      before + EVENTS,
    )
    await harness.rollupsEqualRaw()
    const ids = await announced()
    expect(new Set(ids.map(({ alert_id }) => alert_id))).toEqual(new Set([opened.alert_id]))
    // A kill that never hits a block at work would prove nothing.
    expect(unfinished).toBeGreaterThan(0)
  },
  TIMEOUT_MS,
)

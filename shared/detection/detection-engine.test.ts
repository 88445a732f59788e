import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { alertSchema, type Alert } from '#shared/domain/alert.ts'
import { aMessage, habitsOf, MONDAY, traffic } from '../../test/support/engine-traffic.ts'
import { storedKeyOf } from '../../test/support/stored-key.ts'
import { createDetectionEngine } from './detection-engine.ts'
import { defaultDetectionSettings, type DetectionSettings } from './detection-settings.ts'
import type { EngineEvent } from './engine-input.ts'

const DAY = 1440
const WEEK = 7 * DAY

function anEngine(settings: Partial<DetectionSettings> = {}) {
  const alerts: Alert[] = []
  const engine = createDetectionEngine({ ...defaultDetectionSettings, ...settings }, (alert) => {
    alerts.push(alertSchema.parse(alert))
  })
  return { engine, alerts }
}

function run(events: Iterable<EngineEvent>, settings: Partial<DetectionSettings> = {}) {
  const { engine, alerts } = anEngine(settings)
  for (const event of events) engine.feed(event)
  return alerts
}

const inOrder = (events: EngineEvent[]) => events.sort((a, b) => a.receivedAtMs - b.receivedAtMs)

/** Four weeks of one transactional key; then ten times its usual volume from Monday 10:00 for twenty minutes. */
const { transactional } = habitsOf(11)
const BURST = MONDAY + 4 * WEEK + 600
const usual = [
  ...traffic({ keys: { orders: transactional }, fromMinute: MONDAY, toMinute: BURST + 180, seed: 11 }),
]
const burst = Array.from({ length: 20 * 20 }, (_, index) =>
  aMessage({ key: 'orders', seconds: BURST * 60 + index * 3 }),
)
const attacked = inOrder([...usual, ...burst])

describe('volume.spike', () => {
  it('opens within four minutes of a tenfold burst, states what left before, and ends once', () => {
    const alerts = run(attacked)
    expect(alerts.map((alert) => [alert.signal, alert.status])).toEqual([
      ['volume.spike', 'open'],
      ['volume.spike', 'resolved'],
    ])
    const [opened, over] = alerts
    const openedAfter = Date.parse(opened?.detected_at ?? '') / 60_000 - BURST
    expect(openedAfter).toBeGreaterThan(0)
    expect(openedAfter).toBeLessThan(4)
    expect(opened?.messages_before_alarm).toBeLessThan(90)
    expect(opened?.summary).toMatch(
      /^Key "orders" on main sent \d+ messages in .* are usual .* left before this alarm\./,
    )
    expect(over?.alert_id).toBe(opened?.alert_id)
    expect(over?.revision).toBe(2)
    expect(Date.parse(over?.ended_at ?? '') / 60_000).toBeGreaterThanOrEqual(BURST + 19)
  })

  it('raises the severity of the same alert once the impact is big', () => {
    const flood = Array.from({ length: 3000 }, (_, index) =>
      aMessage({ key: 'orders', seconds: BURST * 60 + Math.floor(index / 10) }),
    )
    const alerts = run(inOrder([...usual, ...flood]))
    expect(alerts.map(({ status, severity, revision }) => [status, severity, revision])).toEqual([
      ['open', 'warning', 1],
      ['open', 'critical', 2],
      ['resolved', 'critical', 3],
    ])
    expect(new Set(alerts.map((alert) => alert.alert_id)).size).toBe(1)
  })

  it('stays quiet for eight weeks of bursty, seasonal habits', () => {
    const seed = 1
    const alerts = run(
      traffic({ keys: habitsOf(seed), fromMinute: MONDAY, toMinute: MONDAY + 8 * WEEK, seed }),
    ).filter((alert) => alert.signal === 'volume.spike')
    // The first send of the newsletter comes from a key that nobody has seen: that one is worth a look.
    expect(new Set(alerts.map((alert) => `${alert.key} ${alert.alert_id}`)).size).toBe(1)
    expect(alerts[0]?.key).toBe('newsletter')
    expect(Date.parse(alerts[0]?.started_at ?? '') / 60_000).toBeLessThan(MONDAY + 4 * DAY)
  })

  it('sees a newsletter key send twice its largest send on another day', () => {
    const { newsletter } = habitsOf(4)
    const toMinute = MONDAY + 5 * WEEK
    const keys = { newsletter, orders: transactional }
    const blastAt = MONDAY + 5 * WEEK + DAY + 600
    const blast = Array.from({ length: 10_000 }, (_, index) =>
      aMessage({ key: 'newsletter', seconds: blastAt * 60 + Math.floor(index / 15) }),
    )
    const alerts = run([...traffic({ keys, fromMinute: MONDAY, toMinute, seed: 4 }), ...blast])
    const [opened] = alerts.filter((alert) => Date.parse(alert.started_at) >= blastAt * 60_000)
    expect(opened).toMatchObject({ key: 'newsletter', signal: 'volume.spike', status: 'open' })
  })

  it('counts late events into their own time: a day delivered again late is no burst now', () => {
    const late = usual
      .filter((event) => event.timestamp >= (BURST - DAY) * 60 && event.timestamp < BURST * 60)
      .map((event) => ({ ...event, receivedAtMs: BURST * 60_000 }))
    expect(run(inOrder([...usual, ...late]))).toEqual([])
  })
})

describe('the engine', () => {
  it('finds the same alerts however its input is cut into batches', () => {
    const whole = run(attacked)
    fc.assert(
      fc.property(fc.array(fc.nat(attacked.length - 1), { maxLength: 50 }), (cuts) => {
        const { engine, alerts } = anEngine()
        const after = new Set(cuts)
        attacked.forEach((event, index) => {
          engine.feed(event)
          // Between batches the driver lets the clock run up to what has arrived.
          if (after.has(index)) engine.tick(event.receivedAtMs)
        })
        expect(alerts).toEqual(whole)
      }),
      { numRuns: 5 },
    )
  })

  it.each([
    { name: 'a day before the burst', cutMinute: BURST - DAY },
    { name: 'in the burst, before its alarm', cutMinute: BURST + 1 },
    { name: 'in the burst, after its alarm', cutMinute: BURST + 8 },
    { name: 'after the burst, before it is over', cutMinute: BURST + 24 },
    { name: 'when all is over', cutMinute: BURST + 100 },
  ])('goes on from what is stored as if it had never stopped: $name', ({ cutMinute }) => {
    const whole = run(attacked)
    const cutMs = cutMinute * 60_000
    const before = attacked.filter((event) => event.receivedAtMs < cutMs)
    const announced = run(before)
    const { engine, alerts } = anEngine()
    engine.loadSource({
      source: 'main',
      firstSeen: MONDAY * 60,
      unit: 'processed',
      messages: before.length,
      unattributedMessages: 0,
    })
    engine.loadKey(storedKeyOf(before, announced, { source: 'main', key: 'orders', minute: cutMinute - 1 }))
    for (const event of attacked.slice(before.length)) engine.feed(event)
    expect([...announced, ...alerts]).toEqual(whole)
  })

  it('announces after a restart what was stored but not announced, under the same id', () => {
    const whole = run(attacked)
    const before = attacked.filter((event) => event.timestamp < (BURST + 5) * 60)
    const { engine, alerts } = anEngine()
    engine.loadSource({
      source: 'main',
      firstSeen: MONDAY * 60,
      unit: 'processed',
      messages: before.length,
      unattributedMessages: 0,
    })
    engine.loadKey(storedKeyOf(before, [], { source: 'main', key: 'orders', minute: BURST + 4 }))
    engine.judgeAgain([{ source: 'main', key: 'orders', firstSeen: MONDAY * 60 }], {
      since: BURST * 60,
      nowMs: (BURST + 5) * 60_000,
    })
    expect(alerts.map((alert) => alert.alert_id)).toEqual([whole[0]?.alert_id])
  })

  it('keeps at most 9 KiB of numbers for a key', () => {
    const { engine } = anEngine()
    const before = process.memoryUsage().arrayBuffers
    for (let index = 0; index < 1000; index += 1) {
      engine.feed(aMessage({ key: `key-${index}`, seconds: MONDAY * 60 }))
    }
    expect((process.memoryUsage().arrayBuffers - before) / 1000).toBeLessThan(9 * 1024)
    expect(engine.keyCount()).toBe(1000)
  })
})

describe('key.unattributed', () => {
  const known = {
    source: 'main',
    firstSeen: MONDAY * 60,
    unit: 'processed',
    messages: 100_000,
    unattributedMessages: 3,
  } as const
  const stray = (count: number) =>
    Array.from({ length: count }, (_, index) =>
      aMessage({ key: 'unattributed', seconds: BURST * 60 + index * 20 }),
    )

  it('opens with the twentieth message where practically everything is attributed', () => {
    const { engine, alerts } = anEngine()
    engine.loadSource(known)
    stray(19).forEach((event) => engine.feed(event))
    expect(alerts).toEqual([])
    stray(20)
      .slice(19)
      .forEach((event) => engine.feed(event))
    expect(alerts).toMatchObject([
      { signal: 'key.unattributed', severity: 'warning', status: 'open', messages_before_alarm: 20 },
    ])
  })

  it('becomes critical with a hundred messages, joins its incident, and ends an hour after the last', () => {
    const { engine, alerts } = anEngine()
    engine.loadSource(known)
    stray(120).forEach((event) => engine.feed(event))
    engine.tick((BURST + 240) * 60_000)
    const own = alerts.filter((alert) => alert.signal === 'key.unattributed')
    expect(own.map(({ status, severity }) => [status, severity])).toEqual([
      ['open', 'warning'],
      ['open', 'critical'],
      ['resolved', 'critical'],
    ])
    expect(own[2]?.ended_at).toBe(new Date((BURST + 40) * 60_000).toISOString())
    expect(new Set(alerts.map((alert) => alert.incident_id)).size).toBe(1)
  })

  it('stays quiet where much of the mail is unattributed anyway', () => {
    const { engine, alerts } = anEngine()
    engine.loadSource({ ...known, unattributedMessages: 10_000 })
    stray(25).forEach((event) => engine.feed(event))
    expect(alerts).toEqual([])
  })
})

describe('notices', () => {
  const minute = (offset: number) => (MONDAY + offset) * 60

  it('says nothing about new keys in the first day of a source', () => {
    const first = Array.from({ length: 20 }, (_, index) =>
      aMessage({ key: `k${index}`, seconds: minute(index) }),
    )
    expect(run(first)).toEqual([])
  })

  it('tells of a new key once, and of a crowd of new keys in one notice', () => {
    const crowd = Array.from({ length: 20 }, (_, index) =>
      aMessage({ key: `new-${index}`, seconds: minute(3 * DAY + index) }),
    )
    const alerts = run([aMessage({ key: 'old', seconds: minute(0) }), ...crowd, ...crowd])
    expect(alerts.map(({ signal, key, severity }) => [signal, key, severity])).toEqual([
      ...[0, 1, 2, 3, 4].map((index) => ['key.new', `new-${index}`, 'info']),
      ['key.new', '*', 'info'],
    ])
  })

  it('warns when somebody invents a key name for every message', () => {
    const invented = Array.from({ length: 200 }, (_, index) =>
      aMessage({ key: `invented-${index}`, seconds: minute(3 * DAY) + index }),
    )
    const alerts = run([aMessage({ key: 'old', seconds: minute(0) }), ...invented])
    const warnings = alerts.filter(({ severity }) => severity === 'warning')
    expect(warnings).toMatchObject([{ signal: 'key.new', key: '*', observed: 26 }])
  })

  it('judges at most the configured number of keys and says so', () => {
    const keys = Array.from({ length: 12 }, (_, index) =>
      aMessage({ key: `k${index}`, seconds: minute(index) }),
    )
    const alerts = run(keys, { liveKeysMax: 10 })
    expect(alerts).toMatchObject([{ signal: 'key.overflow', key: 'overflow', severity: 'warning' }])
  })

  it("pages at once when SendGrid changes the account's state", () => {
    const change = {
      ...aMessage({ key: 'unattributed', seconds: minute(0), event: 'account_status_change' }),
      accountStatus: 'compliance_suspend',
    }
    const alerts = run([change, { ...change, receivedAtMs: change.receivedAtMs + 1000 }])
    expect(alerts).toMatchObject([{ signal: 'account.status_changed', severity: 'critical', key: '*' }])
    expect(alerts[0]?.summary).toContain('compliance_suspend')
  })
})

describe('the unit of volume', () => {
  it('is the outcome of a message where a source never sends processed', () => {
    const delivered = attacked.map((event) => ({ ...event, event: 'delivered' }))
    expect(run(delivered).map((alert) => alert.signal)).toEqual(['volume.spike', 'volume.spike'])
  })

  it('never counts opens and clicks', () => {
    const opens = burst.map((event) => ({ ...event, event: 'open' }))
    expect(run(inOrder([...usual, ...opens]))).toEqual([])
  })
})

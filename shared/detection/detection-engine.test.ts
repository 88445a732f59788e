import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Alert } from '#shared/domain/alert.ts'
import { anEngine, inOrder, run, woken } from '../../test/support/an-engine.ts'
import { aMessage, habitsOf, MONDAY, traffic } from '../../test/support/engine-traffic.ts'
import type { EngineEvent } from './engine-input.ts'

const DAY = 1440
const WEEK = 7 * DAY

/** Five weeks of one transactional key; then twenty times its usual volume from Monday 10:00 for twenty minutes. */
const { transactional } = habitsOf(11)
const BURST = MONDAY + 5 * WEEK + 600
const usual = [
  ...traffic({ keys: { orders: transactional }, fromMinute: MONDAY, toMinute: BURST + 180, seed: 11 }),
]
const burst = Array.from({ length: 60 * 20 }, (_, index) =>
  aMessage({ key: 'orders', seconds: BURST * 60 + index }),
)
const attacked = inOrder([...usual, ...burst])

describe('a burst of usual mail', () => {
  it('wakes somebody once, says what left before, and ends', () => {
    const { engine, alerts: all } = anEngine()
    for (const event of attacked) engine.feed(event)
    engine.tick((BURST + 3 * DAY) * 60_000)
    const alerts = woken(all)
    expect(new Set(alerts.map(({ incident_id }) => incident_id)).size).toBe(1)
    const [opened] = alerts
    expect(opened).toMatchObject({ signal: 'volume.spike', status: 'open', key: 'orders' })
    const openedAfter = Date.parse(opened?.detected_at ?? '') / 60_000 - BURST
    expect(openedAfter).toBeGreaterThan(0)
    expect(openedAfter).toBeLessThan(15)
    expect(opened?.messages_before_alarm).toBeGreaterThan(0)
    expect(opened?.summary).toMatch(
      /^Key "orders" on main: .* messages in .* are usual .* left (before this alarm|so far)/,
    )
    const ends = alerts.filter(({ status }) => status === 'resolved')
    expect(ends.map(({ alert_id }) => alert_id)).toContain(opened?.alert_id)
  })

  it('is counted into its own time when it comes late: a day delivered again late is no burst now', () => {
    const late = usual
      .filter((event) => event.timestamp >= (BURST - DAY) * 60 && event.timestamp < BURST * 60)
      .map((event) => ({ ...event, receivedAtMs: BURST * 60_000 }))
    expect(woken(run(inOrder([...usual, ...late])))).toEqual([])
  })

  it('is the outcome of messages where a source never sends processed', () => {
    const delivered = attacked.map((event) => ({ ...event, event: 'delivered' }))
    expect(woken(run(delivered)).map(({ signal }) => signal)).toContain('volume.spike')
  })

  it('is never one of opens', () => {
    const opens = burst.map((event) => ({ ...event, event: 'open' }))
    expect(woken(run(inOrder([...usual, ...opens])))).toEqual([])
  })
})

describe('eight weeks of bursty, seasonal habits', () => {
  it.each([1, 2])('wake nobody (seed %i)', (seed) => {
    const events = traffic({ keys: habitsOf(seed), fromMinute: MONDAY, toMinute: MONDAY + 8 * WEEK, seed })
    expect(woken(run(events)).map(({ summary }) => summary)).toEqual([])
  })
})

/** A month of a key with its own software and customers; then a thief's script mails a bought list. */
const THEFT = MONDAY + 4 * WEEK + 3 * DAY + 100
function theftOf(seed: number): EngineEvent[] {
  const own = [
    ...traffic({ keys: { orders: transactional }, fromMinute: MONDAY, toMinute: THEFT + 120, seed }),
  ].map((event, index) => withFacts(event, { recipient: 1 + ((index * 7919) % 700), stolen: false }))
  const stolen = Array.from({ length: 240 }, (_, index) =>
    withFacts(aMessage({ key: 'orders', seconds: THEFT * 60 + index * 15 }), {
      recipient: 100_000 + index,
      stolen: true,
    }),
  )
  return inOrder([...own, ...stolen])
}

const customers = ['gmail.com', 'outlook.com', 'gmx.de', 'web.de', 'firma.example']
const bought = ['yahoo.com', 'hotmail.com', 'aol.com', 'mail.ru', 'yahoo.co.jp', 'gmail.com']

function withFacts(
  event: EngineEvent,
  { recipient, stolen }: { readonly recipient: number; readonly stolen: boolean },
): EngineEvent {
  const domains = stolen ? bought : customers
  return {
    ...event,
    facts: {
      recipient,
      recipientDomain: domains[recipient % domains.length] ?? '',
      fingerprint: stolen ? '99' : '11',
      senderHost: stolen ? 'vps-#.hosting.example' : 'geopod-ismtpd-#',
      template: stolen ? '' : 'd-order',
      categories: stolen ? '' : 'order',
      pool: stolen ? '' : 'main',
      campaign: '',
      linkHost: '',
      bounceClass: '',
      machineOpen: false,
    },
  }
}

describe('a stolen key', () => {
  const alerts = run(theftOf(3))

  it('is one incident with several kinds of evidence within its first ten messages', () => {
    const opened = woken(alerts).filter(({ status }) => status === 'open')
    expect(new Set(opened.map(({ incident_id }) => incident_id)).size).toBe(1)
    const [first] = opened
    expect(first?.messages_before_alarm).toBeLessThanOrEqual(10)
    expect(Date.parse(first?.detected_at ?? '') / 1000 - THEFT * 60).toBeLessThan(10 * 15 + 10)
    const signals = new Set(opened.map(({ signal }) => signal))
    expect(signals).toContain('novelty.sender')
    expect(signals).toContain('mix.recipient_domain')
    expect(signals.size).toBeGreaterThanOrEqual(3)
  })

  it('says what changed, what else there is, and how seldom that happens', () => {
    const [first] = woken(alerts)
    expect(first?.summary).toMatch(/Taken together: less than once in [\d,]+ years? of this key\./)
    expect(first?.evidence).toMatchObject({
      still_learning: false,
      attribution: { rule: 'custom_arg', confirmed: false },
    })
    expect(JSON.stringify(first?.evidence)).toContain('vps-#.hosting.example')
  })

  it('teaches nothing: the same thief is as strange a day later', () => {
    const later = Array.from({ length: 60 }, (_, index) =>
      withFacts(aMessage({ key: 'orders', seconds: (THEFT + DAY) * 60 + index * 15 }), {
        recipient: 200_000 + index,
        stolen: true,
      }),
    )
    const second = woken(run([...theftOf(3), ...later])).filter(
      ({ status, changed_at }) => status === 'open' && Date.parse(changed_at) >= (THEFT + DAY) * 60_000,
    )
    expect(second.map(({ signal }) => signal)).toContain('novelty.sender')
  })
})

describe('the engine', () => {
  const events = theftOf(5)
  const whole = run(events)
  const recent = events.findIndex(({ timestamp }) => timestamp >= (THEFT - 30) * 60)

  it('finds the same alerts however its input is cut into batches and however often its clock is told', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(events.length - 1), { maxLength: 50 }), (cuts) => {
        const { engine, alerts } = anEngine()
        const after = new Set(cuts)
        events.forEach((event, index) => {
          engine.feed(event)
          if (after.has(index)) engine.tick(event.receivedAtMs)
        })
        expect(alerts).toEqual(whole)
      }),
      { numRuns: 4 },
    )
  }, 60_000)

  it('goes on as if it had never stopped, whatever the event it is restarted at and its last checkpoint', () => {
    fc.assert(
      fc.property(fc.nat(300), fc.nat(200), (back, since) => {
        const cut = Math.min(events.length - 1, recent + back)
        const saved = Math.max(0, cut - since)
        const before = anEngine()
        for (const event of events.slice(0, saved)) before.engine.feed(event)
        const state = before.engine.saveKey('main', 'orders')
        for (const event of events.slice(saved, cut)) before.engine.feed(event)
        const after = anEngine()
        after.engine.restoreKey('main', 'orders', state)
        for (const event of events.slice(saved, cut)) after.engine.replay(event)
        expect(after.alerts).toEqual([])
        for (const event of events.slice(cut)) after.engine.feed(event)
        expect([...before.alerts, ...after.alerts]).toEqual(whole)
      }),
      { numRuns: 12 },
    )
  }, 60_000)

  it('finds the same alerts when events arrive in another order within ten minutes', () => {
    const identity = ({ alert_id, signal, severity }: Alert) => `${alert_id} ${signal} ${severity}`
    const names = (alerts: readonly Alert[]) =>
      new Set(
        alerts.filter(({ status }) => status === 'resolved').map(({ signal, key }) => `${signal} ${key}`),
      )
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat(9 * 60)), (delays) => {
        const delayed = events.map((event) => {
          const delay = event.timestamp < (THEFT - DAY) * 60 ? 0 : (delays.next().value ?? 0)
          return { ...event, receivedAtMs: event.receivedAtMs + delay * 1000 }
        })
        const { engine, alerts } = anEngine()
        for (const event of inOrder(delayed)) engine.feed(event)
        engine.tick((THEFT + DAY) * 60_000)
        const reference = anEngine()
        for (const event of events) reference.engine.feed(event)
        reference.engine.tick((THEFT + DAY) * 60_000)
        expect(names(woken(alerts))).toEqual(names(woken(reference.alerts)))
        expect(woken(alerts).map(identity)).not.toEqual([])
      }),
      { numRuns: 4 },
    )
  }, 60_000)

  it('keeps at most 8 KiB of numbers for a key that sends little', () => {
    const { engine } = anEngine()
    const before = process.memoryUsage().arrayBuffers
    for (let index = 0; index < 1000; index += 1) {
      engine.feed(aMessage({ key: `key-${index}`, seconds: MONDAY * 60 }))
    }
    expect((process.memoryUsage().arrayBuffers - before) / 1000).toBeLessThan(8 * 1024)
    expect(engine.keyCount()).toBe(1000)
  })
})

import { describe, expect, it } from 'vitest'
import { anEngine, inOrder, run, woken } from '../../test/support/an-engine.ts'
import { aMessage, habitsOf, MONDAY, traffic } from '../../test/support/engine-traffic.ts'

const DAY = 1440
const WEEK = 7 * DAY

const { transactional } = habitsOf(11)
const BURST = MONDAY + 5 * WEEK + 600

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

  it('wakes somebody with the eighth message where practically everything is attributed', () => {
    const { engine, alerts } = anEngine()
    engine.loadSource(known)
    stray(5).forEach((event) => engine.feed(event))
    expect(woken(alerts)).toEqual([])
    stray(8)
      .slice(5)
      .forEach((event) => engine.feed(event))
    expect(woken(alerts)).toMatchObject([{ signal: 'key.unattributed', severity: 'warning', status: 'open' }])
    expect(woken(alerts)[0]?.messages_before_alarm).toBeLessThanOrEqual(8)
  })

  it('becomes critical with a hundred messages, and ends an hour after the last', () => {
    const { engine, alerts } = anEngine()
    engine.loadSource(known)
    stray(120).forEach((event) => engine.feed(event))
    engine.tick((BURST + 240) * 60_000)
    const own = alerts.filter((alert) => alert.signal === 'key.unattributed')
    expect(own.map(({ status, severity }) => [status, severity])).toEqual([
      ['open', 'info'],
      ['open', 'warning'],
      ['open', 'critical'],
      ['resolved', 'critical'],
    ])
    expect(own.at(-1)?.ended_at).toBe(new Date((BURST + 40) * 60_000).toISOString())
    expect(new Set(alerts.map((alert) => alert.incident_id)).size).toBe(1)
  })

  it('stays quiet where much of the mail is unattributed anyway', () => {
    const { engine, alerts } = anEngine()
    engine.loadSource({ ...known, unattributedMessages: 30_000 })
    stray(25).forEach((event) => engine.feed(event))
    expect(woken(alerts)).toEqual([])
  })
})

describe('a key that was quiet', () => {
  it('wakes somebody when it sends again after weeks', () => {
    const before = traffic({
      keys: { orders: transactional },
      fromMinute: MONDAY,
      toMinute: MONDAY + 4 * WEEK,
      seed: 2,
    })
    const others = traffic({
      keys: { other: habitsOf(3).passwordResets },
      fromMinute: MONDAY,
      toMinute: MONDAY + 8 * WEEK,
      seed: 3,
    })
    const again = Array.from({ length: 12 }, (_, index) =>
      aMessage({ key: 'orders', seconds: (MONDAY + 7 * WEEK + 700) * 60 + index * 30 }),
    )
    const alerts = woken(run(inOrder([...before, ...others, ...again]))).filter(({ key }) => key === 'orders')
    expect(alerts[0]).toMatchObject({ signal: 'key.dormant_woke', status: 'open', observed: 21 })
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
    const crowd = Array.from({ length: 12 }, (_, index) =>
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
    expect(warnings).toMatchObject([{ signal: 'key.new', key: '*', observed: 16 }])
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

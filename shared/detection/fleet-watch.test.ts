import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../test/support/test-traffic.ts'
import { alertSchema, signals, type Alert, type Signal } from '#shared/domain/alert.ts'
import { openingOf, type FleetOpening } from './fleet-members.ts'
import { createFleetWatch } from './fleet-watch.ts'

const START = Date.UTC(2026, 2, 2, 9) / 60_000
const DAY = 1440

function opening(key: string, minute: number, signal: Signal, points: number): FleetOpening {
  return { source: 'main', key, signal, points, minute, nowMs: minute * 60_000 + 5000 }
}

function watched() {
  const alerts: Alert[] = []
  const watch = createFleetWatch((alert) => alerts.push(alertSchema.parse(alert)))
  return { alerts, watch }
}

function run(openings: readonly FleetOpening[], liveKeys: number) {
  const { alerts, watch } = watched()
  for (const each of openings) watch.note(each, liveKeys)
  return { alerts, watch }
}

const vault = ['shop', 'billing', 'alerts'].map((key, index) =>
  opening(key, START + index * 9, index === 1 ? 'mix.recipient_domain' : 'novelty.sender', 5),
)

describe('the fleet watch', () => {
  it('calls three keys with strange mail within half an hour a theft, once, and names them', () => {
    const { alerts, watch } = run(vault, 31)
    expect(alerts).toHaveLength(1)
    expect(alerts[0]).toMatchObject({
      signal: 'fleet.shift',
      severity: 'warning',
      status: 'open',
      source: 'main',
      key: '*',
      observed: 3,
      evidence: { likely_cause: 'stolen_keys', keys_in_all: 3, live_keys: 31 },
    })
    expect(alerts[0]?.summary).toContain('3 of 31 keys became unusual within 30 minutes')
    expect(alerts[0]?.summary).toContain('"shop", "billing", "alerts"')
    expect(watch.incidentOf('main', 'billing')).toBe(alerts[0]?.incident_id)
    expect(watch.incidentOf('main', 'other')).toBeUndefined()
    expect(run(vault, 31).alerts).toEqual(alerts)
  })

  it('is of the whole fleet when the keys are of several sources', () => {
    const { alerts } = run(
      vault.map((each, index) => ({ ...each, source: `source${index}` })),
      31,
    )
    expect(alerts[0]?.source).toBe('*')
  })

  it.each([
    { signal: 'rate.defer', cause: 'receiver_or_provider' },
    { signal: 'volume.drop', cause: 'receiver_or_provider' },
    { signal: 'volume.spike', cause: 'volume' },
  ] as const)('shows many keys with $signal only on the boards ($cause)', ({ signal, cause }) => {
    const many = Array.from({ length: 9 }, (_, index) => opening(`key${index}`, START + index, signal, 2))
    const { alerts } = run(many, 31)
    expect(alerts.length).toBeGreaterThan(0)
    for (const alert of alerts)
      expect(alert).toMatchObject({ severity: 'info', evidence: { likely_cause: cause } })
  })

  it('takes bounces for the receiver’s doing only where they are at one domain', () => {
    const bounces = (oneDomain: boolean) =>
      Array.from({ length: 9 }, (_, index) => ({
        ...opening(`key${index}`, START + index, 'rate.bounce', 2),
        oneDomain,
      }))
    expect(run(bounces(true), 31).alerts[0]?.severity).toBe('info')
    expect(run(bounces(false), 31).alerts[0]?.severity).toBe('warning')
  })

  it('says nothing about fewer than three keys, a small share of them, or keys hours apart', () => {
    expect(run(vault.slice(0, 2), 31).alerts).toEqual([])
    const few = Array.from({ length: 6 }, (_, index) =>
      opening(`key${index}`, START + index, 'volume.spike', 2),
    )
    expect(run(few, 40).alerts).toEqual([])
    const apart = vault.map((each, index) => opening(each.key, START + index * 60, each.signal, 5))
    expect(run(apart, 31).alerts).toEqual([])
  })

  it('tells of further keys as they double, and ends an hour after the last', () => {
    const { alerts, watch } = run(vault, 31)
    for (let index = 0; index < 5; index += 1)
      watch.note(opening(`more${index}`, START + 20 + index, 'volume.spike', 2.5), 31)
    expect(alerts.map(({ revision, status }) => [revision, status])).toEqual([
      [1, 'open'],
      [2, 'open'],
    ])
    watch.tick((START + 24 + 59) * 60_000)
    expect(alerts).toHaveLength(2)
    watch.tick((START + 24 + 500) * 60_000)
    expect(alerts).toHaveLength(3)
    expect(alerts[2]).toMatchObject({ status: 'resolved', revision: 3, evidence: { keys_in_all: 8 } })
    expect(alerts[2]?.changed_at).toBe(new Date((START + 24 + 60) * 60_000).toISOString())
    expect(watch.incidentOf('main', 'shop')).toBeUndefined()
    expect(new Set(alerts.map(({ alert_id }) => alert_id)).size).toBe(1)
  })

  it('becomes a warning when the keys of an incident at SendGrid turn out to be stolen', () => {
    const many = Array.from({ length: 9 }, (_, index) =>
      opening(`key${index}`, START + index, 'rate.defer', 2),
    )
    const { alerts, watch } = run(many, 31)
    const before = alerts.length
    for (const [index, { key, signal }] of vault.entries())
      watch.note(opening(key, START + 30 + index, signal, 5), 31)
    expect(alerts.slice(before).map(({ severity }) => severity)).toEqual(['warning'])
  })

  it('gets used to keys that are odd together every night', () => {
    const openings: FleetOpening[] = []
    for (let night = 0; night < 60; night += 1)
      for (let key = 0; key < 4; key += 1)
        openings.push(opening(`batch${key}`, START + night * DAY + key, 'volume.off_hours', 2.2))
    const { alerts } = run(openings, 12)
    const opened = alerts.filter(({ revision }) => revision === 1)
    const lastDay = Math.max(
      0,
      ...opened.map((alert) => (Date.parse(alert.started_at) / 60_000 - START) / DAY),
    )
    expect(opened.length).toBeGreaterThan(0)
    expect(lastDay).toBeLessThan(14)
  })

  it('stays quiet for years while keys are odd by themselves now and then', () => {
    for (const keys of [10, 31, 300]) {
      const random = seededRandom(keys)
      const { alerts, watch } = watched()
      for (let minute = START; minute < START + 365 * DAY; minute += 1) {
        if (random() >= keys / 4 / DAY) continue
        const key = `key${Math.floor(random() * keys)}`
        const signal = random() < 0.5 ? 'volume.spike' : 'novelty.template'
        watch.note(opening(key, minute, signal, 2 + 1.5 * random()), keys)
      }
      expect(alerts).toEqual([])
    }
  })

  it('has one incident open at a time, told in order, however often the clock is told', () => {
    const step = fc.record({
      after: fc.integer({ min: 0, max: 90 }),
      key: fc.integer({ min: 0, max: 12 }),
      late: fc.integer({ min: 0, max: 15 }),
      points: fc.double({ min: 1, max: 8, noNaN: true }),
      signal: fc.constantFrom(...signals.filter((name) => /^(?:volume|rate|novelty|mix)\./.test(name))),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const seldom = watched()
        const often = watched()
        let minute = START
        for (const { watch } of [seldom, often]) watch.tick(START * 60_000)
        for (const { after, key, late, points, signal } of steps) {
          for (let passed = 1; passed <= after; passed += 1) often.watch.tick((minute + passed) * 60_000)
          minute += after
          const each = { ...opening(`key${key}`, minute - late, signal, points), nowMs: minute * 60_000 }
          seldom.watch.note(each, 13)
          often.watch.note(each, 13)
        }
        expect(often.alerts).toEqual(seldom.alerts)
        let open: Alert | undefined
        for (const alert of seldom.alerts) {
          expect(alert.revision).toBe(open === undefined ? 1 : open.revision + 1)
          expect(alert.alert_id).toBe(open?.alert_id ?? alert.alert_id)
          open = alert.status === 'open' ? alert : undefined
        }
      }),
    )
  })
})

describe('openingOf', () => {
  it('reads what an alert of a key says, and nothing from notices and from what is over', () => {
    const { alerts } = run(vault, 31)
    const [fleet] = alerts
    if (fleet === undefined) throw new Error('no alert to start from')
    const alert: Alert = {
      ...fleet,
      key: 'shop',
      signal: 'rate.bounce',
      score: 3.2,
      evidence: { one_recipient_domain: true },
    }
    expect(openingOf(alert)).toEqual({
      source: 'main',
      key: 'shop',
      signal: 'rate.bounce',
      points: 3.2,
      minute: START,
      nowMs: Date.parse(alert.changed_at),
      oneDomain: true,
    })
    expect(openingOf(fleet)).toBeUndefined()
    expect(openingOf({ ...alert, status: 'resolved' })).toBeUndefined()
    expect(openingOf({ ...alert, signal: 'key.new' })).toBeUndefined()
  })
})

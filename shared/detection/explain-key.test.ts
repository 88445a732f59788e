import { beforeAll, describe, expect, it } from 'vitest'
import { aMessage, habitsOf, MONDAY, traffic } from '../../test/support/engine-traffic.ts'
import { createDetectionEngine, type DetectionEngine } from './detection-engine.ts'
import { defaultDetectionSettings } from './detection-settings.ts'
import type { KeyDescription } from './explain-key.ts'

const DAY = 1440
const toMinute = MONDAY + 22 * DAY + 600
let engine: DetectionEngine
let before: KeyDescription | undefined
let during: KeyDescription | undefined

/** Three weeks of a key that sends by day, and a burst of four hundred messages in four minutes. */
beforeAll(() => {
  engine = createDetectionEngine(defaultDetectionSettings, () => undefined)
  const { transactional: orders, passwordResets: resets } = habitsOf(5)
  for (const event of traffic({ keys: { orders, resets }, fromMinute: MONDAY, toMinute, seed: 5 }))
    engine.feed(event)
  before = engine.describe('main', 'orders')
  for (let index = 0; index < 400; index += 1) {
    engine.feed(aMessage({ key: 'orders', seconds: toMinute * 60 + Math.floor(index / 2) }))
  }
  during = engine.describe('main', 'orders')
}, 60_000)

const windowsOf = (described: KeyDescription | undefined) =>
  described !== undefined && 'windows' in described.volume ? described.volume.windows : []

describe('describeKey', () => {
  it('is nothing for a key that the engine does not hold, and JSON for one that it does', () => {
    expect(engine.describe('main', 'nobody')).toBeUndefined()
    expect(JSON.parse(JSON.stringify(during))).toEqual(during)
  })

  it('names the floor that keeps a usual window from being looked at', () => {
    expect(before?.severity).toBeNull()
    expect(windowsOf(before).map(({ window }) => window)).toEqual([
      '1 minute',
      '10 minutes',
      '1 hour',
      '6 hours',
      '24 hours',
    ])
    for (const { points, observed, looked_at_from, decided_by } of windowsOf(before)) {
      expect(points).toBe(0)
      expect(observed).toBeLessThan(looked_at_from ?? Infinity)
      expect(decided_by).toMatch(/^floor: /)
    }
  })

  it('gives the score, the limit and the windows of a burst as the engine holds them', () => {
    expect(during?.score.total).toBe(engine.describe('main', 'orders')?.score.total)
    const spike = during?.evidence.find(({ signal }) => signal === 'volume.spike')
    expect(spike).toMatchObject({ group: 'volume' })
    const worst = Math.max(...windowsOf(during).map(({ points }) => points))
    expect(worst).toBeGreaterThan(3)
    // Evidence keeps the most points it had, and is reported in steps.
    expect(spike?.points).toBeGreaterThan(worst - 0.5)
    for (const { points, surprise } of windowsOf(during)) expect(points).toBeLessThanOrEqual(surprise + 0.001)
    const ten = windowsOf(during).find(({ window }) => window === '10 minutes')
    expect(ten?.observed).toBeGreaterThanOrEqual(400)
    expect(ten?.usual_high).toBeLessThan(100)
  })

  it('says whether the limit or the floor decided', () => {
    expect(during?.limit).toBeGreaterThanOrEqual(during?.floor ?? Infinity)
    expect(during?.days_learnt).toBeGreaterThan(15)
    const woken = (during?.score.total ?? 0) >= (during?.limit ?? Infinity)
    expect(during?.decision).toMatch(woken ? /^over the limit/ : /^below the (score|floor)/)
    expect(during?.severity === null).toBe(during?.decision.endsWith(': somebody is woken') !== true)
    expect(during?.days_between_such_scores).toBeGreaterThan(before?.days_between_such_scores ?? Infinity)
  })
})

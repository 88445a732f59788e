import { describe, expect, it } from 'vitest'
import { generateEvents } from './event-stream.ts'
import { defaultFleet } from './fleet.ts'
import type { KeyProfile } from './key-profile.ts'

const DAY_MS = 86_400_000
const WEEKS = 2
/** A Monday, 00:00 UTC. */
const FROM_MS = Date.UTC(2026, 1, 2)
const events = [
  ...generateEvents({
    profiles: defaultFleet,
    seed: 5,
    rate: 1,
    fromMs: FROM_MS,
    toMs: FROM_MS + WEEKS * 7 * DAY_MS,
  }),
]
const ofKey = (key: string) => events.filter((event) => event.key === key)
const count = (key: string, type: string) => ofKey(key).filter(({ event }) => event.event === type).length
/** Messages by UTC hour of the week, Monday first. */
const byHour = (key: string) => {
  const hours = Array.from({ length: 168 }, () => 0)
  for (const { event, atMs } of ofKey(key)) {
    if (event.event !== 'processed') continue
    const hour = Math.floor((atMs - FROM_MS) / 3_600_000) % 168
    hours[hour] = (hours[hour] ?? 0) + 1
  }
  return hours
}
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
const name = ({ name }: KeyProfile) => name

describe('the default fleet', () => {
  it('has about ten keys on three sources and about 425,000 events in 28 days', () => {
    expect(defaultFleet.length).toBeGreaterThanOrEqual(10)
    expect(new Set(defaultFleet.map(({ source }) => source))).toEqual(
      new Set(['main', 'billing', 'marketing']),
    )
    expect(events.length).toBeGreaterThan(200_000)
    expect(events.length).toBeLessThan(250_000)
  })

  it.each(defaultFleet.filter(({ habit }) => habit.kind === 'steady').map(name))(
    '%s sends its weekly volume, give or take chance',
    (key) => {
      const habit = defaultFleet.find((profile) => profile.name === key)?.habit
      if (habit?.kind !== 'steady') throw new Error('not steady')
      const expected = WEEKS * habit.messagesPerWeek
      const sent = count(key, 'processed') + count(key, 'dropped')
      // Poisson chance and the gamma factor of each day, five deviations of each.
      const tolerance = 5 * Math.sqrt(expected + expected ** 2 / (WEEKS * 7 * habit.dayShape))
      expect(Math.abs(sent - expected)).toBeLessThan(tolerance)
    },
  )

  it('follows its profile: the office key rests at night, at weekends, and dips at lunch', () => {
    const hours = byHour('support-desk')
    const workingDays = hours.slice(0, 120)
    const inHour = (local: number) => sum(workingDays.filter((_, hour) => (hour + 1) % 24 === local))
    expect(sum(hours.slice(120))).toBe(0)
    expect(inHour(2)).toBe(0)
    expect(inHour(12)).toBeLessThan(0.75 * inHour(10))
    expect(inHour(12)).toBeLessThan(0.75 * inHour(14))
  })

  it('sends password resets in every hour of the week', () => {
    expect(Math.min(...byHour('password-reset'))).toBeGreaterThan(0)
  })

  it('runs the nightly batch once a night from 02:00 local time on, and the newsletter on Thursdays only', () => {
    const nightly = byHour('nightly-statements')
    expect(sum(nightly.filter((_, hour) => hour % 24 < 1 || hour % 24 > 2))).toBe(0)
    const newsletter = byHour('weekly-newsletter')
    const thursday = newsletter.slice(3 * 24, 4 * 24)
    expect(sum(thursday)).toBe(sum(newsletter))
    expect(sum(thursday)).toBeGreaterThan(WEEKS * 3500)
  })

  it('is over-dispersed: hourly counts vary by more than chance around the hour of the week', () => {
    const counts = new Map<number, number>()
    for (const { event, atMs } of ofKey('orders-web')) {
      if (event.event !== 'processed') continue
      const hour = Math.floor((atMs - FROM_MS) / 3_600_000)
      counts.set(hour, (counts.get(hour) ?? 0) + 1)
    }
    let excess = 0
    for (const [hour, mean] of byHour('orders-web').map((total, index) => [index, total / WEEKS] as const)) {
      for (let week = 0; week < WEEKS; week++)
        excess += ((counts.get(hour + week * 168) ?? 0) - mean) ** 2 - mean * (1 - 1 / WEEKS)
    }
    // Zero for Poisson counts, whose variance is their mean; less 1/WEEKS because the mean is of the same weeks.
    expect(excess / sum([...counts.values()])).toBeGreaterThan(0.5)
  })

  it.each(['orders-web', 'app-notifications', 'us-shop', 'weekly-newsletter'])(
    '%s has the bounces, drops, deferrals and opens of its profile',
    (key) => {
      const rates = defaultFleet.find((profile) => profile.name === key)?.rates
      if (rates === undefined) throw new Error('no such key')
      const messages = count(key, 'processed')
      const near = (type: string, expected: number) => {
        const deviation = Math.sqrt(messages * expected)
        expect(Math.abs(count(key, type) - messages * expected)).toBeLessThan(6 * deviation)
      }
      near('dropped', rates.drop)
      near('bounce', rates.bounce + 0.14 * rates.defer)
      near('delivered', 1 - rates.bounce - 0.14 * rates.defer)
      const openers = new Set(
        ofKey(key)
          .filter(({ event }) => event.event === 'open' && event['sg_machine_open'] === false)
          .map(({ event }) => event.sg_message_id),
      )
      expect(openers.size / messages).toBeCloseTo(rates.open, 1)
    },
  )

  it('names keys on main by a custom argument, on marketing by a category, and on billing not at all', () => {
    const misnamed = events.filter(({ source, key, event }) => {
      if (source === 'main') return event['api_key_id'] !== key
      const categories = [event['category']].flat()
      return 'api_key_id' in event || categories.includes(`key:${key}`) !== (source === 'marketing')
    })
    expect(misnamed).toEqual([])
  })
})

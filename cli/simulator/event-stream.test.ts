import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { normaliseEvent } from '#shared/domain/normalise-event.ts'
import { generateEvents, type SimulatedEvent, type StreamOptions } from './event-stream.ts'
import { defaultFleet } from './fleet.ts'
import { FOLLOW_UP_MAX_MS } from './follow-ups.ts'

const DAY_MS = 86_400_000
/** A Monday, 00:00 UTC. */
const MONDAY_MS = Date.UTC(2026, 2, 2)

type More = Partial<Pick<StreamOptions, 'seed' | 'rate' | 'profiles'>>
const generate = (fromMs: number, toMs: number, more: More = {}) => [
  ...generateEvents({ profiles: defaultFleet, seed: 1, rate: 1, fromMs, toMs, ...more }),
]
const week = generate(MONDAY_MS, MONDAY_MS + 7 * DAY_MS)
const messageOf = ({ event }: SimulatedEvent) => event.sg_message_id

describe('generateEvents', () => {
  it('gives the same events for the same seed and other ones for another', () => {
    const until = MONDAY_MS + DAY_MS / 4
    expect(generate(MONDAY_MS, until)).toEqual(generate(MONDAY_MS, until))
    const ids = new Set(generate(MONDAY_MS, until).map(({ event }) => event.sg_event_id))
    expect(generate(MONDAY_MS, until, { seed: 2 }).filter(({ event }) => ids.has(event.sg_event_id))).toEqual(
      [],
    )
  })

  it('makes one process of history and live traffic: a span cut anywhere is the whole span', () => {
    const until = MONDAY_MS + DAY_MS / 2
    const whole = generate(MONDAY_MS, until)
    fc.assert(
      fc.property(fc.integer({ min: MONDAY_MS, max: until }), (cut) => {
        expect([...generate(MONDAY_MS, cut), ...generate(cut, until)]).toEqual(whole)
      }),
      { numRuns: 8 },
    )
  })

  it('is in order of time, within the span, with each timestamp the second it happened in', () => {
    let lastMs = MONDAY_MS
    const misplaced = week.filter(({ atMs, event }) => {
      const previousMs = lastMs
      lastMs = atMs
      return atMs < previousMs || event.timestamp !== Math.floor(atMs / 1000)
    })
    expect(misplaced).toEqual([])
    expect(lastMs).toBeLessThan(MONDAY_MS + 7 * DAY_MS)
  })

  it('never uses an event id twice', () => {
    expect(new Set(week.map(({ event }) => event.sg_event_id)).size).toBe(week.length)
  })

  it('has every event type that SendGrid reports about messages', () => {
    // Few people leave a list and come back, so the one key that has them gets more volume here.
    const profiles = defaultFleet.filter(({ name }) => name === 'welcome-series')
    const more = generate(MONDAY_MS, MONDAY_MS + 2 * DAY_MS, { profiles, rate: 20 })
    const types = new Set([...week, ...more].map(({ event }) => event.event))
    expect([...types].toSorted()).toEqual([
      'bounce',
      'click',
      'deferred',
      'delivered',
      'dropped',
      'group_resubscribe',
      'group_unsubscribe',
      'open',
      'processed',
      'spamreport',
      'unsubscribe',
    ])
  })

  it('needs no correction by ingest, whatever the event', () => {
    const corrected = week.filter(({ event, atMs }) => {
      const result = normaliseEvent(event, atMs)
      return result.kind !== 'event' || result.normalised.length > 0
    })
    expect(corrected).toEqual([])
  })

  it('lets every event follow from what happened to its message before, within three days', () => {
    const before: Readonly<Record<string, readonly string[]>> = {
      deferred: ['processed'],
      delivered: ['processed'],
      bounce: ['processed'],
      open: ['delivered'],
      spamreport: ['delivered'],
      click: ['open'],
      unsubscribe: ['open'],
      group_unsubscribe: ['open'],
      group_resubscribe: ['group_unsubscribe'],
    }
    const seen = new Map<string, { readonly firstMs: number; readonly types: Set<string> }>()
    for (const simulated of week) {
      const { event, atMs } = simulated
      const life = seen.get(messageOf(simulated))
      if (event.event === 'processed' || event.event === 'dropped') {
        if (life !== undefined) throw new Error(`${event.event} twice`)
        seen.set(messageOf(simulated), { firstMs: atMs, types: new Set([event.event]) })
        continue
      }
      // The week's first days still report on messages of the days before it.
      if (life === undefined) {
        if (atMs >= MONDAY_MS + FOLLOW_UP_MAX_MS) throw new Error(`${event.event} of no message`)
        continue
      }
      if (atMs - life.firstMs > FOLLOW_UP_MAX_MS) throw new Error(`${event.event} too late`)
      for (const needed of before[event.event] ?? ['a known type']) {
        if (!life.types.has(needed)) throw new Error(`${event.event} without ${needed}`)
      }
      life.types.add(event.event)
    }
    expect(seen.size).toBeGreaterThan(20_000)
  })

  it('ends every message once: delivered, bounced or dropped, and nothing after a bounce or drop', () => {
    const ends = new Map<string, string>()
    for (const simulated of week) {
      const { event } = simulated
      const end = ends.get(messageOf(simulated))
      if (end === 'bounce' || end === 'dropped') throw new Error(`${event.event} after ${end}`)
      if (!['delivered', 'bounce', 'dropped'].includes(event.event)) continue
      if (end !== undefined) throw new Error(`${event.event} after ${end}`)
      ends.set(messageOf(simulated), event.event)
    }
    expect(ends.size).toBeGreaterThan(20_000)
  })
})

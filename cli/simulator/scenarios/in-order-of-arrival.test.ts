import { describe, expect, it } from 'vitest'
import type { SimulatedEvent } from '../event-stream.ts'
import { inOrderOfArrival } from './in-order-of-arrival.ts'
import type { Delivery } from './scenario.ts'

const HOUR_MS = 3_600_000
const FROM_MS = Date.UTC(2026, 2, 4, 10)

/** An event every ten seconds for ten hours, from two sources by turns. */
const events: readonly SimulatedEvent<string>[] = Array.from({ length: 3600 }, (_, index) => {
  const atMs = FROM_MS + index * 10_000
  const event = {
    event: 'processed',
    sg_event_id: `event-${index}`,
    sg_message_id: `message-${index}`,
    timestamp: atMs / 1000,
  }
  return { atMs, source: index % 2 === 0 ? 'main' : 'other', key: 'key', scenario: undefined, event }
})
const window = { fromMs: FROM_MS + 2 * HOUR_MS, toMs: FROM_MS + 4 * HOUR_MS }
const arrive = (kind?: Delivery['kind'], seed = 1) => {
  const deliveries = kind === undefined ? [] : [{ kind, scenario: 'it', source: 'main', ...window }]
  return [...inOrderOfArrival(events, { seed, deliveries })]
}
type Arrivals = ReturnType<typeof arrive>
const happened = ({ event }: Arrivals[number]) => event.timestamp * 1000
const isWithin = (one: Arrivals[number]) => happened(one) >= window.fromMs && happened(one) < window.toMs
const ofMain = (arrived: Arrivals) => arrived.filter(({ source }) => source === 'main')
const ids = (arrived: Arrivals) => new Set(arrived.map(({ event }) => event.sg_event_id))

describe('inOrderOfArrival', () => {
  it.each([undefined, 'silenced', 'redelivered', 'held'] as const)(
    'is in order, the same for the same seed, and nothing arrives before it happens: %s',
    (kind) => {
      const arrived = arrive(kind)
      const times = arrived.map(({ received_at_ms: atMs }) => atMs)
      expect(times).toEqual(times.toSorted((left, right) => left - right))
      expect(arrived.filter((one) => one.received_at_ms < happened(one))).toEqual([])
      expect(arrive(kind)).toEqual(arrived)
    },
  )

  it('brings every event within seconds as a rule, few of them late or twice', () => {
    const arrived = arrive()
    expect(ids(arrived).size).toBe(events.length)
    const late = arrived.filter((one) => one.received_at_ms - happened(one) > 10_000)
    expect(late.length).toBeGreaterThan(0)
    expect(late.length / arrived.length).toBeLessThan(0.02)
    expect(arrived.length - events.length).toBeLessThan(0.01 * events.length)
  })

  it('never brings what is silenced, and all else', () => {
    const arrived = arrive('silenced')
    expect(ofMain(arrived).filter(isWithin)).toEqual([])
    expect(ids(arrived).size).toBe(events.length - 720 / 2)
  })

  it('brings what is held only after the end, all of it within minutes', () => {
    const held = ofMain(arrive('held')).filter(isWithin)
    expect(held).toHaveLength(360)
    const delays = held.map(({ received_at_ms: atMs }) => atMs - window.toMs)
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...delays)).toBeLessThan(15 * 60_000)
  })

  it('brings what is redelivered once at its time, and up to 46 times within 29 hours', () => {
    const again = ofMain(arrive('redelivered')).filter(isWithin)
    const counts = new Map<string, number>()
    for (const { event } of again) counts.set(event.sg_event_id, (counts.get(event.sg_event_id) ?? 0) + 1)
    expect(counts.size).toBe(360)
    expect(Math.max(...counts.values())).toBeGreaterThan(20)
    expect(Math.max(...counts.values())).toBeLessThanOrEqual(46)
    expect(Math.max(...again.map((one) => one.received_at_ms - happened(one)))).toBeLessThan(29 * HOUR_MS)
    const prompt = again.filter((one) => one.received_at_ms - happened(one) < 10_000)
    expect(ids(prompt).size).toBe(360)
  })
})

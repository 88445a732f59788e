import type { SimulatedEvent } from '../event-stream.ts'
import { HOUR_MS } from '../habit.ts'
import { below, exponential, Random } from '../random.ts'
import type { SendgridEvent } from '../render-event.ts'
import { MINUTE_MS } from './local-time.ts'
import type { Delivery } from './scenario.ts'

/** One event as it reaches us. */
export type ArrivedEvent = {
  readonly received_at_ms: number
  readonly source: string
  readonly event: SendgridEvent
}

/** SendGrid posts within seconds as a rule. */
const DELAY_MIN_MS = 800
const DELAY_SPREAD_MS = 5000
/** Some come minutes late, some twice. */
const LATE_SHARE = 0.003
const TWICE_SHARE = 0.004
/** As measured by a customer: one event 46 times in 29 hours. */
const DELIVERIES_MAX = 46
const REDELIVERED_FOR_MS = 29 * HOUR_MS
/** A backlog of hours is posted within this. */
const CATCH_UP_MS = 12 * MINUTE_MS

/**
 * The events in order of arrival. Nothing arrives before it happens, so an hour's arrivals are complete when the
 * stream has passed that hour; memory is bounded by what is on its way.
 */
export function* inOrderOfArrival(
  events: Iterable<SimulatedEvent<string>>,
  options: { readonly seed: number; readonly deliveries: readonly Delivery[] },
): Generator<ArrivedEvent, void, undefined> {
  const { seed, deliveries } = options
  const random = new Random(seed, 31)
  const hours = new Map<number, ArrivedEvent[]>()
  let hour: number | undefined
  for (const { atMs, source, event } of events) {
    const now = Math.floor(atMs / HOUR_MS)
    hour ??= now
    for (; hour < now; hour++) yield* arrivalsOf(hours, hour)
    const delivery = deliveries.find((one) => one.source === source && atMs >= one.fromMs && atMs < one.toMs)
    for (const receivedAtMs of arrivalTimes(atMs, delivery, random)) {
      const arrived = { received_at_ms: receivedAtMs, source, event }
      const arrivalHour = Math.floor(receivedAtMs / HOUR_MS)
      const others = hours.get(arrivalHour)
      if (others === undefined) hours.set(arrivalHour, [arrived])
      else others.push(arrived)
    }
  }
  for (const left of [...hours.keys()].toSorted((a, b) => a - b)) yield* arrivalsOf(hours, left)
}

function arrivalsOf(hours: Map<number, ArrivedEvent[]>, hour: number): readonly ArrivedEvent[] {
  const arrived = hours.get(hour) ?? []
  hours.delete(hour)
  return arrived.sort((left, right) => left.received_at_ms - right.received_at_ms)
}

function arrivalTimes(atMs: number, delivery: Delivery | undefined, random: Random): number[] {
  const usualMs = Math.floor(atMs + DELAY_MIN_MS + DELAY_SPREAD_MS * random.next())
  if (delivery === undefined) {
    const chance = random.next()
    if (chance < LATE_SHARE) return [Math.floor(usualMs + exponential(random, 2 * MINUTE_MS))]
    return chance < LATE_SHARE + TWICE_SHARE ? [usualMs, usualMs + 5000 + below(random, 200_000)] : [usualMs]
  }
  const { fromMs, toMs } = delivery
  switch (delivery.kind) {
    case 'silenced':
      return []
    case 'held':
      // Oldest first, roughly.
      return [Math.floor(toMs + CATCH_UP_MS * ((atMs - fromMs) / (toMs - fromMs)) + 9000 * random.next())]
    case 'redelivered': {
      // Most come a few times, some dozens of times.
      const times = Math.min(DELIVERIES_MAX, 1 + Math.floor(exponential(random, 8)))
      const more = Array.from({ length: times - 1 }, () =>
        Math.floor(usualMs + (REDELIVERED_FOR_MS - MINUTE_MS) * random.next() ** 2),
      )
      return [usualMs, ...more]
    }
    default:
      return delivery.kind satisfies never
  }
}

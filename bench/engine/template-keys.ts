import { configSchema } from '#shared/config/config.ts'
import type { EngineEvent } from '#shared/detection/engine-input.ts'
import { createEventReader } from '../../cli/backtest/read-event.ts'
import { createSeenEvents } from '../../cli/backtest/seen-events.ts'
import { generateEvents } from '../../cli/simulator/event-stream.ts'
import { describeSources } from '../../cli/simulator/scenarios/compose-fleet.ts'
import { drawFleet } from '../../cli/simulator/scenarios/draw-fleet.ts'
import { inOrderOfArrival } from '../../cli/simulator/scenarios/in-order-of-arrival.ts'

/** A Monday at midnight, UTC; the month that the keys have behind them ends here. */
export const TEMPLATE_END_MS = Date.UTC(2025, 8, 29)

/**
 * The events of a fleet of mixed habits, read as the detector reads them, without end and in order of arrival, each
 * once. `rate` multiplies the simulator's usual volume, except that of newsletters and other bursts.
 */
export function* templateEvents(options: {
  readonly seed: number
  readonly keys: number
  readonly rate: number
  readonly fromMs: number
}): Generator<EngineEvent, void, undefined> {
  const { seed, keys, rate, fromMs } = options
  const profiles = drawFleet({ seed, keys, startMs: fromMs })
  const read = createEventReader(configSchema.parse(describeSources(profiles)))
  const seen = createSeenEvents()
  const events = generateEvents({ profiles, seed, rate, fromMs, toMs: Infinity })
  let clockMs = 0
  for (const arrived of inOrderOfArrival(events, { seed, deliveries: [] })) {
    const { received_at_ms: receivedAtMs, source, event } = arrived
    const outcome = read({ received_at: receivedAtMs / 1000, source, event }, clockMs)
    if (outcome.kind === 'bad') throw new Error(`the simulator made what is no event: ${outcome.fault}`)
    clockMs = outcome.event.receivedAtMs
    const { timestamp } = outcome.event
    if (seen.add({ source, timestamp, eventId: outcome.eventId }, clockMs)) yield outcome.event
  }
}

export const HOUR_MS = 3_600_000
/** Events that are in memory at a time. */
export const PIECE_EVENTS_MAX = 100_000

export type Pieces = ReturnType<typeof createPieces>

/** Hands out a stream of events piece by piece. */
export function createPieces(events: Iterator<EngineEvent, void, undefined>) {
  let next = events.next()
  return {
    /** The next events that arrive before `untilMs`, at most so many; empty when there are none left before it. */
    take: (untilMs: number, eventsMax: number): EngineEvent[] => {
      const piece: EngineEvent[] = []
      while (next.done !== true && next.value.receivedAtMs < untilMs && piece.length < eventsMax) {
        piece.push(next.value)
        next = events.next()
      }
      return piece
    },
  }
}

/** The name of a template's copy; the first copy is called like the template. */
export function copyName(key: string, copy: number): string {
  return copy === 0 ? key : `${key}~${copy}`
}

/** The same event for each copy of its key, as objects of their own. */
export function copied(events: readonly EngineEvent[], copies: number): EngineEvent[] {
  return events.flatMap((event) =>
    Array.from({ length: copies }, (_, copy) => ({
      ...event,
      key: copyName(event.key, copy),
      ...(event.facts === undefined ? {} : { facts: { ...event.facts } }),
    })),
  )
}

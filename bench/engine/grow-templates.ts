import { createDetectionEngine, type DetectionEngine } from '#shared/detection/detection-engine.ts'
import { defaultDetectionSettings } from '#shared/detection/detection-settings.ts'
import type { EngineEvent } from '#shared/detection/engine-input.ts'
import { createStopwatch, usedBytes } from './measure.ts'
import { createPlainCounter, type PlainCounter } from './plain-counter.ts'
import { HOUR_MS, PIECE_EVENTS_MAX, TEMPLATE_END_MS, type Pieces } from './template-keys.ts'

/** The state of one key after a month, as it is kept over a restart. */
export type SavedKey = {
  readonly source: string
  readonly key: string
  readonly state: string
  /** That made it what it is. */
  readonly events: number
}

export type Grown = {
  readonly saved: readonly SavedKey[]
  readonly events: number
  /** CPU time for all of them, in the engine and in the plain counter. */
  readonly seconds: number
  readonly counterSeconds: number
  /** A key on average, alive. */
  readonly bytes: number
}

export function createBenchEngine(): DetectionEngine {
  return createDetectionEngine({ ...defaultDetectionSettings, liveKeysMax: 1_000_000 }, () => undefined)
}

/** Feeds a month of events to an engine of its own, and saves the keys that came of it. */
export function growTemplates(pieces: Pieces, days: number): Grown {
  const held: { engine: DetectionEngine | undefined } = { engine: createBenchEngine() }
  const { events, ...grown } = feedMonth(held, pieces, days)
  const saved = savedKeys(held.engine, grown.eventsOf)
  // What the simulator holds at this moment is in both figures.
  const withEngine = usedBytes()
  held.engine = undefined
  const bytes = (withEngine - usedBytes()) / saved.length
  return { saved, events, seconds: grown.seconds, counterSeconds: grown.counterSeconds, bytes }
}

function feedMonth(
  { engine }: { readonly engine: DetectionEngine | undefined },
  pieces: Pieces,
  days: number,
) {
  if (engine === undefined) throw new Error('there is an engine')
  const counter = createPlainCounter()
  const [watch, counterWatch] = [createStopwatch(), createStopwatch()]
  const eventsOf = new Map<string, number>()
  let events = 0
  for (let hour = 1; hour <= days * 24; hour += 1) {
    const untilMs = TEMPLATE_END_MS - (days * 24 - hour) * HOUR_MS
    let piece = pieces.take(untilMs, PIECE_EVENTS_MAX)
    while (piece.length > 0) {
      const now = piece
      watch.time(() => feedAll(engine, now))
      counterWatch.time(() => feedAll(counter, now))
      events += piece.length
      for (const { source, key } of piece) {
        const name = JSON.stringify([source, key])
        eventsOf.set(name, (eventsOf.get(name) ?? 0) + 1)
      }
      piece = pieces.take(untilMs, PIECE_EVENTS_MAX)
    }
  }
  if (counter.total() !== events) throw new Error('the plain counter has lost events')
  return { events, eventsOf, seconds: watch.seconds(), counterSeconds: counterWatch.seconds() }
}

export function feedAll(
  to: Pick<DetectionEngine | PlainCounter, 'feed'>,
  events: readonly EngineEvent[],
): void {
  for (const event of events) to.feed(event)
}

function savedKeys(engine: DetectionEngine | undefined, eventsOf: ReadonlyMap<string, number>): SavedKey[] {
  if (engine === undefined) throw new Error('there is an engine')
  return engine.dirtyKeys().map(({ source, key }) => {
    const state = engine.saveKey(source, key)
    if (state === undefined) throw new Error(`${source}/${key} has no state`)
    return { source, key, state, events: eventsOf.get(JSON.stringify([source, key])) ?? 0 }
  })
}

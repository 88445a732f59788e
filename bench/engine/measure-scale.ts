import type { DetectionEngine } from '#shared/detection/detection-engine.ts'
import { createBenchEngine, feedAll, type SavedKey } from './grow-templates.ts'
import { createStopwatch, usedBytes, type ScaleFigures } from './measure.ts'
import { createPlainCounter } from './plain-counter.ts'
import { copied, copyName, HOUR_MS, PIECE_EVENTS_MAX, TEMPLATE_END_MS, type Pieces } from './template-keys.ts'

export type ScaleRequest = {
  readonly keys: number
  readonly hours: number
  readonly saved: readonly SavedKey[]
  /** The templates' events after their month. */
  readonly pieces: Pieces
}

/** The engine closes every key's windows at this minute of each hour. */
const HOURLY_MS = 20 * 60_000

/** Brings so many keys back, as copies of the saved ones, and measures hours of their traffic. */
export function measureScale(request: ScaleRequest): ScaleFigures {
  const copies = Math.round(request.keys / request.saved.length)
  const before = usedBytes()
  const held: { engine: DetectionEngine | undefined } = { engine: restoredEngine(request.saved, copies) }
  const keys = held.engine?.keyCount() ?? 0
  const bytesRestored = (usedBytes() - before) / keys
  const figures = feedHours(held, request, copies)
  const withEngine = usedBytes()
  held.engine = undefined
  return {
    keys,
    hours: request.hours,
    ...figures,
    bytesRestored,
    bytesAfter: (withEngine - usedBytes()) / keys,
    peakMib: process.resourceUsage().maxRSS / 1024,
  }
}

function restoredEngine(saved: readonly SavedKey[], copies: number): DetectionEngine {
  const engine = createBenchEngine()
  for (let copy = 0; copy < copies; copy += 1) {
    for (const { source, key, state } of saved) engine.restoreKey(source, copyName(key, copy), state)
  }
  return engine
}

function feedHours(
  { engine }: { readonly engine: DetectionEngine | undefined },
  { hours, pieces }: ScaleRequest,
  copies: number,
) {
  if (engine === undefined) throw new Error('there is an engine')
  const counter = createPlainCounter()
  const [watch, hourlyWatch, counterWatch] = [createStopwatch(), createStopwatch(), createStopwatch()]
  let events = 0
  const feedUntil = (untilMs: number) => {
    const eventsMax = Math.ceil(PIECE_EVENTS_MAX / copies)
    let piece = pieces.take(untilMs, eventsMax)
    while (piece.length > 0) {
      const all = copied(piece, copies)
      watch.time(() => feedAll(engine, all))
      counterWatch.time(() => feedAll(counter, all))
      events += all.length
      piece = pieces.take(untilMs, eventsMax)
    }
  }
  // Brings everybody's clock to the present, which is no part of an hour's work.
  engine.tick(TEMPLATE_END_MS)
  for (let hour = 0; hour < hours; hour += 1) {
    const hourMs = TEMPLATE_END_MS + hour * HOUR_MS
    feedUntil(hourMs + HOURLY_MS)
    hourlyWatch.time(() => engine.tick(hourMs + HOURLY_MS))
    feedUntil(hourMs + HOUR_MS)
  }
  if (counter.total() !== events) throw new Error('the plain counter has lost events')
  return {
    events,
    seconds: watch.seconds() + hourlyWatch.seconds(),
    hourlySeconds: hourlyWatch.seconds(),
    counterSeconds: counterWatch.seconds(),
  }
}

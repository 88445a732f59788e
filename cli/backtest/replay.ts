import type { Config } from '#shared/config/config.ts'
import {
  configuredKnowledge,
  detectionSettingsOf,
  keySettingsOf,
} from '#shared/config/detection-settings-of.ts'
import { createDetectionEngine } from '#shared/detection/detection-engine.ts'
import type { DetectionSettings } from '#shared/detection/detection-settings.ts'
import type { EngineEvent } from '#shared/detection/engine-input.ts'
import { openingOf } from '#shared/detection/fleet-members.ts'
import { createFleetWatch } from '#shared/detection/fleet-watch.ts'
import { createKnowledgeBook } from '#shared/detection/knowledge-book.ts'
import { createSilenceWatch } from '#shared/detection/source-silence.ts'
import type { Alert } from '#shared/domain/alert.ts'
import type { Knowledge } from '#shared/domain/knowledge.ts'
import { createChangeFilter } from './change-filter.ts'
import { createSourceCounts } from './source-traffic.ts'

/** The engine on a virtual clock. */
export type Replay = {
  /** Events in order of arrival, each once. */
  readonly feed: (event: EngineEvent) => void
  /** No more events: lets the clock run until every open episode has ended. */
  readonly finish: () => void
}

const MINUTE_MS = 60_000
/** In a gap the engine's clock ticks by the minute for so long, then by the hour: nothing ends later than that. */
const BY_MINUTE_MS = 48 * 3600 * 1000
const HOUR_MS = 3600 * 1000
/** A gap that is longer than this is left out in its middle. */
const GAP_MAX_MS = 60 * 24 * HOUR_MS
/** How long open episodes are given to end. */
const ENDING_MS = 26 * HOUR_MS

/**
 * Drives the engine as the live detector does, with the arrival clock of the events themselves. `onChange` gets each
 * alert when it opens, rises in severity or ends. `knowledge` is what people know, besides what is configured.
 */
export function createReplay(
  config: Pick<Config, 'detection' | 'detector'>,
  knowledge: readonly Knowledge[],
  onChange: (alert: Alert) => void,
): Replay {
  const settings = detectionSettingsOf(config)
  const filter = createChangeFilter(onChange)
  const fleet = createFleetWatch(filter.take)
  const engine = createDetectionEngine(
    settings,
    (alert) => {
      filter.take(alert)
      const opening = openingOf(alert)
      if (opening !== undefined) fleet.note(opening, engine.keyCount())
    },
    keySettingsOf(config, settings),
  )
  engine.setKnowledge(createKnowledgeBook([...configuredKnowledge(config), ...knowledge]))
  const sources = createSourceJudge(settings, filter.take)
  let clockMs = -1

  const advance = (nowMs: number) => {
    if (clockMs < 0) clockMs = Math.floor(nowMs / MINUTE_MS) * MINUTE_MS
    // Nothing is left open after so long a gap, and nothing else happens in it.
    if (nowMs - clockMs > GAP_MAX_MS) {
      advance(clockMs + GAP_MAX_MS)
      clockMs = Math.floor(nowMs / MINUTE_MS) * MINUTE_MS - HOUR_MS
    }
    const fromMs = clockMs
    while (clockMs + MINUTE_MS <= nowMs) {
      const stepMs = clockMs - fromMs < BY_MINUTE_MS || clockMs + HOUR_MS > nowMs ? MINUTE_MS : HOUR_MS
      clockMs += stepMs
      engine.tick(clockMs)
      fleet.tick(clockMs)
      sources.judge(clockMs / 1000)
    }
  }

  return {
    feed: (event) => {
      advance(event.receivedAtMs)
      sources.count(event.source, Math.min(event.timestamp, Math.floor(event.receivedAtMs / 1000)))
      engine.feed(event)
    },
    finish: () => {
      // That nothing comes any more is the file's end, and no finding.
      filter.acceptEndsOnly()
      const untilMs = clockMs + ENDING_MS
      while (filter.openCount() > 0 && clockMs < untilMs) {
        clockMs += MINUTE_MS
        engine.tick(clockMs)
        fleet.tick(clockMs)
      }
    },
  }
}

/** Counts each source's traffic and tells of its silence, as the detector does from the warehouse. */
function createSourceJudge(settings: DetectionSettings, take: (alert: Alert) => void) {
  const silence = createSilenceWatch(settings)
  const counts = createSourceCounts()
  const silent = new Set<string>()
  return {
    count: counts.count,
    judge: (nowSeconds: number) => {
      const sources = counts.quietAt(nowSeconds, { dueMin: settings.silenceExpectedMin, names: silent })
      if (sources.length === 0) return
      for (const alert of silence.judge(sources, nowSeconds)) {
        if (alert.status === 'open') silent.add(alert.source)
        else silent.delete(alert.source)
        take(alert)
      }
    },
  }
}

import type { Config } from '#shared/config/config.ts'
import type { EngineEvent } from '#shared/detection/engine-input.ts'
import type { Alert } from '#shared/domain/alert.ts'
import type { Knowledge } from '#shared/domain/knowledge.ts'
import { createUsageBook, type KeyUsage } from './key-usage.ts'
import type { MessageTimes } from './message-times.ts'
import { createReplay } from './replay.ts'
import { createSeenEvents } from './seen-events.ts'

/** One event of the past, in order of arrival. */
export type PastEvent = {
  readonly event: EngineEvent
  readonly eventId: string
  readonly messageId: string
  readonly undated: boolean
}

export type BacktestRun = {
  /** Changes of alerts, in the order in which they became true. */
  readonly changes: readonly Alert[]
  readonly keys: readonly KeyUsage[]
  /** Events that were judged, and those that had come before and were left out. */
  readonly events: number
  readonly duplicates: number
  /** Arrival of the first and the last event, milliseconds; 0 without one. */
  readonly fromMs: number
  readonly toMs: number
  /** There were more events than can be remembered, so some repetitions may have been taken for new events. */
  readonly duplicatesUnsure: boolean
}

export type BacktestSink = {
  readonly onChange?: (alert: Alert) => void
  /** What people know of keys and alerts. */
  readonly knowledge: readonly Knowledge[]
  readonly messageTimes?: MessageTimes | undefined
  /** Keeps what the page draws. */
  readonly drawn: boolean
}

/** Runs the engine over events of the past: give it each, then `finish`. */
export function createBacktest(config: Pick<Config, 'detection' | 'detector'>, sink: BacktestSink) {
  const changes: Alert[] = []
  const replay = createReplay(config, sink.knowledge, (alert) => {
    changes.push(alert)
    sink.onChange?.(alert)
  })
  const seen = createSeenEvents()
  const usage = createUsageBook(sink)
  let [events, duplicates, fromMs, toMs] = [0, 0, 0, 0]

  return {
    add: ({ event, eventId, messageId, undated }: PastEvent) => {
      const identity = { source: event.source, timestamp: undated ? 0 : event.timestamp, eventId }
      if (!seen.add(identity, event.receivedAtMs)) {
        duplicates += 1
        return
      }
      events += 1
      if (fromMs === 0) fromMs = event.receivedAtMs
      toMs = event.receivedAtMs
      usage.count(event)
      if (messageId !== '') sink.messageTimes?.add(messageId, event)
      replay.feed(event)
    },
    finish: (): BacktestRun => {
      replay.finish()
      return {
        changes,
        keys: usage.keys(),
        events,
        duplicates,
        fromMs,
        toMs,
        duplicatesUnsure: seen.isCutShort(),
      }
    },
  }
}

import { OVERFLOW } from '#shared/domain/alert.ts'
import { minuteOf } from './clock.ts'
import type { EngineEvent } from './engine-input.ts'
import { MINUTE_MS, type EngineState } from './engine-state.ts'
import { createKeyState, type KeyState } from './key-state.ts'
import { isMatureSource, type SourceState } from './source-state.ts'

/** A key that has been quiet this long gives way to a new one when there are too many; its history is stored. */
const IDLE_MS = 24 * 3600 * 1000

/** The key's state; a new key is announced. Undefined when there are too many keys: then it is counted as overflow. */
export function keyFor(engine: EngineState, source: SourceState, event: EngineEvent): KeyState | undefined {
  const known = source.keys.get(event.key)
  if (known !== undefined) return known
  const seen = { source: source.source, minute: minuteOf(event.timestamp), nowMs: event.receivedAtMs }
  if (source.keys.size >= engine.settings.liveKeysMax && !evictIdle(engine, source)) {
    if (!engine.silent) engine.notices.overflow({ ...seen, key: OVERFLOW, liveKeys: source.keys.size })
    return undefined
  }
  const state = createKeyState(source.source, event.key)
  source.keys.set(event.key, state)
  const isLater = isMatureSource(source, Math.floor(event.receivedAtMs / MINUTE_MS))
  if (isLater && !engine.silent) engine.notices.newKey({ ...seen, key: event.key })
  return state
}

/** Looking for idle keys costs as much as there are keys, so it is done once a minute at most. */
export function canEvict({ clockMinute }: EngineState, source: SourceState): boolean {
  return source.lastEvictionMinute < clockMinute
}

export function evictIdle(engine: EngineState, source: SourceState): boolean {
  if (!canEvict(engine, source)) return false
  source.lastEvictionMinute = engine.clockMinute
  const before = source.keys.size
  for (const [key, state] of source.keys) {
    const idle = engine.clockMinute * MINUTE_MS - state.lastArrivalMs > IDLE_MS
    if (idle && state.evidence.size === 0) source.keys.delete(key)
  }
  return source.keys.size < before
}

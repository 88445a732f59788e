import { MINUTES_PER_HOUR } from './clock.ts'
import { isMature, MINUTE_MS, sourceState, type EngineState } from './engine-state.ts'
import { endEvidence } from './evidence-book.ts'
import type { KeyState } from './key-state.ts'
import { advanceOutcomes } from './outcomes/outcome-watch.ts'
import { isDisturbed, isMatureSource, presentMinute, type SourceState } from './source-state.ts'
import { advanceVolume } from './volume/volume-watch.ts'

/** Windows are closed so long after their end … */
const CLOSING_MINUTES = 15
/** … at this minute of each hour, so that every key's clock moves even while it is quiet. */
const HOURLY_AT_MINUTE = 20

/** Moves the arrival clock on. */
export function tick(engine: EngineState, nowMs: number): void {
  const target = Math.floor(nowMs / MINUTE_MS)
  if (engine.clockMinute === -1) engine.clockMinute = target
  // Minute by minute while something is open, so that what ends, ends in its own minute, however seldom the clock is
  // told; otherwise from hour to hour.
  while (engine.clockMinute < target) {
    const isBusy = engine.suspects.size > 0 || engine.notices.openCount() > 0
    const minute = isBusy ? engine.clockMinute + 1 : Math.min(target, nextHourly(engine.clockMinute))
    engine.clockMinute = minute
    if (minute % MINUTES_PER_HOUR === HOURLY_AT_MINUTE) {
      for (const source of engine.sources.values()) {
        for (const state of source.keys.values()) tickKey(engine, source, state, minute)
      }
    }
    for (const state of engine.suspects) {
      tickKey(engine, sourceState(engine, state.source), state, minute)
      if (state.evidence.size === 0) engine.suspects.delete(state)
    }
    engine.notices.expire(minute * MINUTE_MS)
  }
}

function nextHourly(minute: number): number {
  const hour = Math.floor((minute - HOURLY_AT_MINUTE) / MINUTES_PER_HOUR) + 1
  return hour * MINUTES_PER_HOUR + HOURLY_AT_MINUTE
}

/** Moves one key's clock: its windows close by the hour, and what is held against it ends in its own minute. */
export function tickKey(engine: EngineState, source: SourceState, state: KeyState, target: number): void {
  if (state.clockMinute === -1) state.clockMinute = target
  while (state.clockMinute < target) {
    const isSuspect = state.evidence.size > 0
    const minute = isSuspect ? state.clockMinute + 1 : Math.min(target, nextHourly(state.clockMinute))
    state.clockMinute = minute
    if (minute % MINUTES_PER_HOUR === HOURLY_AT_MINUTE) closeWindows(engine, source, state, minute)
    if (!isSuspect) continue
    endEvidence(state, presentMinute(source, minute), { nowMs: minute * MINUTE_MS, emit: engine.emit })
  }
}

/** Closes the windows that are complete. A source that is silent as a whole says nothing about its keys. */
function closeWindows(engine: EngineState, source: SourceState, state: KeyState, clockMinute: number): void {
  const minute = Math.min(presentMinute(source, clockMinute) - CLOSING_MINUTES, source.eventMinute)
  if (minute <= state.advancedMinute) return
  state.advancedMinute = minute
  const { sink } = engine
  const nowMs = clockMinute * MINUTE_MS
  const settings = engine.settingsOf(state.source, state.key)
  const judged = isMatureSource(source, clockMinute) && !isDisturbed(source, minute)
  engine.subject = { state, minute, nowMs, event: undefined }
  advanceVolume(state.volume, minute, { settings, nowMs, judged, familiar: true }, sink)
  advanceOutcomes(state.outcomes, minute, { nowMs, judged, mature: isMature(state) }, sink)
}

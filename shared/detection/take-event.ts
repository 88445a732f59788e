import { UNATTRIBUTED } from '#shared/domain/alert.ts'
import { dayOf, minuteOf } from './clock.ts'
import { countContent } from './content/content-watch.ts'
import { tickKey } from './engine-clock.ts'
import type { EngineEvent } from './engine-input.ts'
import { isMature, MINUTE_MS, sourceState, type EngineState } from './engine-state.ts'
import { moveCalibration } from './key-calibration.ts'
import { judgeNewKey, judgeRetired, judgeUnattributed, judgeWaking, noteWaking } from './key-signals.ts'
import type { KeyState } from './key-state.ts'
import { applyAcceptance } from './knowledge-effects.ts'
import { keyFor } from './live-keys.ts'
import { countOutcome } from './outcomes/outcome-watch.ts'
import {
  countForSource,
  forgetUnattributedToday,
  isMatureSource,
  isFirstKey,
  learnUnit,
  noteEventMinute,
  unattributedHabit,
  type SourceState,
} from './source-state.ts'
import { isMessage } from './volume/volume-unit.ts'
import { countMessage } from './volume/volume-watch.ts'

/** Events later than this against their key's latest are counted into their own time and start nothing. */
const JUDGED_LATENESS_SECONDS = 600
/** SendGrid delivers again for a day; an event that is this much older than its arrival makes nothing older … */
const LATE_SECONDS = 2 * 24 * 3600
/** … and one that is this much older is not looked at. */
const STALE_SECONDS = 8 * 24 * 3600
/** What becomes of a message is told within days; older news than this starts nothing. */
const OUTCOME_LATENESS_SECONDS = 24 * 3600

/** Takes in one event at its own time: a key that is replayed may be behind the engine's clock. */
export function takeEvent(engine: EngineState, event: EngineEvent): void {
  const source = sourceState(engine, event.source)
  source.arrivalMinute = Math.max(source.arrivalMinute, Math.floor(event.receivedAtMs / MINUTE_MS))
  // An event from the future is taken as of now: no sender's clock may move ours.
  const nowSeconds = Math.floor(event.receivedAtMs / 1000)
  const timely = event.timestamp > nowSeconds ? { ...event, timestamp: nowSeconds } : event
  // What is told so late is history, and no sender's clock may make a source or a key old.
  if (timely.timestamp < nowSeconds - STALE_SECONDS) return
  if (timely.timestamp >= nowSeconds - LATE_SECONDS) {
    source.firstSeen = Math.min(source.firstSeen, timely.timestamp)
  }
  noteEventMinute(source, minuteOf(timely.timestamp))
  if (timely.event === 'account_status_change') {
    if (!engine.silent) engine.notices.accountStatusChanged(timely)
    return
  }
  learnUnit(source, timely.event)
  if (isMessage(source.unit.unit, timely.event)) feedMessage(engine, source, timely)
  else feedOutcome(engine, source, timely)
}

function feedMessage(engine: EngineState, source: SourceState, event: EngineEvent): void {
  const { timestamp, receivedAtMs: nowMs } = event
  const minute = minuteOf(timestamp)
  if (!engine.silent) countForSource(source, event.key, minute)
  const state = keyFor(engine, source, event)
  if (state === undefined) return
  if (event.key === UNATTRIBUTED && state.incident?.severity !== undefined) forgetUnattributedToday(source)
  const clockMinute = Math.floor(nowMs / MINUTE_MS)
  tickKey(engine, source, state, clockMinute)
  const { sink, knowledge } = engine
  const settings = engine.settingsOf(event.source, event.key)
  const isRecent = timestamp >= state.headSeconds - JUDGED_LATENESS_SECONDS
  const judged = isRecent && isMatureSource(source, clockMinute)
  engine.subject = { state, minute, nowMs, event }
  moveCalibration(state.calibration, dayOf(timestamp), state.incident?.severity !== undefined)
  if (knowledge.size > 0) applyAcceptance(state, knowledge, { timestamp, nowMs, emit: engine.emit })
  if (state.firstSeconds === -1) state.firstSeconds = timestamp
  noteWaking(state, timestamp)
  const familiar =
    event.facts === undefined || countContent(state.content, event, { facts: event.facts, judged }, sink)
  countMessage(state.volume, { timestamp }, { settings, nowMs, judged, familiar }, sink)
  countOutcome(state.outcomes, event, { nowMs, judged, mature: isMature(state) }, sink)
  if (judged) {
    if (!isFirstKey(source, state.firstSeconds)) judgeNewKey(state, minute, sink)
    judgeWaking(state, timestamp, sink)
    const habit = event.key === UNATTRIBUTED ? unattributedHabit(source, settings) : undefined
    if (habit !== undefined) judgeUnattributed(state, { minute, settings, habit }, sink)
    if (knowledge.isRetired(event.source, event.key, timestamp)) judgeRetired(state, timestamp, sink)
  }
  state.headSeconds = Math.max(state.headSeconds, timestamp)
  touch(state, event)
}

/** What becomes of a key's messages. A key that has sent nothing is not made by a click on an old mail. */
function feedOutcome(engine: EngineState, source: SourceState, event: EngineEvent): void {
  const state = source.keys.get(event.key)
  if (state === undefined) return
  const clockMinute = Math.floor(event.receivedAtMs / MINUTE_MS)
  tickKey(engine, source, state, clockMinute)
  const isRecent = event.timestamp >= clockMinute * 60 - OUTCOME_LATENESS_SECONDS
  const judged = isRecent && isMatureSource(source, clockMinute)
  engine.subject = { state, minute: minuteOf(event.timestamp), nowMs: event.receivedAtMs, event }
  countOutcome(
    state.outcomes,
    event,
    { nowMs: event.receivedAtMs, judged, mature: isMature(state) },
    engine.sink,
  )
  touch(state, event)
}

function touch(state: KeyState, event: EngineEvent): void {
  state.lastArrivalMs = Math.max(state.lastArrivalMs, event.receivedAtMs)
  state.attribution = event.attribution
  state.dirty = true
}

import { OVERFLOW, UNATTRIBUTED, type Alert } from '#shared/domain/alert.ts'
import { MINUTES_PER_DAY, MINUTES_PER_HOUR, dayOf, minuteOf } from './clock.ts'
import { countContent } from './content/content-watch.ts'
import type { DetectionSettings } from './detection-settings.ts'
import type { EngineEvent, StoredSource } from './engine-input.ts'
import { addEvidence, endEvidence, wantsEvidence } from './evidence-book.ts'
import { createErrorBudget, type ErrorBudget } from './error-budget.ts'
import type { Evidence, EvidenceSink } from './evidence.ts'
import { groupOf, scoreOf } from './incident-score.ts'
import { describeKey, type KeyDescription } from './explain-key.ts'
import { moveCalibration } from './key-calibration.ts'
import { decodeKeyState, encodeKeyState } from './key-codec.ts'
import { createKeyState, type KeyState } from './key-state.ts'
import { judgeRetired, judgeUnattributed, judgeWaking, noteWaking } from './key-signals.ts'
import { applyAcceptance, applyVerdicts, plannedEvidence } from './knowledge-effects.ts'
import { createKnowledgeBook, type KnowledgeBook } from './knowledge-book.ts'
import { createNotices, type Notices } from './notices.ts'
import { advanceOutcomes, countOutcome } from './outcomes/outcome-watch.ts'
import {
  countForSource,
  createSourceState,
  forgetUnattributedToday,
  isDisturbed,
  isFirstKey,
  isMatureSource,
  learnUnit,
  presentMinute,
  rememberStored,
  unattributedHabit,
  type SourceState,
} from './source-state.ts'
import { isMessage } from './volume/volume-unit.ts'
import { advanceVolume, countMessage } from './volume/volume-watch.ts'

/** A key that has been quiet this long gives way to a new one when there are too many; its history is stored. */
const IDLE_MS = 24 * 3600 * 1000
const MINUTE_MS = 60_000
const DAYS_PER_YEAR = 365
/** Events later than this against their key's latest are counted into their own time and start nothing. */
const JUDGED_LATENESS_SECONDS = 600
/** What becomes of a message is told within days; older news than this starts nothing. */
const OUTCOME_LATENESS_SECONDS = 24 * 3600
/** Windows are closed so long after their end … */
const CLOSING_MINUTES = 15
/** … at this minute of each hour, so that every key's clock moves even while it is quiet. */
const HOURLY_AT_MINUTE = 20

/**
 * The engine that finds misuse: events and ticks in, alert changes out. Pure: it has no clock and does no I/O, and
 * what it emits depends on the events and their order alone, however they are cut into batches.
 *
 * A driver that stops and starts keeps each key's state (`saveKey`), gives it back before the key's next event
 * (`restoreKey` where `wantsKey`) and feeds again what came since without a word (`replay`).
 */
export type DetectionEngine = {
  readonly wantsKey: (source: string, key: string) => boolean
  /** `saved` undefined: nothing is stored about this key; it will be announced as new. */
  readonly restoreKey: (source: string, key: string, saved: string | undefined) => void
  readonly saveKey: (source: string, key: string) => string | undefined
  /** The keys that changed since they were last saved. */
  readonly dirtyKeys: () => { readonly source: string; readonly key: string }[]
  /** What the warehouse knows about a whole source; an engine that sees every event needs it not. */
  readonly loadSource: (stored: StoredSource) => void
  readonly setKnowledge: (book: KnowledgeBook) => void
  readonly feed: (event: EngineEvent) => void
  /** Takes in what was fed before: nothing is emitted, for it was then. */
  readonly replay: (event: EngineEvent) => void
  /** The arrival clock moves on without an event. Call it only when every event that arrived before is fed. */
  readonly tick: (nowMs: number) => void
  readonly keyCount: () => number
  /** The score of a key at present; undefined for a key that the engine does not hold. */
  readonly score: (source: string, key: string) => number | undefined
  /** What the engine thinks of a key at present, for people; undefined for a key it does not hold. */
  readonly describe: (source: string, key: string) => KeyDescription | undefined
}

/** Everything the engine remembers. */
type EngineState = {
  readonly settings: DetectionSettings
  /** What an operator set for one key. */
  readonly settingsOf: (source: string, key: string) => DetectionSettings
  readonly emit: (alert: Alert) => void
  readonly sources: Map<string, SourceState>
  /** The keys that something is held against. */
  readonly suspects: Set<KeyState>
  readonly notices: Notices
  readonly sink: EvidenceSink
  readonly budget: ErrorBudget
  knowledge: KnowledgeBook
  /** The latest minute of the arrival clock. */
  clockMinute: number
  /** What the sink writes about: set before a module is called. */
  subject: { state: KeyState; minute: number; nowMs: number; event: EngineEvent | undefined } | undefined
  silent: boolean
}

export function createDetectionEngine(
  settings: DetectionSettings,
  emit: (alert: Alert) => void,
  settingsOf: (source: string, key: string) => DetectionSettings = () => settings,
): DetectionEngine {
  const emitUnlessSilent = (alert: Alert) => {
    if (!engine.silent) emit(alert)
  }
  const engine: EngineState = {
    settings,
    settingsOf,
    emit: emitUnlessSilent,
    sources: new Map(),
    suspects: new Set(),
    notices: createNotices(emitUnlessSilent),
    sink: {
      wants: (signal, points) => {
        const { subject } = engine
        return subject !== undefined && wantsEvidence(subject.state, signal, points, subject.minute)
      },
      report: (evidence) => takeEvidence(engine, evidence),
    },
    budget: createErrorBudget({ falsePagesPerKeyYear: DAYS_PER_YEAR / settings.pageEveryDays }),
    knowledge: createKnowledgeBook([]),
    clockMinute: -1,
    subject: undefined,
    silent: false,
  }
  return {
    wantsKey: (source, key) => {
      const state = sourceState(engine, source)
      return !state.keys.has(key) && (state.keys.size < settings.liveKeysMax || canEvict(engine, state))
    },
    restoreKey: (source, key, saved) => restoreKey(engine, { source, key, saved }),
    saveKey: (source, key) => {
      const state = engine.sources.get(source)?.keys.get(key)
      if (state === undefined) return undefined
      state.dirty = false
      return encodeKeyState(state)
    },
    dirtyKeys: () => [...keyStates(engine)].filter(({ dirty }) => dirty),
    loadSource: (stored) => rememberStored(sourceState(engine, stored.source), stored),
    setKnowledge: (book) => {
      engine.knowledge = book
      for (const state of engine.suspects)
        applyVerdicts(state, book, { nowMs: engine.clockMinute * MINUTE_MS, emit: engine.emit })
    },
    feed: (event) => feed(engine, event),
    replay: (event) => {
      engine.silent = true
      take(engine, event)
      engine.silent = false
    },
    tick: (nowMs) => tick(engine, nowMs),
    keyCount: () => [...engine.sources.values()].reduce((sum, state) => sum + state.keys.size, 0),
    score: (source, key) => {
      const state = engine.sources.get(source)?.keys.get(key)
      return state === undefined
        ? undefined
        : scoreOf([...state.evidence.values()].map(({ latest }) => latest)).total
    },
    describe: (source, key) => {
      const state = engine.sources.get(source)?.keys.get(key)
      return state === undefined
        ? undefined
        : describeKey(state, {
            settings: settingsOf(source, key),
            pageEveryDays: pageEveryDays(engine, settings, engine.clockMinute),
          })
    },
  }
}

function* keyStates(engine: EngineState): Generator<KeyState> {
  for (const { keys } of engine.sources.values()) yield* keys.values()
}

function restoreKey(
  engine: EngineState,
  {
    source,
    key,
    saved,
  }: { readonly source: string; readonly key: string; readonly saved: string | undefined },
): void {
  if (saved === undefined) return
  const state = decodeKeyState(source, key, saved)
  const ofSource = sourceState(engine, source)
  ofSource.keys.set(key, state)
  if (state.firstSeconds >= 0) ofSource.firstSeen = Math.min(ofSource.firstSeen, state.firstSeconds)
  if (state.evidence.size > 0) engine.suspects.add(state)
}

function takeEvidence(engine: EngineState, evidence: Evidence): void {
  const { subject, knowledge, emit } = engine
  if (subject === undefined) return
  const { state, minute, nowMs, event } = subject
  const judged = plannedEvidence(patient(engine, state, evidence), knowledge, { state, event })
  if (judged === undefined) return
  const settings = engine.settingsOf(state.source, state.key)
  addEvidence(state, judged, {
    settings,
    pageEveryDays: pageEveryDays(engine, settings, minute),
    minute,
    nowMs,
    emit,
  })
  engine.suspects.add(state)
}

/** The more keys there are, the rarer must be what wakes somebody: twice the keys must not be twice the noise. */
function pageEveryDays(
  { sources, budget }: EngineState,
  settings: DetectionSettings,
  minute: number,
): number {
  let keys = 0
  for (const source of sources.values()) keys += source.keys.size
  const ofFleet = budget.limitDays(Math.floor(minute / MINUTES_PER_DAY), keys)
  return Math.max(settings.pageEveryDays, ofFleet)
}

/** Days with traffic after which a key is not new any more. */
const NEW_DAYS = 3
/** Points that the volume of a key without habits has at most, where all keys of the source are new. */
const FIRST_KEY_POINTS = 3

/** When a source is connected all its keys are new, and their first newsletter is no burst of a new key. */
function patient(engine: EngineState, state: KeyState, evidence: Evidence): Evidence {
  const isNew =
    state.calibration.maxima.length < NEW_DAYS &&
    isFirstKey(sourceState(engine, state.source), state.firstSeconds)
  if (!isNew || groupOf(evidence.signal) !== 'volume') return evidence
  return { ...evidence, points: Math.min(evidence.points, FIRST_KEY_POINTS) }
}

function feed(engine: EngineState, event: EngineEvent): void {
  tick(engine, event.receivedAtMs)
  take(engine, event)
}

/** Takes in one event at its own time: a key that is replayed may be behind the engine's clock. */
function take(engine: EngineState, event: EngineEvent): void {
  const source = sourceState(engine, event.source)
  source.arrivalMinute = Math.max(source.arrivalMinute, Math.floor(event.receivedAtMs / MINUTE_MS))
  // An event from the future is taken as of now: no sender's clock may move ours.
  const nowSeconds = Math.floor(event.receivedAtMs / 1000)
  const timely = event.timestamp > nowSeconds ? { ...event, timestamp: nowSeconds } : event
  source.firstSeen = Math.min(source.firstSeen, timely.timestamp)
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

function isMature(state: KeyState): boolean {
  return state.content.activeDays >= 3
}

function touch(state: KeyState, event: EngineEvent): void {
  state.lastArrivalMs = Math.max(state.lastArrivalMs, event.receivedAtMs)
  state.attribution = event.attribution
  state.dirty = true
}

function tick(engine: EngineState, nowMs: number): void {
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
function tickKey(engine: EngineState, source: SourceState, state: KeyState, target: number): void {
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

function sourceState({ sources }: EngineState, source: string): SourceState {
  const known = sources.get(source)
  if (known !== undefined) return known
  const made = createSourceState(source)
  sources.set(source, made)
  return made
}

/** The key's state; a new key is announced. Undefined when there are too many keys: then it is counted as overflow. */
function keyFor(engine: EngineState, source: SourceState, event: EngineEvent): KeyState | undefined {
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
function canEvict({ clockMinute }: EngineState, source: SourceState): boolean {
  return source.lastEvictionMinute < clockMinute
}

function evictIdle(engine: EngineState, source: SourceState): boolean {
  if (!canEvict(engine, source)) return false
  source.lastEvictionMinute = engine.clockMinute
  const before = source.keys.size
  for (const [key, state] of source.keys) {
    const idle = engine.clockMinute * MINUTE_MS - state.lastArrivalMs > IDLE_MS
    if (idle && state.evidence.size === 0) source.keys.delete(key)
  }
  return source.keys.size < before
}

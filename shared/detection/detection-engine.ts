import { OVERFLOW, type Alert } from '#shared/domain/alert.ts'
import { minuteOf } from './clock.ts'
import type { DetectionSettings } from './detection-settings.ts'
import type { EngineEvent, StoredKey, StoredSource } from './engine-input.ts'
import { checkCalm } from './episode-end.ts'
import { countMessage, createKeyWatch, judgeAgain, type KeyWatch, type WatchContext } from './key-watch.ts'
import { createNotices, type Notices } from './notices.ts'
import { restoreKey } from './restore-key.ts'
import { chooseUnit, isMessage, undecidedUnit, type UnitChoice } from './volume/volume-unit.ts'

/** A source's first day: everything is new then, and nothing is unusual. */
const MATURE_SECONDS = 24 * 3600
/** A key that has been quiet this long gives way to a new one when there are too many; its history is stored. */
const IDLE_MS = 24 * 3600 * 1000
const MINUTE_MS = 60_000
/**
 * Event time trails the arrival clock by more than this only while a backlog is delivered; then an episode ends by
 * the event clock, as long as events still come.
 */
const TRAILING_MINUTES = 15
const STILL_COMING_MINUTES = 5

type SourceState = {
  readonly source: string
  readonly keys: Map<string, KeyWatch>
  stored: StoredSource
  unit: UnitChoice
  firstSeen: number
  /** Latest minute of an event, and of an arrival. */
  eventMinute: number
  arrivalMinute: number
  lastEvictionMinute: number
}

/**
 * The engine that finds misuse: events and ticks in, alert changes out. Pure: it has no clock and does no I/O, and
 * what it emits depends on the events and their order alone, however they are cut into batches.
 *
 * The driver gives it what is stored about a key before the key's first event (`loadKey` where `wantsKey`), and
 * about a source (`loadSource`) at the start and now and then.
 */
export type DetectionEngine = {
  readonly wantsKey: (source: string, key: string) => boolean
  readonly loadKey: (stored: StoredKey) => void
  readonly loadSource: (stored: StoredSource) => void
  readonly feed: (event: EngineEvent) => void
  /** Judges loaded keys as if their last hours came now; `since` (seconds) says which keys are new. */
  readonly judgeAgain: (
    keys: readonly {
      readonly source: string
      readonly key: string
      readonly firstSeen: number | undefined
    }[],
    given: { readonly since: number; readonly nowMs: number },
  ) => void
  /** The arrival clock moves on without an event. Call it only when every event that arrived before is fed. */
  readonly tick: (nowMs: number) => void
  readonly keyCount: () => number
}

/** Everything the engine remembers. */
type EngineState = {
  readonly settings: DetectionSettings
  readonly emit: (alert: Alert) => void
  readonly sources: Map<string, SourceState>
  /** The keys with an open episode. */
  readonly episodes: Set<KeyWatch>
  readonly notices: Notices
  /** The latest minute of the arrival clock. */
  clockMinute: number
}

export function createDetectionEngine(
  settings: DetectionSettings,
  emit: (alert: Alert) => void,
): DetectionEngine {
  const engine: EngineState = {
    settings,
    emit,
    sources: new Map(),
    episodes: new Set(),
    notices: createNotices(emit),
    clockMinute: -1,
  }
  return {
    wantsKey: (source, key) => {
      const state = sourceState(engine, source)
      return !state.keys.has(key) && (state.keys.size < settings.liveKeysMax || canEvict(engine, state))
    },
    loadKey: (stored) => loadKey(engine, stored),
    loadSource: (stored) => loadSource(engine, stored),
    feed: (event) => feed(engine, event),
    judgeAgain: (keys, given) => judgeKeysAgain(engine, keys, given),
    tick: (nowMs) => tick(engine, nowMs),
    keyCount: () => [...engine.sources.values()].reduce((sum, state) => sum + state.keys.size, 0),
  }
}

function loadKey(engine: EngineState, stored: StoredKey): void {
  if (stored.firstSeen === undefined) return
  const watch = restoreKey(stored)
  sourceState(engine, stored.source).keys.set(stored.key, watch)
  if (watch.spike !== undefined || watch.unattributed !== undefined) engine.episodes.add(watch)
}

function loadSource(engine: EngineState, stored: StoredSource): void {
  const state = sourceState(engine, stored.source)
  state.stored = stored
  state.firstSeen = Math.min(state.firstSeen, stored.firstSeen ?? Infinity)
  if (stored.unit !== undefined && !state.unit.decided) {
    state.unit = { unit: stored.unit, seen: 0, decided: true }
  }
}

function feed(engine: EngineState, event: EngineEvent): void {
  tick(engine, event.receivedAtMs)
  const state = sourceState(engine, event.source)
  // An event from the future is taken as of now: no sender's clock may move ours.
  const timestamp = Math.min(event.timestamp, Math.floor(event.receivedAtMs / 1000))
  state.firstSeen = Math.min(state.firstSeen, timestamp)
  state.arrivalMinute = Math.max(state.arrivalMinute, Math.floor(event.receivedAtMs / MINUTE_MS))
  if (event.event === 'account_status_change') {
    engine.notices.accountStatusChanged(event)
    return
  }
  state.unit = chooseUnit(state.unit, event.event)
  if (!isMessage(state.unit.unit, event.event)) return
  const minute = minuteOf(timestamp)
  state.eventMinute = Math.max(state.eventMinute, minute)
  const watch = watchFor(engine, state, { event, minute })
  if (watch === undefined) return
  watch.lastArrivalMs = event.receivedAtMs
  watch.attribution = event.attribution
  countMessage(watch, { minute, nowMs: event.receivedAtMs }, contextOf(engine, state, watch))
}

function judgeKeysAgain(
  engine: EngineState,
  keys: readonly { readonly source: string; readonly key: string; readonly firstSeen: number | undefined }[],
  { since, nowMs }: { readonly since: number; readonly nowMs: number },
): void {
  tick(engine, nowMs)
  for (const { source, key, firstSeen } of keys) {
    const state = sourceState(engine, source)
    const watch = state.keys.get(key)
    if (watch === undefined) continue
    if (firstSeen !== undefined && firstSeen >= since) {
      announceNewKey(engine, state, { watch, minute: minuteOf(firstSeen), nowMs })
    }
    judgeAgain(watch, nowMs, contextOf(engine, state, watch))
  }
}

function tick(engine: EngineState, nowMs: number): void {
  const minute = Math.floor(nowMs / MINUTE_MS)
  if (minute <= engine.clockMinute) return
  engine.clockMinute = minute
  const now = minute * MINUTE_MS
  for (const watch of engine.episodes) {
    const state = sourceState(engine, watch.source)
    const lastMinute = presentMinute(state, minute) - 1
    checkCalm(watch, { lastMinute, nowMs: now }, contextOf(engine, state, watch))
    if (watch.spike === undefined && watch.unattributed === undefined) engine.episodes.delete(watch)
  }
  engine.notices.expire(now)
}

function contextOf(engine: EngineState, state: SourceState, watch: KeyWatch): WatchContext {
  return {
    settings: engine.settings,
    matureSource: isMature(engine, state),
    attributedSource: isAttributed(engine, state),
    emit: (alert) => {
      if (alert.status === 'open') engine.episodes.add(watch)
      engine.emit(alert)
    },
  }
}

function sourceState({ sources }: EngineState, source: string): SourceState {
  const known = sources.get(source)
  if (known !== undefined) return known
  const made: SourceState = {
    source,
    keys: new Map(),
    stored: { source, firstSeen: undefined, unit: undefined, messages: 0, unattributedMessages: 0 },
    unit: undecidedUnit,
    firstSeen: Infinity,
    eventMinute: -1,
    arrivalMinute: -1,
    lastEvictionMinute: -1,
  }
  sources.set(source, made)
  return made
}

/** The key's state; a new key is announced. Undefined when there are too many keys: then it is counted as overflow. */
function watchFor(
  engine: EngineState,
  state: SourceState,
  { event, minute }: { event: EngineEvent; minute: number },
): KeyWatch | undefined {
  const known = state.keys.get(event.key)
  if (known !== undefined) return known
  const nowMs = event.receivedAtMs
  if (state.keys.size >= engine.settings.liveKeysMax && !evictIdle(engine, state)) {
    engine.notices.overflow({ source: state.source, key: OVERFLOW, minute, nowMs, liveKeys: state.keys.size })
    return undefined
  }
  const watch = createKeyWatch(state.source, event.key)
  state.keys.set(event.key, watch)
  announceNewKey(engine, state, { watch, minute, nowMs })
  return watch
}

function announceNewKey(
  engine: EngineState,
  state: SourceState,
  { watch, minute, nowMs }: { watch: KeyWatch; minute: number; nowMs: number },
): void {
  if (!isMature(engine, state)) return
  const alert = engine.notices.newKey({ source: watch.source, key: watch.key, minute, nowMs })
  if (alert !== undefined) watch.incident ??= { id: alert.incident_id, lastMinute: minute }
}

function isMature({ clockMinute }: EngineState, state: SourceState): boolean {
  return clockMinute * 60 - state.firstSeen >= MATURE_SECONDS
}

function isAttributed({ settings }: EngineState, { stored }: SourceState): boolean {
  return (
    stored.messages >= settings.unattributedHistoryMin &&
    stored.unattributedMessages <= settings.unattributedShareMax * stored.messages
  )
}

/** The minute that has come for the source's messages: the arrival clock, or the event clock while it trails. */
function presentMinute(state: SourceState, arrivalMinute: number): number {
  const coming = arrivalMinute - state.arrivalMinute <= STILL_COMING_MINUTES
  const trailing = arrivalMinute - state.eventMinute > TRAILING_MINUTES
  return coming && trailing ? state.eventMinute : arrivalMinute
}

/** Looking for idle keys costs as much as there are keys, so it is done once a minute at most. */
function canEvict({ clockMinute }: EngineState, state: SourceState): boolean {
  return state.lastEvictionMinute < clockMinute
}

function evictIdle(engine: EngineState, state: SourceState): boolean {
  if (!canEvict(engine, state)) return false
  state.lastEvictionMinute = engine.clockMinute
  const before = state.keys.size
  for (const [key, watch] of state.keys) {
    const idle = engine.clockMinute * MINUTE_MS - watch.lastArrivalMs > IDLE_MS
    if (idle && watch.spike === undefined && watch.unattributed === undefined) state.keys.delete(key)
  }
  return state.keys.size < before
}

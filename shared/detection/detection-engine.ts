import type { Alert } from '#shared/domain/alert.ts'
import type { DetectionSettings } from './detection-settings.ts'
import { tick } from './engine-clock.ts'
import type { EngineEvent, StoredSource } from './engine-input.ts'
import { keyStates, MINUTE_MS, pageEveryDays, sourceState, type EngineState } from './engine-state.ts'
import { createErrorBudget } from './error-budget.ts'
import { addEvidence, wantsEvidence } from './evidence-book.ts'
import type { Evidence } from './evidence.ts'
import { describeKey, type KeyDescription } from './explain-key.ts'
import { groupOf } from './incident-score.ts'
import { decodeKeyState, encodeKeyState } from './key-codec.ts'
import type { KeyState } from './key-state.ts'
import { createKnowledgeBook, type KnowledgeBook } from './knowledge-book.ts'
import { applyVerdicts, plannedEvidence } from './knowledge-effects.ts'
import { canEvict, evictIdle } from './live-keys.ts'
import { createNotices } from './notices.ts'
import { isFirstKey, rememberStored } from './source-state.ts'
import { takeEvent } from './take-event.ts'

const DAYS_PER_YEAR = 365

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
  /** What the engine thinks of a key at present, for people; undefined for a key it does not hold. */
  readonly describe: (source: string, key: string) => KeyDescription | undefined
}

export function createDetectionEngine(
  settings: DetectionSettings,
  emit: (alert: Alert) => void,
  settingsOf: (source: string, key: string) => DetectionSettings = () => settings,
): DetectionEngine {
  const engine = createEngineState(settings, emit, settingsOf)
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
    feed: (event) => {
      tick(engine, event.receivedAtMs)
      takeEvent(engine, event)
    },
    replay: (event) => {
      engine.silent = true
      try {
        takeEvent(engine, event)
      } finally {
        engine.silent = false
      }
    },
    tick: (nowMs) => tick(engine, nowMs),
    keyCount: () => [...engine.sources.values()].reduce((sum, state) => sum + state.keys.size, 0),
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

function createEngineState(
  settings: DetectionSettings,
  emit: (alert: Alert) => void,
  settingsOf: EngineState['settingsOf'],
): EngineState {
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
  return engine
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
  const isFull = ofSource.keys.size >= engine.settings.liveKeysMax
  if (isFull && !evictIdle(engine, ofSource)) return
  ofSource.keys.set(key, state)
  if (state.firstSeconds >= 0) ofSource.firstSeen = Math.min(ofSource.firstSeen, state.firstSeconds)
  // What people have said since the state was saved counts as well.
  const { knowledge, clockMinute, emit } = engine
  if (knowledge.size > 0)
    applyVerdicts(state, knowledge, { nowMs: Math.max(clockMinute, state.clockMinute) * MINUTE_MS, emit })
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

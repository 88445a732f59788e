import { UNATTRIBUTED, type Alert, type Severity, type Signal } from '#shared/domain/alert.ts'
import { dayOf, minuteOf } from './clock.ts'
import { forgetSuspicion, setContentTraining } from './content/content-watch.ts'
import { topValuesOf } from './content/top-values.ts'
import type { DetectionSettings } from './detection-settings.ts'
import { POINTS_MIN, type Evidence } from './evidence.ts'
import {
  endedAlert,
  incidentIdOf,
  isHigher,
  openedAlert,
  raisedAlert,
  type AlertFrame,
} from './incident-alerts.ts'
import { hasImpact, scoreOf, type Score } from './incident-score.ts'
import { daysBetweenScores, limitOf } from './key-calibration.ts'
import type { ActiveEvidence, Incident, KeyState } from './key-state.ts'
import { setOutcomeTraining } from './outcomes/outcome-watch.ts'
import { setVolumeTraining, volumeMaturity } from './volume/volume-watch.ts'

/** When and how a key's evidence is weighed. */
export type Weighing = {
  readonly settings: DetectionSettings
  /** The days with traffic that lie between false alarms of one key, for a fleet of this size. */
  readonly pageEveryDays: number
  /** Event time of what is being judged, minutes since the epoch. */
  readonly minute: number
  /** Arrival clock. */
  readonly nowMs: number
  readonly emit: (alert: Alert) => void
}

/** Points that a report must add to be worth the making within one minute. */
const POINTS_STEP = 0.25
/** Evidence that comes again so soon belongs to the same incident. */
const SAME_INCIDENT_MINUTES = 6 * 60
/** Evidence this strong is shown on the boards although it wakes nobody. */
const SHOWN_POINTS = 3.5
/** In an incident that wakes somebody, weaker evidence is told as well. */
const TOLD_POINTS = 1.5

export function wantsEvidence(state: KeyState, signal: Signal, points: number, minute: number): boolean {
  if (!(points >= POINTS_MIN)) return false
  const active = state.evidence.get(signal)
  return active === undefined || points >= active.latest.points + POINTS_STEP || minute > active.lastMinute
}

/** Keeps a report and weighs everything that is held against the key. */
export function addEvidence(state: KeyState, evidence: Evidence, weighing: Weighing): void {
  const active = state.evidence.get(evidence.signal)
  if (active === undefined) {
    // A module may go on with what was announced as over; people are told of a new episode.
    const over = state.ended.get(evidence.signal) ?? -Infinity
    const startSeconds = Math.max(evidence.startSeconds, over * 60)
    state.evidence.set(evidence.signal, {
      latest: { ...evidence, startSeconds },
      strongestMinute: weighing.minute,
      startSeconds,
      lastMinute: weighing.minute,
      alert: undefined,
    })
  } else {
    const isOld = weighing.minute > active.strongestMinute + evidence.holdMinutes
    const isStrongest = isOld || evidence.points >= active.latest.points
    const points = isStrongest ? evidence.points : active.latest.points
    if (isStrongest) active.strongestMinute = weighing.minute
    active.latest = { ...evidence, points, startSeconds: active.startSeconds }
    active.lastMinute = Math.max(active.lastMinute, weighing.minute)
  }
  weigh(state, weighing)
}

function weigh(state: KeyState, weighing: Weighing): void {
  const { settings, minute } = weighing
  const evidence = [...state.evidence.values()]
  const score = scoreOf(evidence.map(({ latest }) => latest))
  const limit = limitFor(state, weighing)
  const messages = messagesOf(evidence)
  const wakes =
    score.total >= limit &&
    hasImpact(
      evidence.map(({ latest }) => latest),
      score,
    )
  if (!wakes && state.incident?.severity === undefined) {
    state.calibration.largestToday = Math.max(state.calibration.largestToday, score.total)
  }
  const isTold = evidence.some(({ alert }) => alert !== undefined)
  if (!wakes && !isTold && evidence.every(({ latest }) => latest.points < SHOWN_POINTS)) return
  const incident = incidentOf(state, evidence, minute)
  if (wakes) {
    const severity = severityOf(state.key, messages, score, settings)
    if (isHigher(severity, incident.severity)) incident.severity = severity
    state.calibration.disturbed = true
  }
  if (incident.severity !== undefined) keepFromTraining(state, incident.startSeconds, minute)
  announce(state, { evidence, score, limit, messages }, weighing)
}

/** However odd a key is by itself: what is conclusive in two ways wakes somebody. */
const OWN_LIMIT_MAX = 6.5

/** The score that wakes somebody: what the key itself hardly ever reaches, and never less than the setting. */
export function limitFor(
  state: KeyState,
  { settings, pageEveryDays }: Pick<Weighing, 'settings' | 'pageEveryDays'>,
): number {
  const own = Math.min(OWN_LIMIT_MAX, limitOf(state.calibration, pageEveryDays))
  return Math.max(settings.pageScoreMin, own)
}

function messagesOf(evidence: readonly ActiveEvidence[]): number {
  return evidence.reduce((most, { latest }) => Math.max(most, latest.messages), 0)
}

/** Severity is impact: how many messages are out, and whether anybody owns up to them. */
function severityOf(key: string, messages: number, score: Score, settings: DetectionSettings): Severity {
  if (key === UNATTRIBUTED && messages >= settings.criticalUnattributed) return 'critical'
  if (messages >= settings.criticalExcess) return 'critical'
  return score.groups.key >= CERTAIN_POINTS ? 'critical' : 'warning'
}

/** A retired key in use: no doubt is left. */
const CERTAIN_POINTS = 12

function incidentOf(state: KeyState, evidence: readonly ActiveEvidence[], minute: number): Incident {
  const { incident } = state
  const startSeconds = evidence.reduce((first, active) => Math.min(first, active.startSeconds), Infinity)
  if (incident !== undefined) {
    const lastMinute = incident.lastMinute + SAME_INCIDENT_MINUTES
    if (minute <= lastMinute || minuteOf(startSeconds) <= incident.lastMinute) {
      incident.lastMinute = Math.max(incident.lastMinute, minute)
      return incident
    }
  }
  const made: Incident = {
    id: incidentIdOf(state, startSeconds),
    startSeconds,
    lastMinute: minute,
    severity: undefined,
  }
  state.incident = made
  return made
}

function keepFromTraining(state: KeyState, startSeconds: number, minute: number): void {
  const startMinute = minuteOf(startSeconds)
  setVolumeTraining(state.volume, { startMinute, endMinute: minute }, false)
  setOutcomeTraining(state.outcomes, { startMinute, endMinute: minute }, false)
  setContentTraining(state.content, dayOf(minute * 60), false)
}

type Weighed = {
  readonly evidence: readonly ActiveEvidence[]
  readonly score: Score
  readonly limit: number
  readonly messages: number
}

function announce(state: KeyState, weighed: Weighed, weighing: Weighing): void {
  const { incident } = state
  if (incident === undefined) return
  const severity = incident.severity ?? 'info'
  const strongestFirst = weighed.evidence.toSorted(
    (a, b) => b.latest.points - a.latest.points || (a.latest.signal < b.latest.signal ? -1 : 1),
  )
  for (const [rank, active] of strongestFirst.entries()) {
    const { latest, alert } = active
    const shown = incident.severity === undefined ? SHOWN_POINTS : TOLD_POINTS
    if (alert === undefined && latest.points < shown) continue
    // From warning to critical one alert is enough: it is the same incident, and people are at it.
    const isLeading = rank === 0
    if (
      alert !== undefined &&
      (!isHigher(severity, alert.severity) ||
        (severity === 'critical' && alert.severity === 'warning' && !isLeading))
    )
      continue
    const others = strongestFirst.flatMap((other) =>
      other !== active && other.latest.points >= TOLD_POINTS ? [other.latest] : [],
    )
    const frame = frameOf(state, { ...weighed, severity, others }, weighing)
    active.alert = alert === undefined ? openedAlert(latest, frame) : raisedAlert(alert, latest, frame)
    weighing.emit(active.alert)
  }
}

function frameOf(
  state: KeyState,
  weighed: Weighed & { readonly severity: Severity; readonly others: readonly Evidence[] },
  { nowMs, minute }: Weighing,
): AlertFrame {
  const { score, limit, messages, severity, others } = weighed
  const maturity = volumeMaturity(state.volume, minute)
  return {
    source: state.source,
    key: state.key,
    incidentId: state.incident?.id ?? '',
    severity,
    nowMs,
    messages,
    attribution: state.attribution,
    score,
    limit,
    daysBetween: daysBetweenScores(state.calibration, score.total),
    learning: maturity.learning
      ? { untilMinute: maturity.learningUntil, activeDays: maturity.activeDays }
      : undefined,
    others,
    topValues: topValuesOf(state.content),
  }
}

/** Ends what has not been seen for long enough; `presentMinute` is the minute that has come for this key's events. */
export function endEvidence(
  state: KeyState,
  presentMinute: number,
  given: { readonly nowMs: number; readonly emit: (alert: Alert) => void },
): void {
  const isOver = ({ latest, lastMinute }: ActiveEvidence) => presentMinute > lastMinute + latest.holdMinutes
  // An incident that woke somebody ends as a whole: what comes and goes within it is not told again and again.
  const isHeld = state.incident?.severity !== undefined && ![...state.evidence.values()].every(isOver)
  if (isHeld) return
  for (const [signal, active] of state.evidence) {
    if (!isOver(active)) continue
    const { lastMinute, alert } = active
    state.evidence.delete(signal)
    state.ended.set(signal, lastMinute + 1)
    state.dirty = true
    if (alert !== undefined) {
      given.emit(endedAlert(alert, { endMinute: lastMinute + 1, nowMs: given.nowMs }))
    }
  }
  if (state.evidence.size > 0 || state.incident === undefined) return
  if (state.incident.severity !== undefined) forgetSuspicion(state.content)
  state.incident.severity = undefined
}

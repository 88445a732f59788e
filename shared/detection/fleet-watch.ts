import type { Alert, Severity } from '#shared/domain/alert.ts'
import {
  endedFleetAlert,
  fleetAlert,
  raisedFleetAlert,
  severityOfFinding,
  type FleetCause,
  type FleetFinding,
} from './fleet-alert.ts'
import { createCoOccurrence, expectedKeys, learnWindow, type CoOccurrence } from './fleet-history.ts'
import {
  addToMember,
  createMember,
  hasOnlyVolume,
  MODERATE_POINTS,
  type FleetMember,
  type FleetOpening,
} from './fleet-members.ts'
import { isHigher } from './incident-alerts.ts'
import { surpriseOf } from './statistics/negative-binomial.ts'

/**
 * Moderate evidence opens together within ten minutes when it has one cause. A thief goes through his keys one after
 * the other, so strong evidence, which is rare, is counted over half an hour.
 */
const MODERATE_MINUTES = 10
const STRONG_MINUTES = 30
/** Fewer keys than this are no fleet. */
const KEYS_MIN = 3
/** Moderate evidence must be on this share of the live keys, strong evidence on none. */
const SHARE_MIN = 0.2
/** How surprising the co-occurrence must be: a year has 52,560 windows, so chance does it once in two years or less often. */
const SURPRISE_MIN = 5
/** What one key has before anything is known: moderate evidence once a week, strong once in two months. */
const MODERATE_A_DAY = 1 / 7
const STRONG_A_DAY = 1 / 60
/** Over when no further key has come for so long. */
const QUIET_MINUTES = 60
/** Evidence may be told so long after its time; then its window is learnt from. */
const SETTLING_MINUTES = 20

/**
 * Watches for one cause behind evidence on many keys: an incident at SendGrid, a deployment, a stolen vault. Pure:
 * alerts out depend on what was noted, its order and the clock alone, and ids on the first key's minute. It is built
 * again after a restart by noting the stored alerts of the last weeks.
 */
export type FleetWatch = {
  /** Evidence on a key opened or grew; `liveKeys` are the keys that sent something lately. */
  readonly note: (opening: FleetOpening, liveKeys: number) => void
  /** The arrival clock moves on. */
  readonly tick: (nowMs: number) => void
  /** The open fleet incident that this key belongs to. */
  readonly incidentOf: (source: string, key: string) => string | undefined
}

type Episode = {
  alert: Alert
  finding: FleetFinding
  readonly startMinute: number
  readonly members: Map<string, FleetMember>
  announced: number
  lastClockMinute: number
  lastMinute: number
}

/** Keys by window (since the epoch, in the history's own length) until it is learnt from. */
type Tally = {
  readonly history: CoOccurrence
  readonly windows: Map<number, number>
  /** The last window that was learnt from. */
  learntWindow: number
}

type FleetState = {
  readonly emit: (alert: Alert) => void
  /** Keys with moderate evidence in the last hour. */
  readonly members: Map<string, FleetMember>
  readonly moderate: Tally
  readonly strong: Tally
  clockMinute: number
  episode: Episode | undefined
}

export function createFleetWatch(emit: (alert: Alert) => void): FleetWatch {
  const state: FleetState = {
    emit,
    members: new Map(),
    moderate: { history: createCoOccurrence(MODERATE_MINUTES), windows: new Map(), learntWindow: -1 },
    strong: { history: createCoOccurrence(STRONG_MINUTES), windows: new Map(), learntWindow: -1 },
    clockMinute: -1,
    episode: undefined,
  }
  return {
    note: (opening, liveKeys) => {
      tick(state, opening.nowMs)
      note(state, opening, liveKeys)
    },
    tick: (nowMs) => tick(state, nowMs),
    incidentOf: (source, key) => {
      const { episode } = state
      return episode?.members.has(idOf({ source, key })) === true ? episode.alert.incident_id : undefined
    },
  }
}

function idOf({ source, key }: { readonly source: string; readonly key: string }): string {
  return JSON.stringify([source, key])
}

function note(state: FleetState, opening: FleetOpening, liveKeys: number): void {
  const id = idOf(opening)
  const known = state.members.get(id)
  if (known === undefined && opening.points < MODERATE_POINTS) return
  const member = known ?? createMember(opening)
  if (known === undefined) {
    state.members.set(id, member)
    count(state.moderate, opening.minute)
  }
  if (addToMember(member, opening, state.clockMinute)) count(state.strong, member.strongMinute)
  const finding = findingAt(state, opening.minute, Math.max(liveKeys, 1))
  if (state.episode !== undefined) joinEpisode(state, state.episode, { id, member, opening, finding })
  else if (finding !== undefined) openEpisode(state, finding, opening)
}

function count({ history, windows, learntWindow }: Tally, minute: number): void {
  const window = Math.floor(minute / history.windowMinutes)
  if (window > learntWindow) windows.set(window, (windows.get(window) ?? 0) + 1)
}

/** Judges the minutes around one at two levels of evidence, as higher criticism does. */
function findingAt(state: FleetState, minute: number, liveKeys: number): FleetFinding | undefined {
  const strong = busiest(state, { minute, length: STRONG_MINUTES }, (member) => member.strongMinute)
  const usualStrong = expectedKeys(state.strong.history, { liveKeys, openingsADay: STRONG_A_DAY })
  const surpriseStrong = surpriseOf(strong.length, usualStrong)
  if (strong.length >= KEYS_MIN && surpriseStrong >= SURPRISE_MIN) {
    const keys = strong.length
    const windowMinutes = STRONG_MINUTES
    return {
      cause: 'stolen_keys',
      keys,
      usual: usualStrong,
      surprise: surpriseStrong,
      liveKeys,
      windowMinutes,
    }
  }
  const moderate = busiest(state, { minute, length: MODERATE_MINUTES }, (member) => member.minute)
  const usual = expectedKeys(state.moderate.history, { liveKeys, openingsADay: MODERATE_A_DAY })
  const surprise = surpriseOf(moderate.length, usual)
  const enough = moderate.length >= Math.max(KEYS_MIN, SHARE_MIN * liveKeys)
  if (!enough || surprise < SURPRISE_MIN) return undefined
  return {
    cause: causeOf(moderate),
    keys: moderate.length,
    usual,
    surprise,
    liveKeys,
    windowMinutes: MODERATE_MINUTES,
  }
}

function causeOf(members: readonly FleetMember[]): FleetCause {
  if (members.every(({ onlyDelivery }) => onlyDelivery)) return 'receiver_or_provider'
  return members.every((member) => member.onlyDelivery || hasOnlyVolume(member)) ? 'volume' : 'unknown'
}

/** The members of the minutes that end, or begin, with this minute: whichever hold more. */
function busiest(
  { members }: FleetState,
  { minute, length }: { readonly minute: number; readonly length: number },
  when: (member: FleetMember) => number,
): FleetMember[] {
  const within = (first: number) =>
    [...members.values()].filter((member) => when(member) >= first && when(member) < first + length)
  const before = within(minute - length + 1)
  const after = within(minute)
  return after.length > before.length ? after : before
}

function openEpisode(state: FleetState, finding: FleetFinding, opening: FleetOpening): void {
  const isNear = (minute: number) => Math.abs(minute - opening.minute) < finding.windowMinutes
  const members = new Map(
    [...state.members].filter(([, { minute, strongMinute }]) => isNear(minute) || isNear(strongMinute)),
  )
  const minutes = [...members.values()].map(({ minute, strongMinute }) =>
    isNear(minute) ? minute : strongMinute,
  )
  const startMinute = Math.min(...minutes)
  const listed = sorted(members)
  const alert = fleetAlert(listed, finding, { startMinute, nowMs: opening.nowMs })
  state.episode = {
    alert,
    finding,
    startMinute,
    members,
    announced: members.size,
    lastClockMinute: state.clockMinute,
    lastMinute: Math.max(...minutes),
  }
  state.emit(alert)
}

/** While the incident is open every further key with moderate evidence belongs to it. */
function joinEpisode(
  state: FleetState,
  episode: Episode,
  given: {
    readonly id: string
    readonly member: FleetMember
    readonly opening: FleetOpening
    readonly finding: FleetFinding | undefined
  },
): void {
  const { id, member, opening, finding } = given
  if (!episode.members.has(id)) {
    episode.members.set(id, member)
    episode.lastClockMinute = state.clockMinute
    episode.lastMinute = Math.max(episode.lastMinute, opening.minute)
  }
  const severity: Severity = finding === undefined ? 'info' : severityOfFinding(finding)
  const worse = finding !== undefined && isHigher(severity, episode.alert.severity)
  if (worse || (finding !== undefined && severity === episode.alert.severity)) episode.finding = finding
  if (!worse && episode.members.size < 2 * episode.announced) return
  episode.announced = episode.members.size
  episode.alert = raisedFleetAlert(episode.alert, sorted(episode.members), {
    finding: episode.finding,
    startMinute: episode.startMinute,
    nowMs: opening.nowMs,
  })
  state.emit(episode.alert)
}

function sorted(members: ReadonlyMap<string, FleetMember>): FleetMember[] {
  return [...members]
    .toSorted(([a, left], [b, right]) => left.minute - right.minute || (a < b ? -1 : 1))
    .map(([, member]) => member)
}

function tick(state: FleetState, nowMs: number): void {
  const minute = Math.floor(nowMs / 60_000)
  if (minute <= state.clockMinute) return
  const { episode } = state
  if (episode !== undefined && minute >= episode.lastClockMinute + QUIET_MINUTES) {
    state.episode = undefined
    // It ended when its hour was over, however late the clock is told.
    const endedMs = (episode.lastClockMinute + QUIET_MINUTES) * 60_000
    const { finding, startMinute, lastMinute } = episode
    const ends = { finding, startMinute, endMinute: lastMinute + 1, nowMs: endedMs }
    state.emit(endedFleetAlert(episode.alert, sorted(episode.members), ends))
    if (episode.alert.severity !== 'info') forgetWindows(state, startMinute, lastMinute)
  }
  learnUntil(state, minute)
  state.clockMinute = minute
  for (const [id, member] of state.members)
    if (minute >= member.lastClockMinute + QUIET_MINUTES) state.members.delete(id)
}

/** Windows of an incident that woke somebody teach nothing about usual ones: they count as empty. */
function forgetWindows({ moderate, strong }: FleetState, startMinute: number, endMinute: number): void {
  for (const { history, windows } of [moderate, strong]) {
    const last = Math.floor(endMinute / history.windowMinutes)
    const first = Math.floor(startMinute / history.windowMinutes)
    for (let window = first; window <= last; window += 1) windows.delete(window)
  }
}

function learnUntil({ moderate, strong, episode }: FleetState, minute: number): void {
  // While an incident is open its windows are kept back.
  const settled = minute - SETTLING_MINUTES
  const until = episode === undefined ? settled : Math.min(settled, episode.startMinute)
  for (const tally of [moderate, strong]) {
    const { history, windows } = tally
    const last = Math.floor(until / history.windowMinutes) - 1
    if (tally.learntWindow === -1) tally.learntWindow = last
    for (let window = tally.learntWindow + 1; window <= last; window += 1) {
      learnWindow(history, windows.get(window) ?? 0)
      windows.delete(window)
      tally.learntWindow = window
    }
  }
}

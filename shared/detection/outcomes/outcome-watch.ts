import type { Signal } from '#shared/domain/alert.ts'
import type { EngineEvent } from '../engine-input.ts'
import type { EvidenceSink } from '../evidence.ts'
import { minuteOf } from '../clock.ts'
import { hashText } from '../statistics/hash-text.ts'
import { judgeLinkHost } from './judge-link-host.ts'
import { judgeOutcome, mostSurprising, type OutcomeSpan } from './judge-outcome.ts'
import { closeClickDays, countClick, createLinkHosts, promote, type LinkHosts } from './link-hosts.ts'
import {
  acceptCounts,
  addOutcome,
  createOutcomeCounts,
  dayOfMinute,
  DEFERRED,
  FIRST_KIND,
  isHeldDay,
  KINDS,
  moveCounts,
  setDaysTrained,
  type OutcomeCounts,
} from './outcome-counts.ts'
import { fitOf } from './outcome-fit.ts'
import { columnOf, kindOf } from './outcome-kinds.ts'
import { createRecentFailures, isRepeat, keepFailure, type RecentFailures } from './recent-failures.ts'

/** What becomes of one key's messages, and where its links lead. At most about 2.5 KiB, half of it on average. */
export type OutcomeState = {
  readonly counts: OutcomeCounts
  readonly failures: RecentFailures
  readonly hosts: LinkHosts
  /** The end of the latest span that was taken out of training; −1 without one. */
  toldUntil: number
}

export type OutcomesGiven = {
  /** Arrival clock. */
  readonly nowMs: number
  /** Whether evidence is wanted; otherwise events are only counted. */
  readonly judged: boolean
  /** Whether the key has had enough sustained traffic for its habits to be known. */
  readonly mature: boolean
}

/** An event that comes later than this against the key's latest one is counted but not judged, minutes. */
const LATE_MINUTES = 10
/** A span that was taken out of training ends an incident once it is so far back, minutes. */
const OVER_MINUTES = 20
/** What becomes of an incident's mail so long after it is part of it: retries for hours, complaints for a day. */
const AFTERMATH_MINUTES = { 'at-once': 0, soon: 0, retried: 480, late: 1440 } as const

export function createOutcomes(): OutcomeState {
  return {
    counts: createOutcomeCounts(),
    failures: createRecentFailures(),
    hosts: createLinkHosts(),
    toldUntil: -1,
  }
}

/**
 * Counts one event of the key and leaves evidence of `rate.*` and `novelty.url_domain`. Denominators are cohorts:
 * bounces, drops and deferrals against the messages of the last minutes to days, complaints against up to four days'
 * deliveries. Give it every event of the key; those that say nothing about outcomes cost nothing.
 */
export function countOutcome(
  state: OutcomeState,
  event: EngineEvent,
  given: OutcomesGiven,
  sink: EvidenceSink,
): void {
  const minute = minuteOf(event.timestamp)
  const column = columnOf(event)
  if (column === undefined) {
    if (event.event === 'click') countLink(state, event, given, sink)
    return
  }
  if (minute > state.counts.head) moveOn(state, minute)
  if (column < FIRST_KIND) {
    addOutcome(state.counts, minute, column)
    return
  }
  const kind = kindOf(column)
  if (column !== DEFERRED) {
    const failure = {
      kind: column,
      minute,
      recipient: event.facts?.recipient ?? 0,
      domainHash: hashText(event.facts?.recipientDomain ?? ''),
    }
    if (isRepeat(state.failures, failure)) return
    keepFailure(state.failures, failure)
  }
  addOutcome(state.counts, minute, column)
  if (!given.judged || minute < state.counts.head - LATE_MINUTES) return
  const fromMinute = toldFrom(state)
  if (fromMinute > 0 && state.counts.head < fromMinute + AFTERMATH_MINUTES[kind.timing]) return
  judgeOutcome({ ...state, fromMinute, mature: given.mature }, kind, sink)
}

function countLink(state: OutcomeState, event: EngineEvent, given: OutcomesGiven, sink: EvidenceSink): void {
  const { facts } = event
  if (facts === undefined || facts.linkHost === '' || facts.machineOpen) return
  const minute = minuteOf(event.timestamp)
  if (minute > state.counts.head) moveOn(state, minute)
  const entry = countClick(state.hosts, {
    host: facts.linkHost,
    minute,
    recipient: facts.recipient,
    day: dayOfMinute(minute),
  })
  if (entry === undefined || !given.judged || minute < state.counts.head - LATE_MINUTES) return
  judgeLinkHost(state.hosts, entry, { minute, fromMinute: toldFrom(state), mature: given.mature }, sink)
}

/** What began before this minute belongs to an incident that is over; 0 while there is none. */
function toldFrom({ toldUntil, counts }: OutcomeState): number {
  return toldUntil <= counts.head - OVER_MINUTES ? toldUntil + 1 : 0
}

/**
 * Moves the key's clock on: empties what is over, and lets days that ended without being taken out of training
 * train. Shares can only fall while time passes, so it leaves no evidence.
 */
export function advanceOutcomes(
  state: OutcomeState,
  minute: number,
  _given: OutcomesGiven,
  _sink: EvidenceSink,
): void {
  moveOn(state, minute)
}

function moveOn(state: OutcomeState, minute: number): void {
  const before = state.counts.head
  if (minute <= before) return
  const day = dayOfMinute(minute)
  if (before !== -1 && dayOfMinute(before) !== day) {
    closeClickDays(state.hosts, day, (past) => isHeldDay(state.counts, past))
  }
  moveCounts(state.counts, minute)
}

/** Takes the days of an incident out of training, or puts the days of a false alarm back. Both ends included. */
export function setOutcomeTraining(
  state: OutcomeState,
  minutes: { readonly startMinute: number; readonly endMinute: number },
  trained: boolean,
): void {
  setDaysTrained(state.counts, minutes, trained)
  if (!trained) state.toldUntil = Math.max(state.toldUntil, minutes.endMinute)
}

/** Takes what came in the last days as the new normal; what was before counts for little. */
export function acceptOutcomes(state: OutcomeState): void {
  acceptCounts(state.counts)
  promote(state.hosts, () => true)
  state.toldUntil = Math.max(state.toldUntil, state.counts.head)
}

/** What the key's messages usually come to, and what they come to now where that is more than usual. */
export type OutcomesDescription = {
  readonly shares: readonly {
    readonly signal: Signal
    readonly outcome: string
    readonly usual_share: number
    readonly usual_a_day: number
    readonly now: OutcomeSpan | null
  }[]
  readonly link_domains: readonly { readonly host: string; readonly clicks: number }[]
  readonly new_link_domains: readonly {
    readonly host: string
    readonly clicks: number
    readonly people: number
  }[]
}

/** For people and machines. */
export function describeOutcomes(state: OutcomeState): OutcomesDescription {
  const view = { ...state, fromMinute: toldFrom(state), mature: true }
  const shares: OutcomesDescription['shares'][number][] = []
  for (let column = FIRST_KIND; column < FIRST_KIND + KINDS; column += 1) {
    const kind = kindOf(column)
    const fit = fitOf(state.counts, kind)
    shares.push({
      signal: kind.signal,
      outcome: kind.verb,
      usual_share: fit.share,
      usual_a_day: fit.aDay,
      now: mostSurprising(view, kind, fit) ?? null,
    })
  }
  const { known, fresh } = state.hosts
  return {
    shares,
    link_domains: known.map(({ host, clicks }) => ({ host, clicks })),
    new_link_domains: fresh.map(({ host, clicks, people }) => ({ host, clicks, people })),
  }
}

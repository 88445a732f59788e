import { createHash } from 'node:crypto'
import { EVERY, UNATTRIBUTED, type Alert, type Severity, type Signal } from '#shared/domain/alert.ts'
import { aboutUsual, moment, number, runbookOf, sender, sentences, span, usualCount } from './alert-text.ts'
import { isoOfMinute } from './clock.ts'
import { nextSteps } from './next-steps.ts'
import type { DetectionSettings } from './detection-settings.ts'
import { usualInterval, type CountDistribution } from './statistics/negative-binomial.ts'

/** One excess from its first minute until it is over: one alert, however many windows it spans. */
export type Episode = {
  /** The alert as last announced. */
  alert: Alert
  readonly startMinute: number
  /** Length of the window that opened it, minutes. */
  readonly scaleMinutes: number
  /** Messages since the start, and how many of them were to be expected in a minute. */
  messages: number
  readonly expectedPerMinute: number
  /** An episode of a key that is still learning is the only history it has; any other must not train. */
  readonly trains: boolean
  /** The last minute that was not calm, and the last one looked at. */
  lastBusyMinute: number
  checkedMinute: number
}

/** A function of what is given, so that a replay finds the same alert and nobody is paged twice. */
export function alertIdOf(
  signal: Signal,
  entity: { source: string; key: string },
  start: number | string,
): string {
  return shortHash(['alert', entity.source, entity.key, signal, String(start)])
}

export function incidentIdOf(entity: { source: string; key: string }, startMinute: number): string {
  return shortHash(['incident', entity.source, entity.key, String(startMinute)])
}

function shortHash(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 20)
}

/** What is known when an episode opens. */
export type Opening = {
  readonly source: string
  readonly key: string
  readonly signal: 'volume.spike' | 'key.unattributed'
  readonly startMinute: number
  readonly scaleMinutes: number
  readonly observed: number
  readonly distribution: CountDistribution
  readonly surprise: number
  /** Messages since the start of the episode: they left before the alarm. */
  readonly messages: number
  readonly incidentId: string
  readonly trains: boolean
  /** Arrival clock. */
  readonly nowMs: number
  readonly evidence: Alert['evidence']
  /** What else a person should know, as whole sentences. */
  readonly remarks: readonly string[]
}

export function openEpisode(opening: Opening, settings: DetectionSettings): Episode {
  const { source, key, signal, startMinute, scaleMinutes, distribution, nowMs } = opening
  const usual = usualInterval(distribution)
  const now = new Date(nowMs).toISOString()
  const expectedPerMinute = distribution.mean / scaleMinutes
  // What the window held before the episode's first minute has left as well. The episode's own count goes by its
  // minutes alone, because only that can be found again after a restart.
  const messagesOut = Math.max(opening.messages, opening.observed)
  const alert: Alert = {
    v: 1,
    alert_id: alertIdOf(signal, { source, key }, startMinute),
    incident_id: opening.incidentId,
    revision: 1,
    key,
    source,
    signal,
    severity: severityOf({ key, messages: messagesOut, expected: distribution.mean }, settings),
    status: 'open',
    started_at: isoOfMinute(startMinute),
    detected_at: now,
    ended_at: null,
    changed_at: now,
    observed: opening.observed,
    expected: rounded(distribution.mean),
    expected_low: usual.low,
    expected_high: usual.high,
    score: rounded(opening.surprise),
    p_value: 10 ** -opening.surprise,
    window_seconds: scaleMinutes * 60,
    messages_before_alarm: messagesOut,
    evidence: {
      ...opening.evidence,
      messages: opening.messages,
      scale_minutes: scaleMinutes,
      trains_baseline: opening.trains,
      remarks: opening.remarks.filter((remark) => remark !== ''),
    },
    summary: sentences([
      `${sender(source, key)} sent ${number(opening.observed)} messages in ${span(scaleMinutes)} where ` +
        `${usualCount(usual, distribution.mean)}, since ${moment(startMinute)}; ${number(messagesOut)} left before this alarm.`,
      ...opening.remarks,
    ]),
    next_steps: nextSteps(signal, key),
    runbook_url: runbookOf(signal),
    links: {},
  }
  return {
    alert,
    startMinute,
    scaleMinutes,
    messages: opening.messages,
    expectedPerMinute,
    trains: opening.trains,
    lastBusyMinute: startMinute,
    checkedMinute: startMinute - 1,
  }
}

/** Severity is impact: how many messages are out beyond what is usual, and whether anybody owns up to them. */
export function severityOf(
  seen: { key: string; messages: number; expected: number },
  settings: DetectionSettings,
): Severity {
  const excess = seen.messages - seen.expected
  if (seen.key === UNATTRIBUTED && excess >= settings.criticalUnattributed) return 'critical'
  const big = excess >= settings.criticalExcess && seen.messages >= settings.criticalRatio * seen.expected
  return big ? 'critical' : 'warning'
}

/** Raises the alert to critical once the episode has become big; answers the new state, or nothing. */
export function raiseSeverity(
  episode: Episode,
  given: { minute: number; nowMs: number },
  settings: DetectionSettings,
): Alert | undefined {
  if (episode.alert.severity === 'critical') return undefined
  const minutes = Math.max(episode.scaleMinutes, given.minute - episode.startMinute + 1)
  const expected = episode.expectedPerMinute * minutes
  const seen = { key: episode.alert.key, messages: episode.messages, expected }
  if (severityOf(seen, settings) !== 'critical') return undefined
  const { source, key } = episode.alert
  episode.alert = {
    ...episode.alert,
    revision: episode.alert.revision + 1,
    severity: 'critical',
    changed_at: new Date(given.nowMs).toISOString(),
    evidence: { ...episode.alert.evidence, messages: episode.messages },
    summary: sentences([
      `${sender(source, key)} has now sent ${number(episode.messages)} messages since ${moment(episode.startMinute)} ` +
        `where ${aboutUsual(expected)}, and goes on.`,
      remarksOf(episode.alert),
    ]),
  }
  return episode.alert
}

/** Ends the episode with the minute after its last busy one. */
export function closeEpisode(episode: Episode, nowMs: number): Alert {
  const endMinute = episode.lastBusyMinute + 1
  const minutes = endMinute - episode.startMinute
  const { source, key } = episode.alert
  const expected = episode.expectedPerMinute * minutes
  return {
    ...episode.alert,
    revision: episode.alert.revision + 1,
    status: 'resolved',
    ended_at: isoOfMinute(endMinute),
    changed_at: new Date(nowMs).toISOString(),
    evidence: { ...episode.alert.evidence, messages: episode.messages },
    summary: sentences([
      `Over: ${lowerFirst(sender(source, key))} sent ${number(episode.messages)} messages from ` +
        `${moment(episode.startMinute)} to ${moment(endMinute)} where ${aboutUsual(expected)}.`,
      remarksOf(episode.alert),
    ]),
  }
}

/** The sentences after the first one, which hold for every state of the alert. */
function remarksOf(alert: Alert): string {
  const remarks = alert.evidence['remarks']
  return Array.isArray(remarks) ? remarks.filter((remark) => typeof remark === 'string').join(' ') : ''
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000
}

/** A notice has no window: something happened once, at one time. */
export function noticeOf(notice: {
  readonly source: string
  readonly key?: string
  readonly signal: Signal
  readonly severity: Severity
  readonly startMinute: number
  /** What makes the id; the start unless given. */
  readonly identity?: string
  readonly nowMs: number
  readonly observed: number
  readonly expected?: number
  readonly evidence: Alert['evidence']
  readonly summary: string
}): Alert {
  const key = notice.key ?? EVERY
  const entity = { source: notice.source, key }
  const now = new Date(notice.nowMs).toISOString()
  return {
    v: 1,
    alert_id: alertIdOf(notice.signal, entity, notice.identity ?? notice.startMinute),
    incident_id: incidentIdOf(entity, notice.startMinute),
    revision: 1,
    ...entity,
    signal: notice.signal,
    severity: notice.severity,
    status: 'open',
    started_at: isoOfMinute(notice.startMinute),
    detected_at: now,
    ended_at: null,
    changed_at: now,
    observed: notice.observed,
    expected: notice.expected ?? 0,
    expected_low: 0,
    expected_high: notice.expected ?? 0,
    score: 0,
    p_value: 1,
    window_seconds: 0,
    messages_before_alarm: 0,
    evidence: notice.evidence,
    summary: sentences([notice.summary]),
    next_steps: nextSteps(notice.signal, key),
    runbook_url: runbookOf(notice.signal),
    links: {},
  }
}

/** The alert as it stands once it is over. */
export function resolved(alert: Alert, given: { endedAt: string; nowMs: number; summary: string }): Alert {
  return {
    ...alert,
    revision: alert.revision + 1,
    status: 'resolved',
    ended_at: given.endedAt,
    changed_at: new Date(given.nowMs).toISOString(),
    summary: sentences([given.summary]),
  }
}

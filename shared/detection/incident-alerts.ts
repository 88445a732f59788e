import { createHash } from 'node:crypto'
import { severities, UNATTRIBUTED, type Alert, type Severity, type Signal } from '#shared/domain/alert.ts'
import { moment, number, runbookOf, sender, sentences } from './alert-text.ts'
import { isoOfMinute, isoOfSeconds, minuteOf } from './clock.ts'
import type { Evidence } from './evidence.ts'
import { evidenceGroups, type Score } from './incident-score.ts'
import { nextSteps } from './next-steps.ts'
import { cauchyCombination } from './statistics/combine-p-values.ts'

/** A function of what is given, so that a replay finds the same alert and nobody is paged twice. */
export function alertIdOf(
  signal: Signal,
  entity: { readonly source: string; readonly key: string },
  start: number | string,
): string {
  return shortHash(['alert', entity.source, entity.key, signal, String(start)])
}

export function incidentIdOf(entity: { source: string; key: string }, start: number | string): string {
  return shortHash(['incident', entity.source, entity.key, String(start)])
}

function shortHash(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 20)
}

/** What the engine knows when an alert opens or changes. */
export type AlertFrame = {
  readonly source: string
  readonly key: string
  readonly incidentId: string
  readonly severity: Severity
  readonly nowMs: number
  /** Messages that belong to the incident so far: they left before the alarm. */
  readonly messages: number
  readonly attribution: string
  readonly score: Score
  /** The score that wakes somebody, and how many days of this key lie between two scores like this one. */
  readonly limit: number
  readonly daysBetween: number
  readonly learning: { readonly untilMinute: number | undefined; readonly activeDays: number } | undefined
  /** The other evidence of the incident, strongest first. */
  readonly others: readonly Evidence[]
  /** What the key sends today against before, by field. */
  readonly topValues: Alert['evidence']
}

const PROBABILITY_DIGITS = 15

export function openedAlert(evidence: Evidence, frame: AlertFrame): Alert {
  const { source, key, nowMs } = frame
  const now = new Date(nowMs).toISOString()
  return {
    v: 1,
    alert_id: alertIdOf(evidence.signal, frame, evidence.startSeconds),
    incident_id: frame.incidentId,
    revision: 1,
    key,
    source,
    signal: evidence.signal,
    severity: frame.severity,
    status: 'open',
    started_at: isoOfSeconds(evidence.startSeconds),
    detected_at: now,
    ended_at: null,
    changed_at: now,
    ...numbersOf(evidence),
    messages_before_alarm: frame.messages,
    evidence: evidenceOf(evidence, frame),
    summary: summaryOf(evidence, frame, `${number(frame.messages)} left before this alarm.`),
    next_steps: nextSteps(evidence.signal, key),
    runbook_url: runbookOf(evidence.signal),
    links: {},
  }
}

/** The alert with a new severity, and with what is known by now. */
export function raisedAlert(alert: Alert, evidence: Evidence, frame: AlertFrame): Alert {
  return {
    ...alert,
    revision: alert.revision + 1,
    severity: frame.severity,
    changed_at: new Date(frame.nowMs).toISOString(),
    ...numbersOf(evidence),
    evidence: evidenceOf(evidence, frame),
    summary: summaryOf(
      evidence,
      frame,
      `${number(frame.messages)} left so far, ${number(alert.messages_before_alarm)} before the alarm.`,
    ),
  }
}

export function endedAlert(
  alert: Alert,
  given: { readonly endMinute: number; readonly nowMs: number },
): Alert {
  return {
    ...alert,
    revision: alert.revision + 1,
    status: 'resolved',
    ended_at: isoOfMinute(given.endMinute),
    // The clock is told by the minute: an end in the minute of the last change is as late as that change.
    changed_at: new Date(Math.max(given.nowMs, Date.parse(alert.changed_at))).toISOString(),
    summary: sentences([`Over since ${moment(given.endMinute)}.`, alert.summary]),
  }
}

export function isHigher(severity: Severity, than: Severity | undefined): boolean {
  return than === undefined || severities.indexOf(severity) > severities.indexOf(than)
}

function numbersOf(evidence: Evidence) {
  return {
    observed: evidence.observed,
    expected: rounded(evidence.expected),
    expected_low: rounded(evidence.expectedLow),
    expected_high: rounded(evidence.expectedHigh),
    score: rounded(evidence.points),
    p_value: Number((10 ** -evidence.points).toPrecision(PROBABILITY_DIGITS)),
    window_seconds: Math.round(evidence.windowSeconds),
  }
}

function evidenceOf(evidence: Evidence, frame: AlertFrame): Alert['evidence'] {
  const { score, others, learning } = frame
  return {
    ...evidence.details,
    what_else: others.map(({ signal, points, text }) => ({ signal, points: rounded(points), text })),
    incident_score: {
      total: rounded(score.total),
      limit: rounded(frame.limit),
      // Holds whatever the evidence has in common; the total takes the groups as independent.
      dependent_surprise: rounded(cauchyCombination([evidence, ...others].map(({ points }) => points))),
      groups: Object.fromEntries(
        evidenceGroups.flatMap((group) =>
          score.groups[group] > 0 ? [[group, rounded(score.groups[group])]] : [],
        ),
      ),
    },
    less_than_once_in_years: rounded(yearsOf(frame.daysBetween)),
    attribution: { rule: frame.attribution, confirmed: false },
    still_learning: learning !== undefined,
    ...(learning?.untilMinute === undefined ? {} : { learning_until: isoOfMinute(learning.untilMinute) }),
    ...(Object.keys(frame.topValues).length === 0 ? {} : { top_values: frame.topValues }),
  }
}

const YEARS_MAX = 1000

function yearsOf(days: number): number {
  return Math.min(YEARS_MAX, days / 365)
}

const OTHERS_SHOWN = 2

function summaryOf(evidence: Evidence, frame: AlertFrame, messages: string): string {
  const { key, others, learning } = frame
  const years = yearsOf(frame.daysBetween)
  return sentences([
    `${sender(frame.source, key)}: ${evidence.text}, since ${moment(minuteOf(evidence.startSeconds))}; ${messages}`,
    ...others.slice(0, OTHERS_SHOWN).map(({ text }) => `Also ${text}.`),
    years >= 1 && frame.score.total >= frame.limit
      ? `Taken together: less than once in ${number(Math.floor(years))} ${Math.floor(years) === 1 ? 'year' : 'years'} of this key.`
      : '',
    learning === undefined
      ? ''
      : `Still learning this key${learning.untilMinute === undefined ? '' : ` until ${moment(learning.untilMinute)}`}.`,
    claimRemark(key, frame.attribution),
  ])
}

/** How far the key's name is to be trusted. */
function claimRemark(key: string, attribution: string): string {
  if (key === UNATTRIBUTED) return 'No attribution rule matched, so the key is not known.'
  return attribution === '' ? '' : `The key is claimed by ${attribution}, not confirmed.`
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000
}

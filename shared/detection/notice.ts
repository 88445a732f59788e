import { EVERY, type Alert, type Severity, type Signal } from '#shared/domain/alert.ts'
import { runbookOf, sentences } from './alert-text.ts'
import { isoOfMinute } from './clock.ts'
import { alertIdOf, incidentIdOf } from './incident-alerts.ts'
import { nextSteps } from './next-steps.ts'

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

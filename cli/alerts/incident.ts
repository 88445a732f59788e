import type { KnowledgeBook } from '#shared/detection/knowledge-book.ts'
import { severities, type Alert, type Severity } from '#shared/domain/alert.ts'
import type { Verdict } from '#shared/domain/knowledge.ts'

/** The alerts of one incident, together. */
export type Incident = {
  readonly incident_id: string
  readonly status: 'open' | 'resolved'
  /** The gravest of its alerts'. */
  readonly severity: Severity
  readonly started_at: string
  readonly detected_at: string
  /** Null while any of its alerts is open. */
  readonly ended_at: string | null
  readonly keys: readonly { readonly source: string; readonly key: string }[]
  readonly signals: readonly string[]
  /** Messages that had left before anybody was told: the fewest of its alerts'. */
  readonly messages_before_alarm: number
  /** What people said of its alerts, each verdict once. */
  readonly verdicts: readonly Verdict[]
  readonly alerts: readonly (Alert & { readonly verdict: Verdict | null })[]
}

/** Puts alerts together by incident: open ones first, the gravest and then the latest first. */
export function incidentsOf(alerts: readonly Alert[], book: Pick<KnowledgeBook, 'verdictOf'>): Incident[] {
  const groups = new Map<string, Alert[]>()
  for (const alert of alerts) {
    const group = groups.get(alert.incident_id) ?? []
    group.push(alert)
    groups.set(alert.incident_id, group)
  }
  return [...groups].map(([id, group]) => incidentOf(id, group, book)).toSorted(byUrgency)
}

function incidentOf(
  incidentId: string,
  group: readonly Alert[],
  book: Pick<KnowledgeBook, 'verdictOf'>,
): Incident {
  const alerts = group
    .map((alert) => ({ ...alert, verdict: book.verdictOf(alert.alert_id) ?? null }))
    .toSorted(
      (left, right) =>
        rank(right.severity) - rank(left.severity) || compare(left.started_at, right.started_at),
    )
  const isOpen = alerts.some(({ status }) => status === 'open')
  return {
    incident_id: incidentId,
    status: isOpen ? 'open' : 'resolved',
    severity: alerts[0]?.severity ?? 'info',
    started_at: earliest(alerts.map(({ started_at }) => started_at)),
    detected_at: earliest(alerts.map(({ detected_at }) => detected_at)),
    ended_at: isOpen
      ? null
      : (alerts
          .flatMap(({ ended_at }) => ended_at ?? [])
          .toSorted(compare)
          .at(-1) ?? null),
    keys: [...new Map(alerts.map(({ source, key }) => [`${source} ${key}`, { source, key }])).values()],
    signals: [...new Set(alerts.map(({ signal }) => signal))],
    messages_before_alarm: Math.min(...alerts.map(({ messages_before_alarm }) => messages_before_alarm)),
    verdicts: [...new Set(alerts.flatMap(({ verdict }) => (verdict === null ? [] : [verdict])))],
    alerts,
  }
}

function byUrgency(left: Incident, right: Incident): number {
  if (left.status !== right.status) return left.status === 'open' ? -1 : 1
  const gravest = left.status === 'open' ? rank(right.severity) - rank(left.severity) : 0
  return gravest || compare(right.started_at, left.started_at) || compare(left.incident_id, right.incident_id)
}

function rank(severity: Severity): number {
  return severities.indexOf(severity)
}

function earliest(times: readonly string[]): string {
  return times.toSorted(compare)[0] ?? ''
}

/** ISO times of one form are in the order of their texts. */
function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}

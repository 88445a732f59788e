import { severities, type Alert, type Severity } from '#shared/domain/alert.ts'
import type { AlertChange } from '#shared/domain/alert-text.ts'

/** What a record of the alert topic asks of one channel. */
export type Decision =
  | { readonly kind: 'send'; readonly change: AlertChange }
  | {
      readonly kind: 'skip'
      readonly reason: 'below_severity' | 'already_handled' | 'never_opened' | 'same_incident'
    }

/** Alerts remembered per partition; at a hundred bytes each this is a megabyte. */
const ALERTS_MAX = 10_000

/**
 * What one channel has been told about which alert, so that no state is told twice, and an incident that somebody is
 * at is not told again for each further piece of evidence: only when it gets worse.
 *
 * It is a function of the records handled so far, which is why it needs no storage of its own: after a restart
 * it is rebuilt by reading them again. Bounded: beyond 10,000 alerts the one untouched for longest is forgotten.
 */
export type DeliveryMemory = {
  readonly decide: (alert: Alert) => Decision
  /** The channel has taken the alert's state, or refused it for good. */
  readonly markHandled: (alert: Alert) => void
}

export function createDeliveryMemory(minimumSeverity: Severity): DeliveryMemory {
  const told = new Map<string, { readonly state: number; readonly open: boolean }>()
  const incidents = new Map<string, ToldIncident>()

  const decide = (alert: Alert): Decision => {
    const last = told.get(alert.alert_id)
    if (last !== undefined && stateOf(alert) <= last.state) return { kind: 'skip', reason: 'already_handled' }
    if (alert.status === 'resolved') {
      // Nobody needs the all-clear of an alarm that never rang; its severity may meanwhile have fallen.
      if (last?.open === true) return { kind: 'send', change: 'resolved' }
      return { kind: 'skip', reason: 'never_opened' }
    }
    if (severities.indexOf(alert.severity) < severities.indexOf(minimumSeverity)) {
      return { kind: 'skip', reason: 'below_severity' }
    }
    if (last?.open === true) return { kind: 'send', change: 'changed' }
    const incident = incidents.get(alert.incident_id)
    const isKnown = incident !== undefined && incident.open.size > 0
    if (isKnown && severities.indexOf(alert.severity) <= severities.indexOf(incident.severity)) {
      return { kind: 'skip', reason: 'same_incident' }
    }
    return { kind: 'send', change: 'opened' }
  }

  const markHandled = (alert: Alert) => {
    told.delete(alert.alert_id)
    told.set(alert.alert_id, { state: stateOf(alert), open: alert.status === 'open' })
    forgetOldest(told)
    markIncident(incidents, alert)
  }
  return { decide, markHandled }
}

/** The alerts of an incident that the channel was told of and that are open, and the highest severity among them. */
type ToldIncident = { readonly open: Set<string>; readonly severity: Severity }

function markIncident(incidents: Map<string, ToldIncident>, alert: Alert): void {
  const known = incidents.get(alert.incident_id)
  const open = known?.open ?? new Set<string>()
  if (alert.status === 'open') open.add(alert.alert_id)
  else open.delete(alert.alert_id)
  incidents.delete(alert.incident_id)
  if (open.size === 0) return
  const isHigher =
    known === undefined || severities.indexOf(alert.severity) > severities.indexOf(known.severity)
  incidents.set(alert.incident_id, { open, severity: isHigher ? alert.severity : known.severity })
  forgetOldest(incidents)
}

function forgetOldest(remembered: Map<string, unknown>): void {
  if (remembered.size <= ALERTS_MAX) return
  const oldest = remembered.keys().next()
  if (oldest.done !== true) remembered.delete(oldest.value)
}

/** Orders the states of one alert; a replay that ends differently may give one revision two states. */
function stateOf(alert: Alert): number {
  return alert.revision * 2 + (alert.status === 'resolved' ? 1 : 0)
}

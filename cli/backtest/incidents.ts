import { severities, type Alert, type Severity, type Signal } from '#shared/domain/alert.ts'

/** What of an alert's change is needed to judge it. */
export type AlertChange = Pick<
  Alert,
  | 'alert_id'
  | 'incident_id'
  | 'source'
  | 'key'
  | 'signal'
  | 'severity'
  | 'status'
  | 'started_at'
  | 'changed_at'
  | 'ended_at'
>

/** One key that an incident is about, and when it had got the attention of people. */
export type Alarm = { readonly source: string; readonly key: string; readonly atMs: number }

/** One incident: all alerts that have its id. */
export type Incident<Change extends AlertChange = AlertChange> = {
  readonly incidentId: string
  /** Of its first alert. */
  readonly source: string
  readonly key: string
  /** When its first alert opened and when the last one ended, arrival clock, milliseconds; undefined while open. */
  readonly openedMs: number
  readonly endedMs: number | undefined
  /** The highest it reached. */
  readonly severity: Severity
  /** When it first was `warning` or higher; undefined if it never was. */
  readonly alarmMs: number | undefined
  /** Each key's first time at `warning` or higher. */
  readonly alarms: readonly Alarm[]
  /** In the order in which they appeared. */
  readonly signals: readonly Signal[]
  readonly changes: readonly Change[]
}

const WARNING = severities.indexOf('warning')

/** Gathers changes, given in the order in which they became true, into incidents, in the order in which these opened. */
export function incidentsOf<Change extends AlertChange>(changes: readonly Change[]): Incident<Change>[] {
  const byId = new Map<string, Change[]>()
  for (const change of changes) {
    const own = byId.get(change.incident_id)
    if (own === undefined) byId.set(change.incident_id, [change])
    else own.push(change)
  }
  return [...byId].map(([incidentId, own]) => incidentOf(incidentId, own))
}

function incidentOf<Change extends AlertChange>(
  incidentId: string,
  changes: readonly Change[],
): Incident<Change> {
  const [first] = changes
  if (first === undefined) throw new Error('an incident has at least one alert')
  const alarms = alarmsOf(changes)
  const rank = changes.reduce((highest, { severity }) => Math.max(highest, severities.indexOf(severity)), 0)
  return {
    incidentId,
    source: first.source,
    key: first.key,
    openedMs: Date.parse(first.changed_at),
    endedMs: endOf(changes),
    severity: severities[rank] ?? 'info',
    alarmMs: alarms[0]?.atMs,
    alarms,
    signals: [...new Set(changes.map(({ signal }) => signal))],
    changes,
  }
}

function alarmsOf(changes: readonly AlertChange[]): Alarm[] {
  const alarms = new Map<string, Alarm>()
  for (const { source, key, severity, status, changed_at } of changes) {
    const name = JSON.stringify([source, key])
    if (status !== 'open' || severities.indexOf(severity) < WARNING || alarms.has(name)) continue
    alarms.set(name, { source, key, atMs: Date.parse(changed_at) })
  }
  return [...alarms.values()]
}

function endOf(changes: readonly AlertChange[]): number | undefined {
  const open = new Set<string>()
  let latestMs = 0
  for (const { alert_id, status, changed_at } of changes) {
    if (status === 'open') open.add(alert_id)
    else open.delete(alert_id)
    latestMs = Math.max(latestMs, Date.parse(changed_at))
  }
  return open.size === 0 ? latestMs : undefined
}

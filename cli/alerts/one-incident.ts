import { createKnowledgeBook } from '#shared/detection/knowledge-book.ts'
import { AppError } from '#shared/runtime/app-error.ts'
import { findAlerts } from '#shared/warehouse/alert-history-store.ts'
import type { ClickHouseClient } from '#shared/warehouse/client.ts'
import { loadKnowledge } from '#shared/warehouse/knowledge-store.ts'
import { usageError } from '../arguments/parse-options.ts'
import { incidentsOf, type Incident } from './incident.ts'

/** Below this an abbreviation is more likely a slip than a name. */
const PREFIX_MIN = 4
const ID = /^[A-Za-z0-9_.:-]{1,64}$/

/**
 * The alerts that an id means: an alert's own id or an incident's, whole or its beginning. Throws the AppError
 * `NOT_FOUND` when there is none, and `CONFIG_INVALID` when it could be several.
 */
export async function findIncident(client: ClickHouseClient, id: string): Promise<Incident> {
  if (!ID.test(id) || id.length < PREFIX_MIN) {
    throw usageError(
      `"${id.slice(0, 64)}" is no id: give an alert's or an incident's, at least its first ${PREFIX_MIN} characters (keywatch alerts list)`,
    )
  }
  const [alerts, knowledge] = await Promise.all([findAlerts(client, id), loadKnowledge(client)])
  const incidents = incidentsOf(chosen(alerts, id), createKnowledgeBook(knowledge))
  const [incident] = incidents
  if (incident === undefined) {
    throw new AppError(
      'NOT_FOUND',
      `no alert and no incident has an id that begins with ${id}: keywatch alerts list shows them`,
      { retriable: false },
    )
  }
  if (incidents.length > 1) {
    const names = incidents.slice(0, 5).map(({ incident_id }) => incident_id)
    throw usageError(`${id} could be several incidents; write more of it: ${names.join(', ')}`)
  }
  return incident
}

/** An id that is an alert's means that alert; one that is an incident's means all of its alerts. */
function chosen<Named extends { readonly alert_id: string; readonly incident_id: string }>(
  alerts: readonly Named[],
  id: string,
): readonly Named[] {
  const exact = alerts.filter(({ alert_id }) => alert_id === id)
  if (exact.length > 0) return exact
  const ofIncident = alerts.filter(({ incident_id }) => incident_id === id)
  if (ofIncident.length > 0) return ofIncident
  const begun = alerts.filter(({ incident_id }) => incident_id.startsWith(id))
  return begun.length > 0 ? begun : alerts
}

import type { Alert } from '#shared/domain/alert.ts'
import { withFacts, type AlertFacts } from '#shared/detection/alert-facts.ts'
import type { VolumeUnit } from '#shared/detection/volume/volume-unit.ts'
import type { EventLog } from '#shared/event-log/event-log.ts'
import { topics } from '#shared/event-log/topics.ts'
import { alertFacts, insertAlertChanges } from '#shared/warehouse/alert-store.ts'
import { untilDone } from './retry.ts'
import type { StoreContext } from './store-block.ts'

export type PublishContext = StoreContext & { readonly eventLog: EventLog }

/**
 * Makes state changes known: to the log for the notifier, then to the warehouse for people. Resolves when both have
 * them. After a crash in between the same changes come again, under the same ids and revisions, which changes nothing.
 */
export async function publishAlerts(alerts: readonly Alert[], context: PublishContext): Promise<void> {
  if (alerts.length === 0) return
  const records = alerts.map((alert) => ({ key: alert.alert_id, value: JSON.stringify(alert) }))
  await untilDone('append alerts', () => context.eventLog.append(topics.alerts, records), context)
  await untilDone('insert alerts', () => insertAlertChanges(context.client, alerts), context)
  for (const { signal, severity, status, alert_id, source } of alerts) {
    context.metrics.alerts.inc({ signal, severity, status })
    context.log.info({ alertId: alert_id, source, signal, severity, status }, 'alert')
  }
}

/** Adds to an episode's alerts what its key sends; asked once, when the alert opens. */
export function createFactFinder(context: StoreContext, unitOf: (source: string) => VolumeUnit) {
  const known = new Map<string, AlertFacts>()
  return async (alert: Alert): Promise<Alert> => {
    if (alert.signal !== 'volume.spike' && alert.signal !== 'key.unattributed') return alert
    const facts = known.get(alert.alert_id) ?? (alert.revision === 1 ? await ask(alert) : undefined)
    if (alert.status === 'resolved') known.delete(alert.alert_id)
    else if (facts !== undefined) known.set(alert.alert_id, facts)
    return facts === undefined ? alert : withFacts(alert, facts)
  }

  async function ask(alert: Alert): Promise<AlertFacts | undefined> {
    try {
      return await alertFacts(context.client, alert, unitOf(alert.source))
    } catch (error) {
      // The alert must not wait for its ornaments.
      context.log.warn({ err: error, alertId: alert.alert_id }, 'the facts of an alert could not be found')
      return undefined
    }
  }
}

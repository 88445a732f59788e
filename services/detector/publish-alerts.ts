import type { Alert } from '#shared/domain/alert.ts'
import type { EventLog } from '#shared/event-log/event-log.ts'
import { topics } from '#shared/event-log/topics.ts'
import { insertAlertChanges } from '#shared/warehouse/alert-store.ts'
import { untilDone } from './retry.ts'
import type { StoreContext } from './store-block.ts'

export type PublishContext = StoreContext & { readonly eventLog: EventLog }

/**
 * Makes state changes known: to the log for the notifier, then to the warehouse for people. Resolves when both have
 * them. After a crash in between the same changes come again, under the same ids and revisions, which changes nothing.
 */
export async function publishAlerts(alerts: readonly Alert[], context: PublishContext): Promise<void> {
  if (alerts.length === 0) return
  // By incident, so that one consumer sees all of it in order.
  const records = alerts.map((alert) => ({ key: alert.incident_id, value: JSON.stringify(alert) }))
  await untilDone('append alerts', () => context.eventLog.append(topics.alerts, records), context)
  await untilDone('insert alerts', () => insertAlertChanges(context.client, alerts), context)
  for (const { signal, severity, status, alert_id, source } of alerts) {
    context.metrics.alerts.inc({ signal, severity, status })
    context.log.info({ alertId: alert_id, source, signal, severity, status }, 'alert')
  }
}

import type { Command } from 'commander'
import { describeAlert } from '#shared/domain/alert-text.ts'
import { findIncident } from '../alerts/one-incident.ts'
import type { Incident } from '../alerts/incident.ts'
import { withWarehouse } from '../warehouse-command.ts'

/** `keywatch alerts show ID`: an incident, or one of its alerts, in full. */
export function registerAlertsShow(alerts: Command) {
  alerts
    .command('show')
    .description('an incident, or one alert, in full')
    .argument('<id>', 'id of an incident or an alert, or its beginning')
    .option('--json', 'print it as JSON')
    .action(async (id: string, options: { json?: true }) => {
      const incident = await withWarehouse((client) => findIncident(client, id))
      console.log(
        options.json === true ? JSON.stringify(incident) : incident.alerts.map(alertText).join('\n\n'),
      )
    })
}

function alertText(alert: Incident['alerts'][number]): string {
  const text = describeAlert(alert, alert.status === 'resolved' ? 'resolved' : 'opened')
  const lines = [text.title, `  ${text.sentence}`, '']
  for (const { label, text: value } of [
    ...text.facts,
    { label: 'Incident', text: alert.incident_id },
    { label: 'Marked', text: alert.verdict ?? 'not yet' },
  ]) {
    lines.push(`  ${label.padEnd(22)} ${value}`)
  }
  if (text.evidence.length > 0) lines.push('  Evidence', ...text.evidence.map((line) => `    - ${line}`))
  if (text.nextSteps.length > 0) {
    lines.push('  What to do next', ...text.nextSteps.map((step, index) => `    ${index + 1}. ${step}`))
  }
  for (const { label, text: value } of text.references) lines.push(`  ${label}: ${value}`)
  return lines.join('\n')
}

import type { Command } from 'commander'
import { z } from 'zod'
import { createKnowledgeBook } from '#shared/detection/knowledge-book.ts'
import { EVERY } from '#shared/domain/alert.ts'
import { recentAlerts } from '#shared/warehouse/alert-history-store.ts'
import { loadKnowledge } from '#shared/warehouse/knowledge-store.ts'
import { incidentsOf, type Incident } from '../alerts/incident.ts'
import { countOption, durationOption, parseOptions } from '../arguments/parse-options.ts'
import { shortTime, tableOf, type Column } from '../output/table.ts'
import { withWarehouse } from '../warehouse-command.ts'

const schema = z.object({
  open: z.boolean().default(false),
  since: durationOption.prefault('7d'),
  source: z.string().min(1, 'must not be empty').optional(),
  key: z.string().min(1, 'must not be empty').optional(),
  limit: countOption.prefault('50'),
  json: z.boolean().default(false),
})

/** `keywatch alerts list`: incidents, open ones first. */
export function registerAlertsList(alerts: Command) {
  alerts
    .command('list')
    .description('incidents with their signals: what is open, then what was over lately')
    .option('--open', 'only what is open')
    .option('--since <duration>', 'how far back to look for what is over: 7d, 12h (default: 7d)')
    .option('--source <name>', 'only of this source')
    .option('--key <name>', 'only of this key')
    .option('--limit <count>', 'show at most so many incidents (default: 50)')
    .option('--json', 'print the incidents with all of their alerts as JSON')
    .action(list)
}

async function list(raw: unknown) {
  const options = parseOptions(schema, raw, 'alerts list')
  const incidents = await withWarehouse(async (client) => {
    const sinceMs = Date.now() - options.since
    const [alerts, knowledge] = await Promise.all([
      recentAlerts(client, { sinceMs, source: options.source, key: options.key }),
      loadKnowledge(client),
    ])
    return incidentsOf(alerts, createKnowledgeBook(knowledge))
  })
  const wanted = incidents.filter(({ status }) => !options.open || status === 'open')
  const shown = wanted.slice(0, options.limit)
  if (options.json)
    return console.log(JSON.stringify({ incidents: shown, left_out: wanted.length - shown.length }))
  if (shown.length === 0)
    return console.log(options.open ? 'Nothing is open.' : 'Nothing was found in that time.')
  console.log(tableOf(columns, shown))
  if (wanted.length > shown.length) console.log(`… and ${wanted.length - shown.length} more (--limit)`)
  console.log('\nTimes are UTC. In full: keywatch alerts show INCIDENT')
}

const columns: readonly Column<Incident>[] = [
  { heading: 'INCIDENT', text: ({ incident_id }) => incident_id },
  { heading: 'STATUS', text: ({ status }) => status },
  { heading: 'SEVERITY', text: ({ severity }) => severity },
  { heading: 'KEY', text: keysText },
  { heading: 'SIGNALS', text: ({ signals }) => signals.join(' '), lengthMax: 60 },
  { heading: 'SINCE', text: ({ started_at }) => shortTime(started_at) },
  { heading: 'UNTIL', text: ({ ended_at }) => shortTime(ended_at) },
  {
    heading: 'OUT BEFORE',
    text: ({ messages_before_alarm }) => messages_before_alarm.toLocaleString('en'),
    align: 'right',
  },
  { heading: 'MARKED', text: ({ verdicts }) => (verdicts.length === 0 ? '–' : verdicts.join(', ')) },
]

/** `main/orders`, and how many others. */
function keysText({ keys }: Incident): string {
  const [first] = keys
  if (first === undefined) return '–'
  const others = keys.length === 1 ? '' : ` +${keys.length - 1}`
  if (first.source === EVERY) return `fleet${others}`
  return `${first.source}/${first.key === EVERY ? 'all keys' : first.key}${others}`
}

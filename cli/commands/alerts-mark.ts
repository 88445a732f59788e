import { randomUUID } from 'node:crypto'
import { Option, type Command } from 'commander'
import { z } from 'zod'
import type { Alert } from '#shared/domain/alert.ts'
import { verdicts, type Knowledge, type Verdict } from '#shared/domain/knowledge.ts'
import { insertKnowledge } from '#shared/warehouse/knowledge-store.ts'
import { findIncident } from '../alerts/one-incident.ts'
import { parseOptions } from '../arguments/parse-options.ts'
import { defaultAuthor, withWarehouse } from '../warehouse-command.ts'

const HELP = `
  false     a mistake: nothing unusual happened; the key's baseline learns from that time
  expected  right, but intended; the baseline learns from that time
  true      misuse; the baseline never learns from that time
A later mark replaces an earlier one. An incident's id marks all of its alerts.`

const schema = z.object({
  as: z.enum(verdicts),
  note: z.string().max(1000, 'must be at most 1,000 characters').default(''),
  author: z.string().min(1, 'must not be empty').max(128, 'must be at most 128 characters').optional(),
  json: z.boolean().default(false),
})

/** `keywatch alerts mark ID --as VERDICT`: says whether an alert, or an incident, was right. */
export function registerAlertsMark(alerts: Command) {
  alerts
    .command('mark')
    .description('say whether an alert, or a whole incident, was right')
    .argument('<id>', 'id of an incident or an alert, or its beginning')
    .addOption(new Option('--as <verdict>', 'what it was').choices(verdicts).makeOptionMandatory())
    .option('--note <text>', 'why')
    .option('--author <name>', "who says so (default: the system's user)")
    .option('--json', 'print what was stated as JSON')
    .addHelpText('after', HELP)
    .action(mark)
}

async function mark(id: string, raw: unknown) {
  const { as: verdict, note, author = defaultAuthor(), json } = parseOptions(schema, raw, 'alerts mark')
  const { incident, stated } = await withWarehouse(async (client) => {
    const found = await findIncident(client, id)
    const given = { verdict, note, author, nowMs: Date.now() }
    const marks = found.alerts.map((alert) => markOf(alert, given))
    await insertKnowledge(client, marks)
    return { incident: found, stated: marks }
  })
  if (json) return console.log(JSON.stringify({ knowledge: stated }))
  const many = stated.length === 1 ? '1 alert' : `${stated.length} alerts`
  console.log(
    `Marked ${many} of incident ${incident.incident_id} as ${verdict}: ${incident.signals.join(', ')}. ` +
      'The detector obeys within a minute.',
  )
}

function markOf(
  alert: Alert,
  given: {
    readonly verdict: Verdict
    readonly note: string
    readonly author: string
    readonly nowMs: number
  },
): Knowledge {
  return {
    kind: 'alert_mark',
    knowledge_id: randomUUID(),
    source: alert.source,
    key: alert.key,
    alert_id: alert.alert_id,
    verdict: given.verdict,
    alert_started_at: alert.started_at,
    alert_ended_at: alert.ended_at,
    author: given.author,
    note: given.note,
    created_at: new Date(given.nowMs).toISOString(),
    revoked: false,
  }
}

import type { Command } from 'commander'
import { z } from 'zod'
import { detectionSettingsOf, keySettingsOf } from '#shared/config/detection-settings-of.ts'
import type { Config } from '#shared/config/config.ts'
import type { ClickHouseClient } from '#shared/warehouse/client.ts'
import { parseOptions, timeOption, usageError } from '../arguments/parse-options.ts'
import { explainAlert, explainKey, type Explanation } from '../explain/explanation.ts'
import { explanationText } from '../explain/explain-text.ts'
import { judgedHow } from '../explain/judged-how.ts'
import { sourceOfKey } from '../keys/state-fact.ts'
import { withWarehouse } from '../warehouse-command.ts'

const HELP = `
Examples:
  keywatch explain 3f9a1c
  keywatch explain --key orders --at 2026-03-01T02:17Z
What is stored of the alert comes first. Then the key's events are given to the engine again up to that moment, and what
it thinks is printed: the score and its limit, the evidence, each window's expected and observed, and which rule decided.`

const name = z.string().min(1, 'must not be empty').max(256, 'must be at most 256 characters').optional()

/** `keywatch explain`: why there is an alert, or what the engine thought of a key at a time. */
export function registerExplain(program: Command) {
  program
    .command('explain')
    .description('why there is an alert, or what the engine thought of a key at a time')
    .argument('[id]', "an alert's or an incident's id, or its beginning")
    .option('--source <name>', 'source of the key (default: the only one that the key has sent on)')
    .option('--key <name>', 'name of the key, as alerts show it')
    .option('--at <time>', 'the moment: 2026-03-03T09:00+01:00, or now (default: now)')
    .option('--json', 'print it as JSON')
    .addHelpText('after', HELP)
    .action(explain)
}

async function explain(id: string | undefined, raw: unknown) {
  const nowMs = Date.now()
  const schema = z.object({
    source: name,
    key: name,
    at: timeOption(nowMs).prefault('now'),
    json: z.boolean().default(false),
  })
  const options = parseOptions(schema, raw, 'explain')
  const { source, key, at, json } = options
  if ((id === undefined) === (key === undefined)) {
    throw usageError(
      'say which alert (keywatch explain ID) or which key (keywatch explain --key KEY --at TIME)',
    )
  }
  const { explanation, judged } = await withWarehouse(async (client, config) => {
    const answer =
      key === undefined
        ? await explainAlert(client, config, id ?? '')
        : await ofKey(client, config, { source, key, atMs: Date.parse(at) })
    return { explanation: answer, judged: judgedOf(config, answer) }
  })
  console.log(
    json ? JSON.stringify({ ...explanation, judged: judged ?? null }) : explanationText(explanation, judged),
  )
}

async function ofKey(
  client: ClickHouseClient,
  config: Config,
  wanted: { readonly source: string | undefined; readonly key: string; readonly atMs: number },
): Promise<Explanation> {
  const { source } = await sourceOfKey(client, config, wanted)
  return explainKey(client, config, { ...wanted, source })
}

function judgedOf(config: Config, { alert }: Explanation): string | undefined {
  if (alert === null) return undefined
  const settings = detectionSettingsOf(config)
  return judgedHow(alert.signal, keySettingsOf(config, settings)(alert.source, alert.key))
}

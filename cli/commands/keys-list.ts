import type { Command } from 'commander'
import { z } from 'zod'
import type { Knowledge } from '#shared/domain/knowledge.ts'
import { loadKnowledge } from '#shared/warehouse/knowledge-store.ts'
import { knownKeys, type KnownKey } from '#shared/warehouse/known-keys-store.ts'
import { countOption, parseOptions } from '../arguments/parse-options.ts'
import { knowledgeText } from '../keys/knowledge-text.ts'
import { shortTime, tableOf, type Column } from '../output/table.ts'
import { withWarehouse } from '../warehouse-command.ts'

const schema = z.object({
  source: z.string().min(1, 'must not be empty').optional(),
  key: z.string().min(1, 'must not be empty').optional(),
  limit: countOption.prefault('100'),
  json: z.boolean().default(false),
})

/** `keywatch keys list`: the keys that have sent, and what people have stated about them. */
export function registerKeysList(keys: Command) {
  keys
    .command('list')
    .description('keys that have sent, and what people have stated about keys and alerts')
    .option('--source <name>', 'only of this source')
    .option('--key <name>', 'only of this key')
    .option('--limit <count>', 'show at most so many keys (default: 100)')
    .option('--json', 'print keys and statements as JSON')
    .action(list)
}

async function list(raw: unknown) {
  const { source, key, limit, json } = parseOptions(schema, raw, 'keys list')
  const { keys, knowledge } = await withWarehouse(async (client) => ({
    keys: await knownKeys(client, { source, key, limit: limit + 1 }),
    knowledge: (await loadKnowledge(client)).filter(
      (item) => (source === undefined || item.source === source) && (key === undefined || item.key === key),
    ),
  }))
  const shown = keys.slice(0, limit)
  if (json) {
    const report = shown.map(({ first_seen, last_seen, ...rest }) => ({
      ...rest,
      first_seen: iso(first_seen),
      last_seen: iso(last_seen),
    }))
    return console.log(JSON.stringify({ keys: report, more: keys.length > limit, knowledge }))
  }
  console.log(shown.length === 0 ? 'No key has sent anything yet.' : tableOf(keyColumns, shown))
  if (keys.length > limit) console.log('… and more (--limit)')
  if (knowledge.length > 0) console.log(`\n${tableOf(knowledgeColumns, knowledge)}`)
  console.log('\nTimes are UTC.')
}

const keyColumns: readonly Column<KnownKey>[] = [
  { heading: 'SOURCE', text: ({ source }) => source },
  { heading: 'KEY', text: ({ key }) => key },
  { heading: 'FIRST SEEN', text: ({ first_seen }) => shortTime(iso(first_seen)) },
  { heading: 'LAST SEEN', text: ({ last_seen }) => shortTime(iso(last_seen)) },
  { heading: 'LAST 7 DAYS', text: ({ messages }) => messages.toLocaleString('en'), align: 'right' },
]

const knowledgeColumns: readonly Column<Knowledge>[] = [
  { heading: 'SOURCE', text: ({ source }) => source },
  { heading: 'KEY', text: ({ key }) => key },
  { heading: 'STATED', text: knowledgeText, lengthMax: 110 },
  { heading: 'BY', text: ({ author }) => author, lengthMax: 20 },
  { heading: 'ID', text: ({ knowledge_id }) => knowledge_id },
]

function iso(seconds: number): string {
  return new Date(seconds * 1000).toISOString()
}

import { randomUUID } from 'node:crypto'
import type { Command } from 'commander'
import { z } from 'zod'
import type { Config } from '#shared/config/config.ts'
import type { Knowledge } from '#shared/domain/knowledge.ts'
import type { ClickHouseClient } from '#shared/warehouse/client.ts'
import { insertKnowledge } from '#shared/warehouse/knowledge-store.ts'
import { knownKeys } from '#shared/warehouse/known-keys-store.ts'
import { usageError } from '../arguments/parse-options.ts'
import { defaultAuthor } from '../warehouse-command.ts'
import { knowledgeText } from './knowledge-text.ts'

/** Options that every command has which states a fact about a key. */
export const factOptions = {
  source: z.string().min(1, 'must not be empty').max(256, 'must be at most 256 characters').optional(),
  note: z.string().max(1000, 'must be at most 1,000 characters').default(''),
  author: z.string().min(1, 'must not be empty').max(128, 'must be at most 128 characters').optional(),
  json: z.boolean().default(false),
}

/** Adds those options to a command's help. */
export function withFactOptions(command: Command): Command {
  return command
    .option('--source <name>', 'source of the key (default: the only one that the key has sent on)')
    .option('--note <text>', 'why')
    .option('--author <name>', "who says so (default: the system's user)")
    .option('--json', 'print what was stated as JSON')
}

type FactOptions = z.output<z.ZodObject<typeof factOptions>>
const SOURCES_MAX = 1000

/**
 * The source of a key: the one given, or the only one that the key has sent on, or the only one there is. Throws the
 * AppError `CONFIG_INVALID` where that leaves a choice.
 */
export async function sourceOfKey(
  client: ClickHouseClient,
  config: Pick<Config, 'sources'>,
  { key, source }: { readonly key: string; readonly source: string | undefined },
): Promise<{ readonly source: string; readonly isKnown: boolean }> {
  if (key.length === 0 || key.length > 256) throw usageError('the name of a key has 1 to 256 characters')
  const sent = await knownKeys(client, { key, limit: SOURCES_MAX })
  if (source !== undefined) return { source, isKnown: sent.some((known) => known.source === source) }
  const [first, ...others] = sent
  if (first !== undefined && others.length === 0) return { source: first.source, isKnown: true }
  const [only, ...more] = Object.keys(config.sources)
  if (first === undefined && only !== undefined && more.length === 0) return { source: only, isKnown: false }
  throw usageError(
    first === undefined
      ? `no key ${key} has ever sent; if that is its name, say on which source it will: --source NAME`
      : `${key} sends on several sources; say which: --source ${sent.map((known) => known.source).join(' | ')}`,
  )
}

/** What every fact has that is stated now. */
export function factHead(given: FactOptions, nowMs: number) {
  return {
    knowledge_id: randomUUID(),
    author: given.author ?? defaultAuthor(),
    note: given.note,
    created_at: new Date(nowMs).toISOString(),
    revoked: false,
  }
}

/** Keeps the fact and says so. */
export async function stateFact(
  client: ClickHouseClient,
  item: Knowledge,
  { json, isKnown }: { readonly json: boolean; readonly isKnown: boolean },
): Promise<void> {
  await insertKnowledge(client, [item])
  if (json) return console.log(JSON.stringify({ knowledge: [item], key_is_known: isKnown }))
  console.log(
    `Stated for ${item.source}/${item.key}: ${knowledgeText(item)}. The detector obeys within a minute.`,
  )
  if (!isKnown) console.log('Nothing was ever sent under this name; is it spelt right? (keywatch keys list)')
  console.log(`To take it back: keywatch keys undo ${item.knowledge_id}`)
}

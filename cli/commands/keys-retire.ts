import type { Command } from 'commander'
import { z } from 'zod'
import { parseOptions, timeOption } from '../arguments/parse-options.ts'
import { factHead, factOptions, sourceOfKey, stateFact, withFactOptions } from '../keys/state-fact.ts'
import { withWarehouse } from '../warehouse-command.ts'

/** `keywatch keys retire KEY`: nothing may be sent with this key any more. */
export function registerKeysRetire(keys: Command) {
  withFactOptions(
    keys
      .command('retire')
      .description('say that a key is out of use: its next message pages at once')
      .argument('<key>', 'name of the key, as alerts show it')
      .option('--since <time>', 'since when: 2026-03-03T09:00Z (default: now)'),
  ).action(retire)
}

async function retire(key: string, raw: unknown) {
  const nowMs = Date.now()
  const schema = z.object({ ...factOptions, since: timeOption(nowMs).prefault('now') })
  const options = parseOptions(schema, raw, 'keys retire')
  await withWarehouse(async (client, config) => {
    const { source, isKnown } = await sourceOfKey(client, config, { key, source: options.source })
    const item = {
      ...factHead(options, nowMs),
      kind: 'retired_key' as const,
      source,
      key,
      since: options.since,
    }
    await stateFact(client, item, { json: options.json, isKnown })
  })
}

import type { Command } from 'commander'
import { z } from 'zod'
import { recentAlerts } from '#shared/warehouse/alert-history-store.ts'
import type { ClickHouseClient } from '#shared/warehouse/client.ts'
import { parseOptions, timeOption, usageError } from '../arguments/parse-options.ts'
import { factHead, factOptions, sourceOfKey, stateFact, withFactOptions } from '../keys/state-fact.ts'
import { withWarehouse } from '../warehouse-command.ts'

/** `keywatch keys accept KEY`: what the key does since a time is usual from now on. */
export function registerKeysAccept(keys: Command) {
  withFactOptions(
    keys
      .command('accept')
      .description('accept what a key does since a time as its new normal')
      .argument('<key>', 'name of the key, as alerts show it')
      .option('--from <time>', "since when: 2026-03-03T09:00Z (default: the start of the key's open alert)"),
  ).action(accept)
}

async function accept(key: string, raw: unknown) {
  const nowMs = Date.now()
  const options = parseOptions(
    z.object({ ...factOptions, from: timeOption(nowMs).optional() }),
    raw,
    'keys accept',
  )
  await withWarehouse(async (client, config) => {
    const { source, isKnown } = await sourceOfKey(client, config, { key, source: options.source })
    const from = options.from ?? (await startOfOpenAlert(client, { source, key, nowMs }))
    const item = { ...factHead(options, nowMs), kind: 'accept_new_normal' as const, source, key, from }
    await stateFact(client, item, { json: options.json, isKnown })
  })
}

async function startOfOpenAlert(
  client: ClickHouseClient,
  { source, key, nowMs }: { readonly source: string; readonly key: string; readonly nowMs: number },
): Promise<string> {
  const alerts = await recentAlerts(client, { sinceMs: nowMs, source, key })
  const [first] = alerts
    .filter(({ status }) => status === 'open')
    .map(({ started_at }) => started_at)
    .toSorted()
  if (first !== undefined) return first
  throw usageError(`no alert is open on ${source}/${key}, so say since when: --from 2026-03-03T09:00Z`)
}

import { EVERY } from '#shared/domain/alert.ts'
import { openAlerts } from '#shared/warehouse/alert-store.ts'
import { keyPartitions, keyText, type KeyName } from '#shared/warehouse/usage-store.ts'
import type { StoreContext } from './store-block.ts'

/**
 * The keys of this partition that have an open alert. Which partition a key is on is read from its stored events, so
 * that nobody has to know how many partitions there are. One that has not sent for a week is partition 0's.
 */
export async function keysWithOpenAlerts(
  { client }: Pick<StoreContext, 'client'>,
  partition: number,
): Promise<KeyName[]> {
  const keys = new Map<string, KeyName>()
  for (const { source, key } of await openAlerts(client)) {
    if (key !== EVERY) keys.set(keyText({ source, key }), { source, key })
  }
  if (keys.size === 0) return []
  const partitions = await keyPartitions(client, [...keys.values()], Math.floor(Date.now() / 1000))
  return [...keys].flatMap(([name, key]) => ((partitions.get(name) ?? 0) === partition ? [key] : []))
}

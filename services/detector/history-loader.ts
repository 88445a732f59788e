import type { DetectionEngine } from '#shared/detection/detection-engine.ts'
import type { StoredSource } from '#shared/detection/engine-input.ts'
import { HISTORY_HOURS } from '#shared/detection/volume/key-history.ts'
import type { VolumeUnit } from '#shared/detection/volume/volume-unit.ts'
import { alertsOfKeys, openAlerts } from '#shared/warehouse/alert-store.ts'
import {
  keyActivity,
  keyPartitions,
  keyText,
  loadKeyUsage,
  loadSources,
  type KeyName,
  type WantedKey,
} from '#shared/warehouse/usage-store.ts'
import { untilDone } from './retry.ts'
import type { StoreContext } from './store-block.ts'

/** Every source's age, unit and share of unattributed mail are asked for again this often. */
const SOURCES_REFRESH_MS = 15 * 60_000
/** Keys fetched at a time; the engine's memory bounds how many there are. */
const KEYS_PER_LOAD = 200
const HOUR_SECONDS = 3600

/** A key, and the minute since the epoch up to which its history is wanted. */
export type KeyAt = KeyName & { readonly minute: number }

/** Reads from the warehouse what the engine has not met yet. */
export type HistoryLoader = {
  readonly unitOf: (source: string) => VolumeUnit
  readonly refreshSources: (nowMs: number) => Promise<void>
  readonly loadMissing: (keys: readonly KeyAt[]) => Promise<void>
}

export function createHistoryLoader(
  engine: Pick<DetectionEngine, 'wantsKey' | 'loadKey' | 'loadSource'>,
  context: StoreContext,
): HistoryLoader {
  const { client } = context
  const sources = new Map<string, StoredSource>()
  let loadedAtMs = -Infinity
  const unitOf = (source: string): VolumeUnit => sources.get(source)?.unit ?? 'processed'

  const loadKeys = async (wanted: readonly WantedKey[]) => {
    const oldest = wanted.reduce((minute, key) => Math.min(minute, key.minute), Infinity) * 60
    const alerts = await alertsOfKeys(client, wanted, oldest - HISTORY_HOURS * HOUR_SECONDS)
    for (const usage of await loadKeyUsage(client, wanted)) {
      const name = keyText(usage)
      engine.loadKey({ ...usage, alerts: alerts.filter((alert) => keyText(alert) === name) })
    }
  }

  return {
    unitOf,
    refreshSources: async (nowMs) => {
      if (nowMs - loadedAtMs < SOURCES_REFRESH_MS) return
      const nowSeconds = Math.floor(nowMs / 1000)
      for (const source of await untilDone('load sources', () => loadSources(client, nowSeconds), context)) {
        sources.set(source.source, source)
        engine.loadSource(source)
      }
      loadedAtMs = nowMs
    },
    loadMissing: async (keys) => {
      const missing = keys
        .filter(({ source, key }) => engine.wantsKey(source, key))
        .map((key) => ({ ...key, unit: unitOf(key.source) }))
      for (let at = 0; at < missing.length; at += KEYS_PER_LOAD) {
        const group = missing.slice(at, at + KEYS_PER_LOAD)
        await untilDone('load keys', () => loadKeys(group), context)
      }
    },
  }
}

/**
 * The keys of this partition that have an open episode. Which partition a key is on is read from its stored events,
 * so that nobody has to know how many partitions there are. One that has not sent for a week is partition 0's.
 */
export async function keysWithEpisodes({ client }: StoreContext, partition: number): Promise<KeyAt[]> {
  const open = (await openAlerts(client)).filter(
    ({ signal }) => signal === 'volume.spike' || signal === 'key.unattributed',
  )
  const keys = [
    ...new Map(open.map(({ source, key }) => [keyText({ source, key }), { source, key }])).values(),
  ]
  if (keys.length === 0) return []
  const nowSeconds = Math.floor(Date.now() / 1000)
  const [partitions, activity] = await Promise.all([
    keyPartitions(client, keys, nowSeconds),
    keyActivity(client, keys),
  ])
  return keys
    .filter((key) => (partitions.get(keyText(key)) ?? 0) === partition)
    .map((key) => ({ ...key, minute: Math.floor((activity.get(keyText(key))?.lastSeen ?? nowSeconds) / 60) }))
}

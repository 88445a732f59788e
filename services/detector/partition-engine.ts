import { createDetectionEngine } from '#shared/detection/detection-engine.ts'
import type { DetectionSettings } from '#shared/detection/detection-settings.ts'
import type { Alert } from '#shared/domain/alert.ts'
import { keyActivity, keyText } from '#shared/warehouse/usage-store.ts'
import { toEngineEvent } from './decode-records.ts'
import { createHistoryLoader, keysWithEpisodes, type KeyAt } from './history-loader.ts'
import { createFactFinder } from './publish-alerts.ts'
import { untilDone } from './retry.ts'
import type { FreshEvent, StoreContext } from './store-block.ts'

/**
 * The engine of one partition, and its memory in the warehouse.
 *
 * A key's events are all on one partition, so its engine sees all of them. Nothing is rebuilt in advance: a key's
 * history is loaded when the key is first met, before its block is stored, so that it holds everything up to that
 * block and nothing of it. That is right for any number of partitions and members, after a rebalance as after a
 * crash, and costs nothing for keys that do not send.
 */
export type PartitionEngine = {
  /** Loads the keys with an open episode on this partition, so that they end without another event. */
  readonly restore: (partition: number) => Promise<void>
  /** Before a fresh block is stored: loads the history of keys and sources that the engine has not met. */
  readonly prepare: (events: readonly FreshEvent[]) => Promise<void>
  readonly feed: (events: readonly FreshEvent[]) => Promise<Alert[]>
  /** After a pending block was stored again: judges what its keys have stored, including that block. */
  readonly judgeStored: (events: readonly FreshEvent[]) => Promise<Alert[]>
  readonly tick: (nowMs: number) => Promise<Alert[]>
  readonly keyCount: () => number
}

export function createPartitionEngine(settings: DetectionSettings, context: StoreContext): PartitionEngine {
  let emitted: Alert[] = []
  const engine = createDetectionEngine(settings, (alert) => emitted.push(alert))
  const loader = createHistoryLoader(engine, context)
  const addFacts = createFactFinder(context, loader.unitOf)

  const takeAlerts = async () => {
    const taken = emitted
    emitted = []
    const alerts: Alert[] = []
    for (const alert of taken) alerts.push(await addFacts(alert))
    return alerts
  }

  const prepare = async (events: readonly FreshEvent[]) => {
    const latest = events.at(-1)
    if (latest === undefined) return
    await loader.refreshSources(latest.receivedAtMs)
    await loader.loadMissing([...firstMinutesOf(events).values()])
  }

  return {
    restore: async (partition) => {
      await loader.refreshSources(Date.now())
      const keys = await untilDone('load open alerts', () => keysWithEpisodes(context, partition), context)
      await loader.loadMissing(keys)
    },
    prepare,
    feed: (events) => {
      for (const event of events) engine.feed(toEngineEvent(event))
      return takeAlerts()
    },
    judgeStored: async (events) => {
      await prepare(events)
      const keys = [...firstMinutesOf(events).values()]
      const activity = await untilDone('load activity', () => keyActivity(context.client, keys), context)
      // An account's change of state is no count that could be judged again: it is told again.
      for (const event of events) {
        if (event.row.event === 'account_status_change') engine.feed(toEngineEvent(event))
      }
      engine.judgeAgain(
        keys.map((key) => ({ ...key, firstSeen: activity.get(keyText(key))?.firstSeen })),
        {
          since: events.reduce((first, { row }) => Math.min(first, row.timestamp), Infinity),
          nowMs: events.reduce((latest, { receivedAtMs }) => Math.max(latest, receivedAtMs), 0),
        },
      )
      return takeAlerts()
    },
    tick: (nowMs) => {
      engine.tick(nowMs)
      return takeAlerts()
    },
    keyCount: engine.keyCount,
  }
}

function firstMinutesOf(events: readonly FreshEvent[]): Map<string, KeyAt> {
  const first = new Map<string, KeyAt>()
  for (const { row, receivedAtMs } of events) {
    const minute = Math.floor(Math.min(row.timestamp, receivedAtMs / 1000) / 60)
    const name = keyText(row)
    const known = first.get(name)
    if (known === undefined) first.set(name, { source: row.source, key: row.key, minute })
    else if (minute < known.minute) first.set(name, { ...known, minute })
  }
  return first
}

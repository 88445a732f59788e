import { openingOf } from '#shared/detection/fleet-members.ts'
import { createFleetWatch } from '#shared/detection/fleet-watch.ts'
import type { Alert } from '#shared/domain/alert.ts'
import { alertChangesSince } from '#shared/warehouse/alert-store.ts'
import { countLiveKeys } from '#shared/warehouse/usage-store.ts'
import type { PublishContext } from './publish-alerts.ts'
import { untilDone } from './retry.ts'

/** Watches the fleet as a whole, on a clock. */
export type FleetLoop = {
  /** Learns how often evidence on several keys coincides from the alerts of the last weeks. */
  readonly restore: () => Promise<void>
  /** Reads what every partition has found since, and answers what that means for the fleet. */
  readonly look: (nowMs: number) => Promise<Alert[]>
}

const HISTORY_MS = 21 * 24 * 3600 * 1000
/** Changes may be stored so long after they became true: the time before is looked at again. */
const OVERLAP_MS = 10 * 60_000
const LIVE_KEYS_MS = 15 * 60_000
const DAY_SECONDS = 24 * 3600

/**
 * Many keys that change together have one cause. Keys are spread over partitions, so what their engines find is read
 * from the warehouse, by the one detector that watches whole sources.
 */
export function createFleetLoop(context: PublishContext): FleetLoop {
  let emitted: Alert[] = []
  const watch = createFleetWatch((alert) => emitted.push(alert))
  const noted = new Map<string, number>()
  let sinceMs = 0
  let liveKeys = 0
  let liveKeysAtMs = -Infinity

  const read = async (nowMs: number) => {
    if (nowMs - liveKeysAtMs >= LIVE_KEYS_MS) {
      const since = Math.floor(nowMs / 1000) - DAY_SECONDS
      liveKeys = await untilDone('count keys', () => countLiveKeys(context.client, since), context)
      liveKeysAtMs = nowMs
    }
    const changes = await untilDone(
      'load alert changes',
      () => alertChangesSince(context.client, sinceMs),
      context,
    )
    for (const alert of changes) {
      if ((noted.get(alert.alert_id) ?? 0) >= alert.revision) continue
      noted.set(alert.alert_id, alert.revision)
      const opening = openingOf(alert)
      if (opening !== undefined) watch.note(opening, liveKeys)
    }
    sinceMs = Math.max(sinceMs, nowMs - OVERLAP_MS)
    watch.tick(nowMs)
  }

  return {
    restore: async () => {
      const nowMs = Date.now()
      sinceMs = nowMs - HISTORY_MS
      await read(nowMs)
      // What is over was told in its time. What was found and not told, because of a crash, is told now.
      const fresh = nowMs - OVERLAP_MS
      emitted = emitted.filter(({ changed_at }) => Date.parse(changed_at) >= fresh)
    },
    look: async (nowMs) => {
      await read(nowMs)
      const taken = emitted
      emitted = []
      return taken
    },
  }
}

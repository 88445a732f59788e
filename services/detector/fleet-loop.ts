import { openingOf } from '#shared/detection/fleet-members.ts'
import { createFleetWatch } from '#shared/detection/fleet-watch.ts'
import type { Alert } from '#shared/domain/alert.ts'
import { alertChangesSince } from '#shared/warehouse/alert-store.ts'
import { countLiveKeys } from '#shared/warehouse/usage-store.ts'
import { untilDone } from './retry.ts'
import type { StoreContext } from './store-block.ts'

/** Watches the fleet as a whole, on a clock. */
export type FleetLoop = {
  /** Learns how often evidence on several keys coincides from the alerts of the last weeks. */
  readonly restore: () => Promise<void>
  /** Reads what every partition has found since, and answers what that means for the fleet. */
  readonly look: (nowMs: number) => Promise<Alert[]>
}

const HISTORY_MS = 21 * 24 * 3600 * 1000
/** Clocks differ and inserts take their time: what was stored so long before the last look is looked at again. */
const OVERLAP_MS = 10 * 60_000
/** Nothing is read again so long after it was stored. */
const NOTED_MS = 24 * 3600 * 1000
const LIVE_KEYS_MS = 15 * 60_000
const DAY_SECONDS = 24 * 3600

/**
 * Many keys that change together have one cause. Keys are spread over partitions, so what their engines find is read
 * from the warehouse, by the one detector that watches whole sources.
 */
export function createFleetLoop(context: StoreContext): FleetLoop {
  let emitted: Alert[] = []
  const watch = createFleetWatch((alert) => emitted.push(alert))
  const noted = new Map<string, { readonly revision: number; readonly atMs: number }>()
  let sinceMs = 0
  let liveKeys = 0
  let liveKeysAtMs = -Infinity

  const countKeys = async (nowMs: number) => {
    if (nowMs - liveKeysAtMs < LIVE_KEYS_MS) return
    const since = Math.floor(nowMs / 1000) - DAY_SECONDS
    liveKeys = await untilDone('count keys', () => countLiveKeys(context.client, since), context)
    liveKeysAtMs = nowMs
  }

  /** Takes in what was stored before `untilMs`, and goes on from `nowMs`. */
  const read = async (nowMs: number, untilMs: number) => {
    const changes = await untilDone(
      'load alert changes',
      () => alertChangesSince(context.client, sinceMs, untilMs),
      context,
    )
    for (const alert of changes) {
      const revision = noted.get(alert.alert_id)?.revision ?? 0
      noted.set(alert.alert_id, { revision: Math.max(revision, alert.revision), atMs: nowMs })
      const opening = alert.revision > revision ? openingOf(alert) : undefined
      if (opening !== undefined) watch.note(opening, liveKeys)
    }
    for (const [id, { atMs }] of noted) if (atMs < nowMs - NOTED_MS) noted.delete(id)
    sinceMs = Math.max(sinceMs, nowMs - OVERLAP_MS)
    watch.tick(nowMs)
  }

  return {
    restore: async () => {
      const nowMs = Date.now()
      await countKeys(nowMs)
      sinceMs = nowMs - HISTORY_MS
      const freshMs = nowMs - OVERLAP_MS
      await read(freshMs, freshMs)
      // What that amounted to was told in its time. What was found since and not told, because of a crash, is told now.
      emitted = []
      await read(nowMs, nowMs + OVERLAP_MS)
    },
    look: async (nowMs) => {
      await countKeys(nowMs)
      await read(nowMs, nowMs + OVERLAP_MS)
      const taken = emitted
      emitted = []
      return taken
    },
  }
}

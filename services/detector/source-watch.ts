import type { DetectionSettings } from '#shared/detection/detection-settings.ts'
import { expiredNotices } from '#shared/detection/notices.ts'
import { createSilenceWatch } from '#shared/detection/source-silence.ts'
import { openAlerts } from '#shared/warehouse/alert-store.ts'
import { loadSourceHours, loadSourceTraffic } from '#shared/warehouse/usage-store.ts'
import { createFleetLoop } from './fleet-loop.ts'
import { publishAlerts, type PublishContext } from './publish-alerts.ts'
import { untilDone } from './retry.ts'

/** What needs a view of whole sources, on a clock. */
export type SourceWatch = {
  readonly restore: () => Promise<void>
  /** Does its work when it is due. `caughtUp` says that this partition has no backlog. */
  readonly tick: (state: { readonly caughtUp: boolean }) => Promise<void>
}

const INTERVAL_MS = 15_000
const NOTICES_INTERVAL_MS = 60_000
/** A source's habits are those of weeks; reading them again costs as much as they are long. */
const HOURS_INTERVAL_SECONDS = 15 * 60
/** After a start other partitions may still be catching up; until then their events look like silence. */
const SETTLING_MS = 60_000

/**
 * Watches whole sources from the warehouse, which holds what every partition has stored, whoever stored it. Only one
 * detector does, so no other member has to be asked.
 *
 * Silence is not judged while this partition has a backlog: what lies in the log is not silence. Other partitions'
 * backlogs cannot be seen from here; they fill from the same log and from the same outage.
 */
export function createSourceWatch(settings: DetectionSettings, context: PublishContext): SourceWatch {
  const silence = createSilenceWatch(settings)
  const fleet = createFleetLoop(context)
  let dueAtMs = Date.now() + SETTLING_MS
  let noticesDueAtMs = Date.now() + NOTICES_INTERVAL_MS

  let hoursOf: Awaited<ReturnType<typeof loadSourceHours>> = new Map()
  let hoursAtSeconds = -Infinity

  const judgeSilence = async (nowSeconds: number) => {
    if (nowSeconds - hoursAtSeconds >= HOURS_INTERVAL_SECONDS) {
      hoursOf = await untilDone('load hours', () => loadSourceHours(context.client, nowSeconds), context)
      hoursAtSeconds = nowSeconds
    }
    const traffic = await untilDone('load traffic', () => loadSourceTraffic(context.client, hoursOf), context)
    await publishAlerts(silence.judge(traffic, nowSeconds), context)
  }

  /** Notices end by themselves in the engine that gave them; a restart forgets them, so they are ended here. */
  const endNotices = async (nowMs: number) => {
    const open = await untilDone('load open alerts', () => openAlerts(context.client), context)
    await publishAlerts(expiredNotices(open, nowMs), context)
  }

  return {
    restore: async () => {
      silence.load(await untilDone('load open alerts', () => openAlerts(context.client), context))
      await fleet.restore()
    },
    tick: async ({ caughtUp }) => {
      const nowMs = Date.now()
      if (!caughtUp) dueAtMs = Math.max(dueAtMs, nowMs + SETTLING_MS)
      if (nowMs >= dueAtMs) {
        dueAtMs = nowMs + INTERVAL_MS
        await judgeSilence(Math.floor(nowMs / 1000))
        await publishAlerts(await fleet.look(nowMs), context)
      }
      if (nowMs >= noticesDueAtMs) {
        noticesDueAtMs = nowMs + NOTICES_INTERVAL_MS
        await endNotices(nowMs)
      }
    },
  }
}

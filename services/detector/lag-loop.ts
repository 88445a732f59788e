import { setTimeout as wait } from 'node:timers/promises'
import { createLagWatch } from '#shared/detection/pipeline-lag.ts'
import { openAlerts } from '#shared/warehouse/alert-store.ts'
import { publishAlerts, type PublishContext } from './publish-alerts.ts'

/** How far the worker of one partition has come; kept by the worker. */
export type Progress = {
  /** When the log took the oldest record that is not handled yet, milliseconds; undefined while there is none. */
  oldestMs: number | undefined
  /** Records not handled yet, at the last look. */
  records: number
}

const LOOK_MS = 5000

/**
 * Tells when alerts come late, until `context.lost` aborts; it never rejects. It runs beside the worker, not in it: a
 * worker that waits for a warehouse that is away is just what has to be told, and the log takes the alert without it.
 */
export async function watchLag(
  progress: Progress,
  given: { readonly partition: number; readonly warningSeconds: number },
  context: PublishContext,
): Promise<void> {
  const watch = createLagWatch(given)
  let isLoaded = false
  while (!context.lost.aborted) {
    try {
      if (!isLoaded) {
        // Without an answer it goes on: at worst there are two alerts of one delay.
        isLoaded = await openAlerts(context.client).then(
          (alerts) => {
            watch.load(alerts)
            return true
          },
          () => false,
        )
      }
      await publishAlerts(watch.judge({ ...progress, nowMs: Date.now() }), context)
    } catch (error) {
      if (context.lost.aborted) return
      context.log.warn({ err: error }, 'an alert about the delay could not be published')
    }
    await wait(LOOK_MS, undefined, { signal: context.lost }).catch(() => undefined)
  }
}

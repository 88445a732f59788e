import { setTimeout as wait } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Outcome, Reconciler } from './reconcile-rollups.ts'

export type ReconcileTimes = {
  /** From the start to the first run, and from a run that could not finish to the next, milliseconds. */
  readonly soonMs: number
  readonly intervalMs: number
}

/**
 * Runs the reconciliation until `lost` aborts, for as long as the partition is owned. It never rejects: no failure of
 * it may hold up the storing of events.
 */
export async function runReconciliation(
  reconciler: Reconciler,
  times: ReconcileTimes,
  { lost, log }: { readonly lost: AbortSignal; readonly log: Logger },
): Promise<void> {
  let pauseMs = times.soonMs
  for (;;) {
    await wait(pauseMs, undefined, { signal: lost }).catch(() => undefined)
    if (lost.aborted) return
    try {
      pauseMs = pauseAfter(await reconciler.run(lost), times)
    } catch (error) {
      if (lost.aborted) return
      log.warn({ err: error }, 'the rollups could not be compared with the raw events, trying again later')
      pauseMs = times.soonMs
    }
  }
}

function pauseAfter(outcome: Outcome, times: ReconcileTimes): number {
  switch (outcome) {
    case 'done':
      return times.intervalMs
    case 'deferred':
      return times.soonMs
    case 'more':
      return 0
    default:
      return outcome satisfies never
  }
}

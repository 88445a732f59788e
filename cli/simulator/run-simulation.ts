import type { WarehouseConnection } from '#shared/warehouse/client.ts'
import { simulateHistory, type SimulationConfig } from './simulate-history.ts'
import {
  simulateLive,
  type AttackRequest,
  type LiveReport,
  type LiveSimulationOptions,
} from './simulate-live.ts'

export type SimulationOptions = {
  readonly seed: number
  readonly rate: number
  /** Absent: no history is loaded. */
  readonly historyMs?: number
  /** Absent: nothing is posted. */
  readonly ingestUrl?: string
  readonly attack?: AttackRequest
  readonly scenarios?: NonNullable<LiveSimulationOptions['scenarios']>
  readonly labelsFile?: string
}

export type SimulationReport =
  | LiveReport
  | { readonly kind: 'history_progress'; readonly events: number; readonly fraction: number }
  | { readonly kind: 'history_loaded'; readonly events: number; readonly tookMs: number }

export type SimulationDeps = {
  readonly config: SimulationConfig
  /** Asked for only when history is loaded. */
  readonly connection: () => WarehouseConnection
  readonly now: () => number
  readonly signal: AbortSignal
  readonly report: (report: SimulationReport) => void
}

/**
 * The whole simulation in order: history up to now, then live traffic until `signal` aborts, with the attack the
 * given time after live traffic began. Either part can be left out, so that the demo can load the history before
 * the detector reads it, and post from a process of its own. An abort is a normal end of either part.
 */
export async function runSimulation(options: SimulationOptions, deps: SimulationDeps): Promise<void> {
  const { historyMs, ingestUrl, ...common } = options
  const { config, now, signal, report } = deps
  if (historyMs !== undefined) {
    const startedAtMs = performance.now()
    try {
      const { events } = await simulateHistory({
        ...common,
        historyMs,
        config,
        connection: deps.connection(),
        now,
        signal,
        onProgress: (progress) => report({ kind: 'history_progress', ...progress }),
      })
      report({ kind: 'history_loaded', events, tookMs: performance.now() - startedAtMs })
    } catch (error) {
      if (signal.aborted && error === signal.reason) return
      throw error
    }
  }
  if (ingestUrl === undefined || signal.aborted) return
  await simulateLive({ ...common, ingestUrl, dataDirectory: config.data_directory, now, signal, report })
}

import type { Config } from '#shared/config/config.ts'
import { createWarehouseClient, type WarehouseConnection } from '#shared/warehouse/client.ts'
import { createRecipientPrivacy } from '#shared/warehouse/recipient-privacy.ts'
import { createMessageMaker } from './event-message.ts'
import { generateEvents } from './event-stream.ts'
import { defaultFleet } from './fleet.ts'
import { loadEvents } from './load-history.ts'
import { missingHistory, readPosition, writePosition } from './position.ts'

/** What the history is stored by: the same settings as the services have. */
export type SimulationConfig = Pick<Config, 'data_directory' | 'privacy' | 'sources' | 'attribution'>

export type HistoryOptions = {
  readonly config: SimulationConfig
  readonly connection: WarehouseConnection
  readonly seed: number
  /** Multiplies the fleet's volume: 1 is about 425,000 events in 28 days. */
  readonly rate: number
  /** How much history the warehouse shall hold, milliseconds up to now. */
  readonly historyMs: number
  readonly now: () => number
  readonly signal?: AbortSignal
  /** `fraction` in [0, 1] of all that has to be loaded. */
  readonly onProgress?: (progress: { readonly events: number; readonly fraction: number }) => void
}

/**
 * Gives the warehouse the fleet's history up to now, straight into its tables (migrate it first), and resolves with
 * the number of events written.
 *
 * A load that was interrupted is finished as it was begun, with nothing stored twice; after a pause only what
 * happened since is added. Live traffic must not run at the same time. Rejects with the signal's reason when it
 * aborts, and with the AppError `WAREHOUSE_UNAVAILABLE` when the warehouse does not take the rows.
 */
export async function simulateHistory(options: HistoryOptions): Promise<{ readonly events: number }> {
  const { config, connection, signal, onProgress } = options
  const directory = config.data_directory
  const position = await readPosition(directory)
  const spans = missingHistory(position, { ...options, nowMs: Math.floor(options.now()) })
  const totalMs = spans.reduce((total, { fromMs, untilMs }) => total + untilMs - fromMs, 0)
  const client = createWarehouseClient(connection, 'keywatch-simulate')
  const privacy = createRecipientPrivacy(config)
  const toMessage = createMessageMaker(config)
  let events = 0
  let doneMs = 0
  try {
    for (const { fromMs, untilMs, seed, rate } of spans) {
      const history = { from_ms: fromMs, until_ms: untilMs, seed, rate }
      await writePosition(directory, { ...position, history: { ...history, complete: false } })
      const before = { events, doneMs }
      events += await loadEvents({
        client,
        privacy,
        toMessage,
        events: generateEvents({ profiles: defaultFleet, seed, rate, fromMs, toMs: untilMs }),
        name: `${seed}:${rate}:${fromMs}:${untilMs}`,
        ...(signal === undefined ? {} : { signal }),
        onProgress: (progress) =>
          onProgress?.({
            events: before.events + progress.events,
            fraction: (before.doneMs + progress.untilMs - fromMs) / totalMs,
          }),
      })
      doneMs += untilMs - fromMs
      await writePosition(directory, { ...position, history: { ...history, complete: true } })
    }
  } finally {
    await client.close()
  }
  onProgress?.({ events, fraction: 1 })
  return { events }
}

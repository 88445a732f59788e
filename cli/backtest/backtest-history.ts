import type { Config } from '#shared/config/config.ts'
import { AppError } from '#shared/runtime/app-error.ts'
import { createWarehouseClient } from '#shared/warehouse/client.ts'
import { warehouseConnection } from '#shared/warehouse/connection.ts'
import { eventsByArrival } from '#shared/warehouse/past-events-store.ts'
import { createBacktest, type BacktestRun, type BacktestSink } from './run-backtest.ts'

/** What is reported on the way: how much of the time is done, 0 to 1. */
export type HistorySink = BacktestSink & {
  readonly onProgress?: (fraction: number, events: number) => void
}

/**
 * Judges the warehouse's own events that arrived since `fromMs`, milliseconds. Keys are as they were attributed when
 * the events came. The engine starts without a past, as in a file. Throws the AppError `NOT_FOUND` where there is
 * none, `WAREHOUSE_UNAVAILABLE` where the warehouse does not answer.
 */
export async function backtestHistory(
  span: { readonly fromMs: number; readonly toMs: number },
  config: Config,
  sink: HistorySink,
): Promise<BacktestRun> {
  const backtest = createBacktest(config, sink)
  const client = createWarehouseClient(warehouseConnection(config), 'keywatch-backtest')
  let events = 0
  try {
    const answer = await client.ping({ select: true })
    if (!answer.success) throw unavailable(config.warehouse.url, answer.error)
    for await (const stored of eventsByArrival(client, span)) {
      for (const one of stored) backtest.add({ ...one, undated: false })
      events += stored.length
      const lastMs = stored.at(-1)?.event.receivedAtMs ?? span.fromMs
      sink.onProgress?.((lastMs - span.fromMs) / (span.toMs - span.fromMs), events)
    }
  } finally {
    await client.close()
  }
  if (events > 0) return backtest.finish()
  throw new AppError('NOT_FOUND', 'the warehouse holds no event of that time; ask for a longer one', {
    retriable: false,
  })
}

function unavailable(url: string, cause: unknown): AppError {
  return new AppError(
    'WAREHOUSE_UNAVAILABLE',
    `the warehouse at ${url} does not answer; start it (keywatch up) or correct warehouse.url`,
    { cause, retriable: true },
  )
}

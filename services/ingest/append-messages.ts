import type { Logger } from 'pino'
import type { EventLog } from '#shared/event-log/event-log.ts'
import { topics } from '#shared/event-log/topics.ts'
import { AppError } from '#shared/runtime/app-error.ts'
import type { IngestMetrics } from './metrics.ts'
import type { PreparedRequest } from './prepare-messages.ts'

/** `settled` resolves, and never rejects, when the log is through with the records, however late that is. */
export type AppendOutcome = { readonly durable: boolean; readonly settled: Promise<void> }
type Messages = Pick<PreparedRequest, 'events' | 'rejected'>
export type AppendMessages = (messages: Messages) => Promise<AppendOutcome>

/** The log of a failure once in a while is enough; the metric counts them all. */
const LOG_INTERVAL_MS = 5000

/**
 * Makes the step that appends a request's messages and waits until all of them are durable, or until `timeoutMs` have
 * passed. A failure or a late answer means unknown: the client is told to deliver again, and the detector drops
 * what it then has twice.
 */
export function createAppendMessages(deps: {
  readonly eventLog: Pick<EventLog, 'append'>
  readonly metrics: IngestMetrics
  readonly log: Logger
  readonly timeoutMs: number
}): AppendMessages {
  const { eventLog, metrics, log, timeoutMs } = deps
  let loggedAtMs = -Infinity

  const reportFailure = (reason: string, error?: unknown) => {
    metrics.appendFailed.inc({ reason })
    if (performance.now() - loggedAtMs < LOG_INTERVAL_MS) return
    loggedAtMs = performance.now()
    log.error({ reason, err: error }, 'the event log did not take a request; SendGrid will deliver it again')
  }

  return async function appendMessages({ events, rejected }) {
    const startedAtMs = performance.now()
    const appended = appendAll(eventLog, { events, rejected }).then(
      () => 'durable' as const,
      (error: unknown) => {
        reportFailure(error instanceof AppError ? error.code : 'unexpected', error)
        return 'failed' as const
      },
    )
    const settled = appended.then(() => undefined)
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(resolve, timeoutMs, 'late')
    })
    const outcome = await Promise.race([appended, late])
    clearTimeout(timer)
    if (outcome === 'late') reportFailure('timeout')
    if (outcome === 'durable') metrics.appendSeconds.observe((performance.now() - startedAtMs) / 1000)
    return { durable: outcome === 'durable', settled }
  }
}

async function appendAll(eventLog: Pick<EventLog, 'append'>, { events, rejected }: Messages) {
  if (rejected.length === 0) {
    if (events.length > 0) await eventLog.append(topics.events, events)
    return
  }
  await Promise.all([eventLog.append(topics.rejected, rejected), eventLog.append(topics.events, events)])
}

import { setTimeout as wait } from 'node:timers/promises'
import { ClickHouseError } from '@clickhouse/client'
import type { Logger } from 'pino'
import { AppError } from '#shared/runtime/app-error.ts'
import type { DetectorMetrics } from './metrics.ts'

const FIRST_PAUSE_MS = 200
const LONGEST_PAUSE_MS = 10_000

/** What one partition's worker retries with. */
export type RetryContext = {
  /** Aborts when the partition belongs to another member: then nothing more may be tried. */
  readonly lost: AbortSignal
  readonly log: Logger
  readonly metrics: Pick<DetectorMetrics, 'retries'>
}

/**
 * Tries until it succeeds, with growing pauses: a dependency that is away must not lose or double anything, and
 * giving up on an insert would leave unknown whether it landed. Ends early only when the partition is lost (rejects
 * with the AppError `PARTITION_LOST`) or the failure is not the dependency's.
 */
export async function untilDone<Answer>(
  what: string,
  work: () => Promise<Answer>,
  { lost, log, metrics }: RetryContext,
): Promise<Answer> {
  let pauseMs = FIRST_PAUSE_MS
  for (;;) {
    throwIfLost(lost)
    try {
      return await unlessLost(work(), lost)
    } catch (error) {
      throwIfLost(lost)
      if (!isDependencyFailure(error)) throw error
      metrics.retries.inc({ what })
      log.warn({ err: withoutData(error), what, pauseMs }, 'failed, trying again')
    }
    await wait(pauseMs, undefined, { signal: lost }).catch(() => undefined)
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
  }
}

/** The work's answer, or a rejection as soon as the partition is lost: what is under way must not hold up a stop. */
async function unlessLost<Answer>(work: Promise<Answer>, lost: AbortSignal): Promise<Answer> {
  let stop: () => void = () => undefined
  const ended = new Promise<never>((_, reject) => {
    stop = () => reject(partitionLost())
    lost.addEventListener('abort', stop, { once: true })
  })
  try {
    return await Promise.race([work, ended])
  } finally {
    lost.removeEventListener('abort', stop)
  }
}

export function throwIfLost(lost: AbortSignal): void {
  if (lost.aborted) throw partitionLost()
}

function partitionLost(): AppError {
  return new AppError('PARTITION_LOST', 'the partition belongs to another member of the group now', {
    retriable: false,
  })
}

/** Mistakes of this program are not cured by trying again. */
function isDependencyFailure(error: unknown): boolean {
  if (error instanceof AppError) return error.retriable
  if (error instanceof ClickHouseError) return true
  // The client reports broken connections and time-outs as plain errors, some with the system's code.
  return (
    error instanceof Error &&
    !(error instanceof TypeError || error instanceof RangeError || error.name === 'ZodError')
  )
}

/** ClickHouse quotes the row it could not read, and a row may name a recipient: only code and kind are logged. */
function withoutData(error: unknown): unknown {
  return error instanceof ClickHouseError ? { type: error.type, code: error.code } : error
}

import { setTimeout as wait } from 'node:timers/promises'
import { webhookHeaders } from './webhook-request.ts'
import type { SimulatorKeys, SimulatorSource } from './sources.ts'

/** A request that ingest did not accept; it is posted again after `retryInMs`. */
export type DeliveryProblem = {
  readonly source: SimulatorSource
  /** Absent when there was no answer at all. */
  readonly status: number | undefined
  readonly retryInMs: number
}

/** Resolves true once ingest accepted the body, false when the simulation was stopped before. */
export type Post = (source: SimulatorSource, body: string) => Promise<boolean>

const REQUEST_TIMEOUT_MS = 10_000
/** After a stop the request in flight may still be answered for this long. */
const STOP_GRACE_MS = 1000
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000

/** Posts to `<ingestUrl>/v1/webhooks/sendgrid/<source>`, signed anew at each try, until a 2xx answer. */
export function createPoster(options: {
  readonly ingestUrl: string
  readonly keys: SimulatorKeys
  readonly signal: AbortSignal
  readonly now: () => number
  readonly onProblem: (problem: DeliveryProblem) => void
}): Post {
  const { ingestUrl, keys, signal, now, onProblem } = options
  return async (source, body) => {
    const url = new URL(`/v1/webhooks/sendgrid/${source}`, ingestUrl)
    let pauseMs = FIRST_PAUSE_MS
    while (!signal.aborted) {
      const status = await postOnce(url, { body, headers: webhookHeaders(keys[source], body, now()), signal })
      if (status !== undefined && status >= 200 && status < 300) return true
      if (signal.aborted) return false
      onProblem({ source, status, retryInMs: pauseMs })
      await wait(pauseMs, undefined, { signal }).catch(() => undefined)
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
    }
    return false
  }
}

/** The status of the answer; undefined when there was none in time. */
async function postOnce(
  url: URL,
  request: { readonly body: string; readonly headers: Record<string, string>; readonly signal: AbortSignal },
): Promise<number | undefined> {
  const { body, headers, signal } = request
  const giveUp = new AbortController()
  let timer = setTimeout(() => giveUp.abort(), REQUEST_TIMEOUT_MS)
  const hurry = () => {
    clearTimeout(timer)
    timer = setTimeout(() => giveUp.abort(), STOP_GRACE_MS)
  }
  signal.addEventListener('abort', hurry, { once: true })
  try {
    const response = await fetch(url, {
      method: 'POST',
      body,
      headers,
      signal: giveUp.signal,
      redirect: 'manual',
    })
    // An answer left unread would keep its connection.
    await response.arrayBuffer()
    return response.status
  } catch (error) {
    // No connection, no answer in time: SendGrid tries again, whatever the reason. A bug is not hidden by it.
    if (error instanceof TypeError || (error instanceof Error && error.name === 'AbortError'))
      return undefined
    throw error
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', hurry)
  }
}

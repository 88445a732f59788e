import { setTimeout as delay } from 'node:timers/promises'
import { AppError } from '#shared/runtime/app-error.ts'

const POLL_MS = 100
const TRY_TIMEOUT_MS = 2000

/** Resolves when the address answers with a 2xx; rejects at the deadline, or when `signal` aborts. */
export async function untilAnswers(
  url: URL,
  options: { readonly deadlineMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const startedAt = performance.now()
  let last = 'no answer'
  while (performance.now() - startedAt < options.deadlineMs) {
    options.signal.throwIfAborted()
    try {
      const answer = await fetch(url, {
        signal: AbortSignal.any([options.signal, AbortSignal.timeout(TRY_TIMEOUT_MS)]),
      })
      const body = await answer.text()
      if (answer.ok) return
      last = `${answer.status} ${body.slice(0, 200)}`
    } catch (error) {
      last = error instanceof Error ? error.message : String(error)
    }
    await delay(POLL_MS, undefined, { signal: options.signal })
  }
  throw new AppError(
    'SERVICE_FAILED',
    `${url.href} was not ready within ${options.deadlineMs / 1000} s (${last}); the lines above say why, or start again with --verbose.`,
    { retriable: true },
  )
}

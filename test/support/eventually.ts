import { setTimeout as wait } from 'node:timers/promises'

const FIRST_PAUSE_MS = 10
const LONGEST_PAUSE_MS = 250

/**
 * Runs `check` until it neither throws nor answers false, and resolves with its answer.
 *
 * Fails `timeoutMs` after the call with `what` and the last failure. This is the only way in which a test
 * waits: a fixed sleep is too short on a busy machine and too long on an idle one.
 */
export async function eventually<Answer>(
  check: () => Answer | Promise<Answer>,
  options: { readonly timeoutMs: number; readonly what: string },
): Promise<Answer> {
  const deadline = performance.now() + options.timeoutMs
  let pauseMs = FIRST_PAUSE_MS
  for (;;) {
    let failure: unknown
    try {
      const answer = await check()
      if (answer !== false) return answer
    } catch (error) {
      failure = error
    }
    if (performance.now() >= deadline) {
      const last = failure instanceof Error ? failure.message : 'the check answered false'
      throw new Error(`not within ${options.timeoutMs} ms: ${options.what} (last: ${last})`, {
        cause: failure,
      })
    }
    await wait(pauseMs)
    pauseMs = Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS)
  }
}

const FIRST_DELAY_MS = 500
/** A channel that comes back is noticed within a minute. */
export const BACKOFF_MAX_MS = 60_000
/** A channel may ask for a longer pause, but a mistaken header must not silence it for a day. */
const RETRY_AFTER_MAX_MS = 15 * 60_000

/**
 * Milliseconds to wait after the failed try number `attempt` (from 0): doubling, at most a minute, the upper
 * half of it random so that channels that failed together do not come back together. A channel's own
 * `retryAfterMs` is respected up to 15 minutes.
 */
export function backoffMs(attempt: number, random: () => number, retryAfterMs = 0): number {
  const longest = Math.min(FIRST_DELAY_MS * 2 ** attempt, BACKOFF_MAX_MS)
  const delay = longest / 2 + (longest / 2) * random()
  return Math.max(delay, Math.min(retryAfterMs, RETRY_AFTER_MAX_MS))
}

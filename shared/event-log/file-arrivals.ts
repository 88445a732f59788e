import type { FileStore } from './file-store.ts'

/** How often another process's appends are looked for while a reader waits: one small look-up each time. */
const POLL_INTERVAL_MS = 15

/** Lets readers wait for records: those of this process are seen at once, others within a poll. */
export type Arrivals = {
  /** Names the present state of the log; take it before looking for records. */
  mark(): number
  /** Waits until something was appended after `mark`, `waitMs` have passed, or `lost` aborts. */
  after(mark: number, waitMs: number, lost: AbortSignal): Promise<void>
  /** Tells that this process has appended. */
  notify(): void
}

export function createArrivals(store: FileStore): Arrivals {
  const waiting = new Map<() => void, number>()
  let poll: NodeJS.Timeout | undefined

  const mark = () => {
    store.refresh()
    return store.counter('appends')
  }
  const notify = () => {
    if (waiting.size === 0) return
    const appends = mark()
    for (const [wake, seen] of waiting) if (seen !== appends) wake()
  }
  return {
    mark,
    notify,
    after(seen, waitMs, lost) {
      if (lost.aborted) return Promise.resolve()
      return new Promise((resolve) => {
        const wake = () => {
          waiting.delete(wake)
          clearTimeout(timer)
          lost.removeEventListener('abort', wake)
          if (waiting.size === 0) {
            clearInterval(poll)
            poll = undefined
          }
          resolve()
        }
        const timer = setTimeout(wake, waitMs)
        lost.addEventListener('abort', wake)
        waiting.set(wake, seen)
        poll ??= setInterval(notify, POLL_INTERVAL_MS)
      })
    },
  }
}

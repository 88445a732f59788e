import { exception } from './clickhouse-error.ts'

export type SlotLimits = {
  /** Statements that run at once. */
  readonly running: number
  /** Reads among them; fewer than `running`, so that long reads never keep an insert waiting. */
  readonly runningReads: number
  /** Statements that may wait for their turn. */
  readonly waiting: number
}

export type QuerySlots = {
  /**
   * Waits for a turn and resolves with the function that gives it back. Rejects with ClickHouse's
   * TOO_MANY_SIMULTANEOUS_QUERIES at once when too many wait, and with the signal's reason when it fires first.
   */
  readonly take: (kind: 'read' | 'write', signal?: AbortSignal) => Promise<() => void>
}

type Waiting = { readonly kind: 'read' | 'write'; readonly start: () => void }

/** Bounds how many statements run and wait; writes pass waiting reads, otherwise first come, first served. */
export function createQuerySlots(limits: SlotLimits): QuerySlots {
  const running = { read: 0, write: 0 }
  const queue: Waiting[] = []

  const isFree = (kind: 'read' | 'write') =>
    running.read + running.write < limits.running && (kind === 'write' || running.read < limits.runningReads)

  const startWaiting = () => {
    for (let index = 0; index < queue.length;) {
      const next = queue[index]
      if (next === undefined || !isFree(next.kind)) index += 1
      else queue.splice(index, 1)[0]?.start()
    }
  }

  const start = (kind: 'read' | 'write') => {
    running[kind] += 1
    let given = false
    return () => {
      if (given) return
      given = true
      running[kind] -= 1
      startWaiting()
    }
  }

  const take = async (kind: 'read' | 'write', signal?: AbortSignal) => {
    signal?.throwIfAborted()
    if (isFree(kind)) return start(kind)
    if (queue.length >= limits.waiting) {
      throw exception(202, `Too many simultaneous queries: ${limits.running} run and ${limits.waiting} wait`)
    }
    return new Promise<() => void>((resolve, reject) => {
      const waiting: Waiting = {
        kind,
        start: () => {
          signal?.removeEventListener('abort', onAbort)
          resolve(start(kind))
        },
      }
      const onAbort = () => {
        const index = queue.indexOf(waiting)
        if (index !== -1) queue.splice(index, 1)
        reject(signal?.reason instanceof Error ? signal.reason : new Error('the request was given up'))
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      queue.push(waiting)
    })
  }
  return { take }
}

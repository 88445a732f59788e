/** Lets any number of callers wait until something happened. */
export class Wakeups {
  readonly #waiting = new Set<() => void>()

  /** Waits until `wakeAll`, until `waitMs` have passed, or until `signal` aborts; it never rejects. */
  async wait(waitMs: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    await new Promise<void>((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake)
        clearTimeout(timer)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      const timer = setTimeout(wake, waitMs)
      signal.addEventListener('abort', wake)
      this.#waiting.add(wake)
    })
  }

  wakeAll(): void {
    for (const wake of this.#waiting) wake()
  }
}

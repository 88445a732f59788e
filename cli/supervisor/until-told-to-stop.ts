export type ToldToStop = {
  /** Resolves at the first SIGINT or SIGTERM, or when `fail` is called. */
  readonly promise: Promise<void>
  readonly signal: AbortSignal
  /** Undefined until told; `failure` is absent when a person asked for the stop. */
  readonly reason: () => { readonly failure?: string } | undefined
  readonly fail: (failure: string) => void
}

/**
 * Waits for the person or the orchestrator to end the process.
 *
 * A terminal's Ctrl-C may arrive twice, from the terminal and again from npm, so later signals are ignored: the
 * stop that is under way has a deadline of its own.
 */
export function untilToldToStop(): ToldToStop {
  const controller = new AbortController()
  let reason: { readonly failure?: string } | undefined
  const end = (why: { readonly failure?: string }) => {
    reason ??= why
    controller.abort()
  }
  const promise = new Promise<void>((resolve) => {
    controller.signal.addEventListener('abort', () => resolve(), { once: true })
  })
  process.on('SIGINT', () => end({}))
  process.on('SIGTERM', () => end({}))
  return { promise, signal: controller.signal, reason: () => reason, fail: (failure) => end({ failure }) }
}

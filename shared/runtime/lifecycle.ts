/** Ends a running part: finishes what was accepted, then frees its resources. Calling it twice is harmless. */
export type Stop = () => Promise<void>

/**
 * Starts parts in order and returns one `stop` that ends them in reverse order.
 *
 * If a part fails to start, those already running are stopped and the failure is rethrown. A part that
 * fails to stop does not keep the rest from stopping; all such failures are reported together.
 */
export async function startAll(...starts: readonly (() => Promise<Stop>)[]): Promise<Stop> {
  const running: Stop[] = []
  const stopAll = async () => {
    const failures: unknown[] = []
    for (let stop = running.pop(); stop !== undefined; stop = running.pop()) {
      await stop().catch((error: unknown) => failures.push(error))
    }
    if (failures.length > 0) throw new AggregateError(failures, 'some parts did not stop cleanly')
  }
  for (const start of starts) {
    try {
      running.push(await start())
    } catch (error) {
      await stopAll()
      throw error
    }
  }
  let stopping: Promise<void> | undefined
  return () => (stopping ??= stopAll())
}

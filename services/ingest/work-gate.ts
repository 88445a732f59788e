export type WorkGate = {
  /** Does the work when its turn has come, and answers what it answers. */
  readonly run: <Answer>(bytes: number, work: () => Promise<Answer>) => Promise<Answer>
}

/**
 * Bounds how much is worked on at a time, by bytes, first come, first served; what exceeds the limit by itself is done
 * alone.
 *
 * A body that is parsed takes up to fifty times its bytes: five megabytes hold 1.7 million `{}`. A dozen of those at
 * once would end the process; one after the other they are a few hundred megabytes.
 */
export function createWorkGate(limitBytes: number): WorkGate {
  let usedBytes = 0
  const waiting: { readonly bytes: number; readonly start: () => void }[] = []

  const fits = (bytes: number) => usedBytes === 0 || usedBytes + bytes <= limitBytes
  const startWaiting = () => {
    for (let next = waiting[0]; next !== undefined && fits(next.bytes); next = waiting[0]) {
      waiting.shift()
      usedBytes += next.bytes
      next.start()
    }
  }
  return {
    async run(bytes, work) {
      if (waiting.length === 0 && fits(bytes)) usedBytes += bytes
      else await new Promise<void>((start) => waiting.push({ bytes, start }))
      try {
        return await work()
      } finally {
        usedBytes -= bytes
        startWaiting()
      }
    },
  }
}

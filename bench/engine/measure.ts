import { z } from 'zod'

/** Heap and array buffers after garbage collection, bytes. Needs --expose-gc. */
export function usedBytes(): number {
  const { gc } = globalThis
  if (gc === undefined) throw new Error('start with --expose-gc')
  // The first run frees what finalisers hold; the second what they let go.
  gc()
  gc()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** Adds up the CPU time of pieces of work, all threads of the process. */
export function createStopwatch() {
  let microseconds = 0
  return {
    time: (work: () => void) => {
      const before = process.cpuUsage()
      work()
      const { user, system } = process.cpuUsage(before)
      microseconds += user + system
    },
    seconds: () => microseconds / 1e6,
  }
}

export const scaleFiguresSchema = z.object({
  keys: z.number(),
  hours: z.number(),
  events: z.number(),
  /** CPU seconds for the events, with the hourly work on every key … */
  seconds: z.number(),
  /** … and for that work alone. */
  hourlySeconds: z.number(),
  counterSeconds: z.number(),
  /** A live key on average: when brought back from its state, and after the measured time. */
  bytesRestored: z.number(),
  bytesAfter: z.number(),
  peakMib: z.number(),
})
/** One number of live keys. */
export type ScaleFigures = z.output<typeof scaleFiguresSchema>

export const keyFiguresSchema = z.object({
  keys: z.number(),
  events: z.number(),
  /** CPU seconds for a month of events of few keys, with everything that they bring about. */
  seconds: z.number(),
  counterSeconds: z.number(),
  /** A key that grew by a month of events, on average. */
  bytesGrown: z.number(),
  perKey: z.array(
    z.object({
      key: z.string(),
      events: z.number(),
      /** Of one copy among many, alive; and of its state as text. */
      liveBytes: z.number(),
      savedCharacters: z.number(),
    }),
  ),
})
/** What single keys take. */
export type KeyFigures = z.output<typeof keyFiguresSchema>

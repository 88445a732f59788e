import type { EngineEvent } from '#shared/detection/engine-input.ts'

const HOUR_SECONDS = 3600

export type PlainCounter = ReturnType<typeof createPlainCounter>

/** What the machine allows for the least that could be done with an event: one more in its key's hour. */
export function createPlainCounter() {
  const sources = new Map<string, Map<string, Map<number, number>>>()
  return {
    feed: ({ source, key, timestamp }: EngineEvent) => {
      let keys = sources.get(source)
      if (keys === undefined) sources.set(source, (keys = new Map()))
      let hours = keys.get(key)
      if (hours === undefined) keys.set(key, (hours = new Map()))
      const hour = Math.floor(timestamp / HOUR_SECONDS)
      hours.set(hour, (hours.get(hour) ?? 0) + 1)
    },
    /** Events of all keys and hours. */
    total: () =>
      [...sources.values()]
        .flatMap((keys) => [...keys.values()])
        .flatMap((hours) => [...hours.values()])
        .reduce((sum, count) => sum + count, 0),
  }
}

import type { Alert } from '#shared/domain/alert.ts'
import type { EngineEvent, StoredKey } from '#shared/detection/engine-input.ts'

/** What the warehouse would hold about a key after these events and alert changes; the reference for its queries. */
export function storedKeyOf(
  events: readonly EngineEvent[],
  changes: readonly Alert[],
  { source, key, minute }: { source: string; key: string; minute: number },
): StoredKey {
  const own = events.filter((event) => event.source === source && event.key === key)
  const minutes = new Map<number, number>()
  for (const event of own) {
    const at = Math.floor(event.timestamp / 60)
    minutes.set(at, (minutes.get(at) ?? 0) + 1)
  }
  const hours = new Map<number, number>()
  for (const [at, messages] of minutes) {
    const hour = Math.floor(at / 60)
    hours.set(hour, (hours.get(hour) ?? 0) + messages)
  }
  const windowSum = (end: number, length: number) => {
    let sum = 0
    for (let at = end - length + 1; at <= end; at += 1) sum += minutes.get(at) ?? 0
    return sum
  }
  const latest = new Map<string, Alert>()
  for (const change of changes) {
    if (change.source === source && change.key === key) latest.set(change.alert_id, change)
  }
  return {
    source,
    key,
    firstSeen: own.length === 0 ? undefined : Math.min(...own.slice(0, 1000).map((event) => event.timestamp)),
    minute,
    hours: [...hours].map(([hour, messages]) => ({ hour, messages })),
    shapes: [...hours.keys()].map((hour) => {
      const inHour = Array.from({ length: 60 }, (_, index) => hour * 60 + index)
      const busy = inHour.filter((end) => minutes.has(end))
      const largest = (length: number) => Math.max(...busy.map((end) => windowSum(end, length)))
      const pairs = (counts: number[]) => counts.reduce((sum, count) => sum + count * (count - 1), 0)
      return {
        hour,
        peaks: [largest(1), largest(10), largest(60)] as const,
        pairs: [
          pairs(inHour.map((end) => windowSum(end, 1))),
          pairs(inHour.filter((end) => end % 10 === 9).map((end) => windowSum(end, 10))),
        ] as const,
      }
    }),
    minutes: [...minutes].map(([at, messages]) => ({ minute: at, messages })),
    alerts: [...latest.values()],
  }
}

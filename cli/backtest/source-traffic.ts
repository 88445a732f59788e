import type { SourceTraffic } from '#shared/detection/source-silence.ts'

/** Five weeks, as the warehouse is asked for. */
const HISTORY_HOURS = 5 * 7 * 24
const HOUR_SECONDS = 3600
/** A source that sent within this time is not silent; to look at it again each minute would only cost time. */
const QUIET_SECONDS_MIN = 120

type HourCounts = {
  lastSeen: number
  latestHour: number
  readonly counts: Uint32Array
  /** The longest pause that ended in each hour, minutes. */
  readonly gaps: Uint16Array
}

const GAP_MAX = 65_535

/** Events per hour of each source, all types together, in event time. */
export type SourceCounts = {
  readonly count: (source: string, timestamp: number) => void
  /**
   * Sources that may be silent at this time (seconds), because two of their busiest hours would have sent `dueMin`
   * events since their last one, and those that are asked for by name.
   */
  readonly quietAt: (
    nowSeconds: number,
    given: { readonly dueMin: number; readonly names: ReadonlySet<string> },
  ) => SourceTraffic[]
}

export function createSourceCounts(): SourceCounts {
  const sources = new Map<string, HourCounts>()
  return {
    count: (source, timestamp) => {
      const hour = Math.floor(timestamp / HOUR_SECONDS)
      let own = sources.get(source)
      if (own === undefined) {
        own = {
          lastSeen: timestamp,
          latestHour: hour,
          counts: new Uint32Array(HISTORY_HOURS),
          gaps: new Uint16Array(HISTORY_HOURS),
        }
        sources.set(source, own)
      }
      const gap = Math.min(GAP_MAX, Math.floor(timestamp / 60) - Math.floor(own.lastSeen / 60))
      if (timestamp > own.lastSeen) own.lastSeen = timestamp
      if (hour > own.latestHour) moveTo(own, hour)
      if (hour <= own.latestHour - HISTORY_HOURS) return
      const cell = hour % HISTORY_HOURS
      own.counts[cell] = (own.counts[cell] ?? 0) + 1
      if (gap > (own.gaps[cell] ?? 0)) own.gaps[cell] = gap
    },
    quietAt: (nowSeconds, { dueMin, names }) => {
      const quiet: SourceTraffic[] = []
      for (const [source, own] of sources) {
        // Its history is asked for only when it may matter.
        const quietSeconds = nowSeconds - own.lastSeen
        if (!names.has(source)) {
          if (quietSeconds < QUIET_SECONDS_MIN) continue
          if ((2 * peakOf(own) * quietSeconds) / HOUR_SECONDS < dueMin) continue
        }
        quiet.push({ source, lastSeen: own.lastSeen, hours: hoursOf(own) })
      }
      return quiet
    },
  }
}

function peakOf({ counts }: HourCounts): number {
  let peak = 0
  for (const events of counts) if (events > peak) peak = events
  return peak
}

/** The ring's cells between the last hour and this one are of five weeks ago. */
function moveTo(own: HourCounts, hour: number) {
  const steps = Math.min(hour - own.latestHour, HISTORY_HOURS)
  for (let step = 0; step < steps; step++) {
    const cell = (hour - step) % HISTORY_HOURS
    own.counts[cell] = 0
    own.gaps[cell] = 0
  }
  own.latestHour = hour
}

function hoursOf({ latestHour, counts, gaps }: HourCounts): SourceTraffic['hours'] {
  const hours: SourceTraffic['hours'][number][] = []
  for (let hour = Math.max(0, latestHour - HISTORY_HOURS + 1); hour <= latestHour; hour++) {
    const cell = hour % HISTORY_HOURS
    const events = counts[cell] ?? 0
    if (events > 0) hours.push({ hour, events, gapMinutes: gaps[cell] ?? 0 })
  }
  return hours
}

import { HOURS_PER_DAY } from '../clock.ts'
import { expectedIn, type Baseline } from './baseline.ts'
import type { DetectionSettings } from '../detection-settings.ts'
import { messagesIn, scales, type KeyHistory } from './key-history.ts'
import { criticalCount, surpriseOf, type CountDistribution } from '../statistics/negative-binomial.ts'

/** A window that holds more than it may: the first one found, shortest scale first. */
export type Excess = {
  readonly scaleIndex: 0 | 1 | 2
  /** The last minute of the window, in minutes since the epoch. */
  readonly endMinute: number
  readonly observed: number
  readonly distribution: CountDistribution
  readonly surprise: number
}

/**
 * For each scale the count at which a window is an excess, for one minute's windows. Worked out once a minute at
 * most, so that an event costs a few additions and comparisons.
 */
export type Limits = {
  readonly minute: number
  readonly counts: readonly [number, number, number]
}

const SCALE_INDEXES = [0, 1, 2] as const
/** A key without a day behind it is judged at ten minutes only, by a fixed count. */
const YOUNG_SCALE_INDEX = 1
/** Times its own largest window, of which it may have shown one. */
const YOUNG_OVER_OWN_PEAK = 2

/** Whether the key has too short a history for a baseline, so that the burst rule stands in for it. */
export function isYoung(baseline: Baseline): boolean {
  return baseline.trainedHours < HOURS_PER_DAY
}

/** The distribution of a window's count when nothing is wrong. */
export function windowDistribution(
  baseline: Baseline,
  endMinute: number,
  scaleIndex: 0 | 1 | 2,
): CountDistribution {
  return {
    mean: expectedIn(baseline, endMinute, scales[scaleIndex]),
    dispersion: baseline.dispersions[scaleIndex],
  }
}

export function limitsFor(baseline: Baseline, minute: number, settings: DetectionSettings): Limits {
  const limit = (scaleIndex: 0 | 1 | 2) => {
    if (isYoung(baseline)) {
      const burst = Math.max(settings.youngKeyBurst, baseline.peaks[scaleIndex] * YOUNG_OVER_OWN_PEAK)
      return scaleIndex === YOUNG_SCALE_INDEX ? Math.ceil(burst) : Infinity
    }
    const distribution = windowDistribution(baseline, minute, scaleIndex)
    const floor = floorFor(baseline, { mean: distribution.mean, peak: baseline.peaks[scaleIndex] }, settings)
    // The floors often lie beyond the tail already; the search for the tail's count is the dear part.
    if (surpriseOf(floor, distribution) >= settings.openingSurprise) return floor
    return Math.max(floor, criticalCount(distribution, settings.openingSurprise))
  }
  return { minute, counts: [limit(0), limit(1), limit(2)] }
}

function floorFor(
  baseline: Baseline,
  { mean, peak }: { mean: number; peak: number },
  settings: DetectionSettings,
): number {
  return Math.ceil(
    Math.max(
      mean + settings.excessMin,
      mean + settings.excessOfBusyHour * baseline.busyHour,
      mean * settings.ratioMin,
      peak * settings.overOwnPeak + 1,
    ),
  )
}

/** The first window ending with `endMinute` that is over its limit, or nothing. */
export function findExcess(
  history: KeyHistory,
  given: { baseline: Baseline; limits: Limits; endMinute: number; fromMinute: number },
): Excess | undefined {
  const { baseline, limits, endMinute, fromMinute } = given
  for (const scaleIndex of SCALE_INDEXES) {
    const length = scales[scaleIndex]
    const observed = messagesIn(history, { endMinute, length, fromMinute })
    if (observed < limits.counts[scaleIndex]) continue
    const distribution = windowDistribution(baseline, endMinute, scaleIndex)
    return { scaleIndex, endMinute, observed, distribution, surprise: surpriseOf(observed, distribution) }
  }
  return undefined
}

/** Minutes within a burst that may be empty or usual without ending it. */
const PAUSE_MINUTES_MAX = 2
/** Times what is expected that a minute must hold to belong to the burst. */
const BURST_MINUTE_RATIO = 1.5
const LOOK_BACK_MINUTES = 60

/**
 * The first minute of the burst that an excess belongs to: back from the window's end over minutes that hold more
 * than usual. It does not depend on which scale noticed first, so that a restart finds the same start.
 */
export function startOfBurst(
  history: KeyHistory,
  given: { baseline: Baseline; endMinute: number; fromMinute: number },
): number {
  const { baseline, endMinute } = given
  const oldest = Math.max(given.fromMinute, endMinute - LOOK_BACK_MINUTES + 1)
  let start = endMinute
  for (let minute = endMinute; minute >= oldest && start - minute <= PAUSE_MINUTES_MAX; minute -= 1) {
    const count = messagesIn(history, { endMinute: minute, length: 1, fromMinute: given.fromMinute })
    const expected = minute >= baseline.hour * 60 ? baseline.mean / 60 : baseline.meanBefore / 60
    if (count > 0 && count > BURST_MINUTE_RATIO * expected) start = minute
  }
  return start
}

import { HOURS_PER_DAY, hourOfWeek } from '../clock.ts'
import {
  SHAPE_HOURS,
  clusteringOf,
  isTrained,
  messagesInHour,
  peakOf,
  scales,
  SETTLING_HOURS,
  type KeyHistory,
} from './key-history.ts'
import { seasonOf, trainingHours } from './season.ts'

/**
 * Dispersion assumed before a key has shown its own, and how many hours of its own outweigh it. Mail is bursty:
 * 0.25 lets an hour be off by half its size either way as a matter of course.
 */
const DISPERSION_PRIOR = 0.25
const DISPERSION_PRIOR_HOURS = 48
/** Clustering within the hour assumed at 1 and at 10 minutes (1 = even), and its weight in hours. */
const CLUSTERING_PRIOR = [1.5, 1.3] as const
const CLUSTERING_PRIOR_HOURS = 12
/** The season was fitted to the very hours the dispersion is measured on, which makes it look smaller than it is. */
const FIT_CORRECTION = 1.3
const DISPERSION_MAX = 20

/** Fewer active days than this: the alert says "still learning", and the spread is widened. */
export const LEARNING_DAYS = 7
/** Added to the dispersion on the first active day, and divided by the number of days after it. */
const LEARNING_DISPERSION = 3

/** A key that sends this share of its messages in one hour of twenty works in bursts (newsletters, batches). */
const BURST_SHARE = 0.8
const BURST_HOURS_SHARE = 0.05

/** What is usual for a key around one hour. A pure function of the settled hours before it. */
export type Baseline = {
  readonly hour: number
  /** Messages expected in the hour before and in this hour. */
  readonly meanBefore: number
  readonly mean: number
  /** Dispersion of a window's count at each scale. */
  readonly dispersions: readonly [number, number, number]
  /** The largest windows that this key itself has had at this time of day, or at any time if it works in bursts. */
  readonly peaks: readonly [number, number, number]
  /** Expected in the busiest hour of the week. */
  readonly busyHour: number
  readonly activeDays: number
  readonly trainedHours: number
  readonly burstKey: boolean
}

export function baselineOf(history: KeyHistory, hour: number): Baseline {
  const { hourlyMeans, activeDays, trainedHours } = seasonOf(history, hour)
  const hourly = hourlyDispersion(history, { hour, hourlyMeans, activeDays })
  const burstKey = worksInBursts(history, hour)
  const within = (scaleIndex: 0 | 1) =>
    // Var of a window: the hour varies, and the window's share of the hour varies on top of it.
    Math.min(DISPERSION_MAX, (1 + hourly) * clusteringWithin(history, hour, scaleIndex) - 1)
  return {
    hour,
    meanBefore: hourlyMeans[hourOfWeek(hour - 1)] ?? 0,
    mean: hourlyMeans[hourOfWeek(hour)] ?? 0,
    dispersions: [within(0), within(1), hourly],
    peaks: peaksAround(history, hour, burstKey || activeDays < LEARNING_DAYS),
    busyHour: hourlyMeans.reduce((largest, mean) => Math.max(largest, mean), 0),
    activeDays,
    trainedHours,
    burstKey,
  }
}

/** Messages expected in the `length` ≤ 60 minutes that end with `endMinute`, in the baseline's hour or the one before. */
export function expectedIn(baseline: Baseline, endMinute: number, length: number): number {
  const minutesInHour = Math.max(0, Math.min(length, endMinute - baseline.hour * 60 + 1))
  return (minutesInHour * baseline.mean + (length - minutesInHour) * baseline.meanBefore) / 60
}

/** The method of moments over past hours, shrunk to the prior; wider for a young key. */
function hourlyDispersion(
  history: KeyHistory,
  given: { hour: number; hourlyMeans: Float64Array; activeDays: number },
): number {
  let excess = 0
  let squares = 0
  let hours = 0
  for (const past of trainingHours(history, given.hour)) {
    const mean = given.hourlyMeans[hourOfWeek(past)] ?? 0
    const count = messagesInHour(history, past)
    excess += (count - mean) ** 2 - mean
    squares += mean ** 2
    if (count > 0) hours += 1
  }
  const own = squares === 0 ? 0 : Math.max(0, (FIT_CORRECTION * excess) / squares)
  const shrunk = (hours * own + DISPERSION_PRIOR_HOURS * DISPERSION_PRIOR) / (hours + DISPERSION_PRIOR_HOURS)
  const learning = given.activeDays < LEARNING_DAYS ? LEARNING_DISPERSION / Math.max(1, given.activeDays) : 0
  return Math.min(DISPERSION_MAX, shrunk + learning)
}

function clusteringWithin(history: KeyHistory, hour: number, scaleIndex: 0 | 1): number {
  let pairs = 0
  let evenPairs = 0
  let hours = 0
  for (const past of shapeHours(history, hour)) {
    const messages = messagesInHour(history, past)
    if (messages < 2) continue
    const even = messages * (messages - 1)
    pairs += even * clusteringOf(history, past, scaleIndex)
    evenPairs += even
    hours += 1
  }
  const own = evenPairs === 0 ? 1 : pairs / evenPairs
  const prior = CLUSTERING_PRIOR[scaleIndex]
  return Math.max(1, (hours * own + CLUSTERING_PRIOR_HOURS * prior) / (hours + CLUSTERING_PRIOR_HOURS))
}

function peaksAround(history: KeyHistory, hour: number, anyTime: boolean): [number, number, number] {
  const peaks: [number, number, number] = [0, 0, 0]
  for (const past of shapeHours(history, hour)) {
    const apart = (((past - hour) % HOURS_PER_DAY) + HOURS_PER_DAY) % HOURS_PER_DAY
    if (!anyTime && apart > 1 && apart < HOURS_PER_DAY - 1) continue
    for (const index of scales.keys()) {
      const peak = peakOf(history, past, index)
      if (peak > (peaks[index] ?? 0)) peaks[index] = peak
    }
  }
  return peaks
}

function worksInBursts(history: KeyHistory, hour: number): boolean {
  const counts: number[] = []
  let hours = 0
  let sum = 0
  for (const past of trainingHours(history, hour)) {
    const messages = messagesInHour(history, past)
    hours += 1
    sum += messages
    if (messages > 0) counts.push(messages)
  }
  const top = Math.ceil(hours * BURST_HOURS_SHARE)
  const inTop = counts
    .sort((a, b) => b - a)
    .slice(0, top)
    .reduce((total, count) => total + count, 0)
  return sum > 0 && inTop >= BURST_SHARE * sum
}

function* shapeHours(history: KeyHistory, hour: number): Generator<number> {
  const newest = Math.min(hour - SETTLING_HOURS, history.settledHour)
  const oldest = Math.max(history.settledHour - SHAPE_HOURS + 1, history.firstHour)
  for (let past = oldest; past <= newest; past += 1) if (isTrained(history, past)) yield past
}

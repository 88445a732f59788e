import type { CountDistribution } from '../statistics/negative-binomial.ts'
import { surpriseOf } from '../statistics/negative-binomial.ts'

/**
 * Significant is not important: what a window may count for grows with how many times the usual it holds. The usual
 * is what is expected or the key's own largest window, whichever is more. A page takes about 6 points.
 */
const RATIO_CAPS = [
  [1.25, 1],
  [1.5, 2],
  [3, 4],
  [6, 8],
] as const
/** 30 messages too many count for 2, 200 for 6, 600 for 8. */
const EXCESS_UNIT = 30
const EXCESS_POINTS = 2
const EXCESS_SLOPE = 1.4

/** The most that a window's count can be worth. */
export function capOf(observed: number, usual: number): number {
  const excess = observed - usual
  if (excess <= 0) return 0
  const byExcess = EXCESS_POINTS + EXCESS_SLOPE * Math.log2(excess / EXCESS_UNIT)
  return Math.max(0, Math.min(stepsBetween(RATIO_CAPS, observed / Math.max(usual, 1)), byExcess))
}

/** The value between the steps (ratio, points) of a table, straight in the ratio's logarithm; 0 below the first. */
export function stepsBetween(table: readonly (readonly [number, number])[], ratio: number): number {
  let lower = table[0]
  if (lower === undefined || ratio < lower[0]) return 0
  for (const upper of table) {
    if (ratio < upper[0]) {
      const share = Math.log(ratio / lower[0]) / Math.log(upper[0] / lower[0])
      return lower[1] + share * (upper[1] - lower[1])
    }
    lower = upper
  }
  return lower[1]
}

/** Surprise, as far as its effect allows. */
export function excessPoints(observed: number, distribution: CountDistribution, usual: number): number {
  const cap = capOf(observed, usual)
  return cap <= 0 ? 0 : Math.min(cap, surpriseOf(observed, distribution))
}

/** Messages at a sleeping hour: two are a retry, ten are news, and each doubling is worth as much as the last. */
const OFF_HOURS_NOTHING = 2
const OFF_HOURS_UNIT = 10
const OFF_HOURS_POINTS = 3
const OFF_HOURS_SLOPE = 1.25
const OFF_HOURS_FAMILIAR_SLOPE = 1
const OFF_HOURS_MAX = 7
/** Night traffic comes in clumps. */
const OFF_HOURS_DISPERSION = 3

export function offHoursPoints(observed: number, mean: number, familiar: boolean): number {
  if (observed <= OFF_HOURS_NOTHING) return 0
  const slope = familiar ? OFF_HOURS_FAMILIAR_SLOPE : OFF_HOURS_SLOPE
  const cap = OFF_HOURS_POINTS + slope * Math.log2(observed / OFF_HOURS_UNIT)
  if (cap <= 0) return 0
  return Math.min(cap, OFF_HOURS_MAX, surpriseOf(observed, { mean, dispersion: OFF_HOURS_DISPERSION }))
}

/**
 * The burst rule of young keys: three points at the limit and half a point for each doubling. Most first bursts are
 * the first send of an honest newsletter or batch, so it takes 8,000 messages in ten minutes to wake somebody.
 */
export function youngPoints(observed: number, limit: number): number {
  return observed < limit ? 0 : Math.min(7, 3 + 0.5 * Math.log2(observed / limit))
}

/**
 * Counts in steps of 3 %, exact below 64: points are worked out once for each step, which makes a blast cheap and
 * leaves them a function of the count alone.
 */
export function stepped(count: number): number {
  return count < 64 ? count : count - (count % 2 ** (Math.floor(Math.log2(count)) - 5))
}

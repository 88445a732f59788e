/**
 * How far out a score lies on what one entity itself does: a generalised Pareto tail fitted to its largest score of
 * each day (peaks over threshold; Siffer et al., "Anomaly Detection in Streams with Extreme Value Theory", KDD 2017).
 *
 * Over `threshold`, which `exceedingShare` of all days exceed, P(excess > y) = (1 + shape·y/scale)^(−1/shape).
 */
export type Tail = {
  readonly threshold: number
  /** Share of days whose largest score is over the threshold, above 0 and at most 1. */
  readonly exceedingShare: number
  /** In the score's unit, above 0. */
  readonly scale: number
  /** 0 = exponential; above 0 = heavier. Never below 0: a tail that ends would call scores impossible. */
  readonly shape: number
}

/** What is known before an entity has shown its own days, usually from many entities together. */
export type TailPrior = {
  readonly threshold: number
  readonly exceedingShare: number
  /** Mean excess over the threshold on the days that exceed it. */
  readonly meanExcess: number
  readonly shape: number
  /** How many of the entity's own days weigh as much as the prior. */
  readonly days: number
}

/**
 * For scores that are −log10 p: an exact model judged a few hundred times a day has its upper fifth of days from
 * about 3 on and a mean excess of 0.43 beyond (log10 e); models are never exact, so twice that.
 */
export const DEFAULT_TAIL_PRIOR: TailPrior = {
  threshold: 3,
  exceedingShare: 0.2,
  meanExcess: 0.9,
  shape: 0.1,
  days: 12,
}

/** The peaks are the highest fifth of an entity's days: a dozen of two months. */
const PEAK_SHARE = 0.2
/**
 * Peaks that weigh as much as the prior shape. The standard error of a shape from n peaks is about 1/√n: a dozen say
 * next to nothing about it, so the prior counts for more than one entity will ever have.
 */
const SHAPE_PRIOR_PEAKS = 40
/** Beyond a shape of ½ not even the variance exists; no such fit to sixty days is believed. */
const SHAPE_MAX = 0.5
/** Shapes below this are exponential for every number of days that will ever be asked for. */
const SHAPE_MIN = 1e-6
/** However calm an entity's days, its tail falls off no faster than this share of the prior's. */
const MEAN_EXCESS_MIN = 0.5

/**
 * Fits the tail to an entity's largest score per day (≥ 0; a day without a score counts as 0), in any order. Each of
 * threshold, scale and shape is shrunk to the prior by the days or peaks that speak for it; without any days the
 * tail is the prior's. A higher highest day never lowers the level of a rare event.
 *
 * Scale by the mean excess, shape by the second L-moment (Hosking and Wallis, "Parameter and quantile estimation for
 * the generalized Pareto distribution", Technometrics 1987), which unlike maximum likelihood always exist.
 * Throws RangeError for a score that is negative or not finite.
 */
export function fitTail(dailyMaxima: readonly number[], prior: TailPrior): Tail {
  if (!dailyMaxima.every((score) => score >= 0 && Number.isFinite(score))) {
    throw new RangeError('a largest score of a day is 0 or more and finite')
  }
  const days = dailyMaxima.length
  const ascending = dailyMaxima.toSorted((a, b) => a - b)
  const peakCount = Math.ceil(days * PEAK_SHARE)
  const peaks = ascending.slice(days - peakCount)
  const ownThreshold = ascending[Math.max(0, days - peakCount - 1)] ?? 0
  const threshold = shrunk(ownThreshold, days, { value: prior.threshold, weight: prior.days })
  const excess = peaks.reduce((sum, score) => sum + Math.max(0, score - threshold), 0)
  const meanExcess = shrunk(excess / Math.max(1, peakCount), days * PEAK_SHARE, {
    value: prior.meanExcess,
    weight: prior.days * prior.exceedingShare,
  })
  const ownShape = shapeOf(peaks.map((score) => score - ownThreshold)) ?? prior.shape
  const shape = Math.max(0, shrunk(ownShape, peakCount, { value: prior.shape, weight: SHAPE_PRIOR_PEAKS }))
  return {
    threshold,
    exceedingShare: shrunk(PEAK_SHARE, days, { value: prior.exceedingShare, weight: prior.days }),
    scale: Math.max(meanExcess, prior.meanExcess * MEAN_EXCESS_MIN) * (1 - shape),
    shape,
  }
}

/** Days expected between days whose largest score is at least `score`. From 1 upwards; never falls as it grows. */
export function daysBetween(tail: Tail, score: number): number {
  const { threshold, exceedingShare, scale, shape } = tail
  if (score <= 0) return 1
  // Below the threshold nothing is rare: from one day at 0 to the threshold's days, evenly in the logarithm.
  if (score < threshold) return exceedingShare ** (-score / threshold)
  const excess = (score - threshold) / scale
  const logDays = shape < SHAPE_MIN ? excess : Math.log1p(shape * excess) / shape
  return Math.exp(logDays) / exceedingShare
}

/** The score reached once in so many days; 0 for one day or less. The inverse of `daysBetween`. */
export function levelFor(tail: Tail, days: number): number {
  const { threshold, exceedingShare, scale, shape } = tail
  if (days <= 1) return 0
  const logDays = Math.log(days * exceedingShare)
  if (logDays < 0) return threshold * (1 - logDays / Math.log(exceedingShare))
  return threshold + scale * (shape < SHAPE_MIN ? logDays : Math.expm1(shape * logDays) / shape)
}

/**
 * A prior from many entities' daily maxima: the tail of all their days together. Entities with few days count by
 * their days; `fallback` fills in where there are none.
 */
export function pooledPrior(entities: readonly (readonly number[])[], fallback: TailPrior): TailPrior {
  const { threshold, exceedingShare, scale, shape } = fitTail(entities.flat(), fallback)
  return { threshold, exceedingShare, meanExcess: scale / (1 - shape), shape, days: fallback.days }
}

function shrunk(value: number, weight: number, prior: { value: number; weight: number }): number {
  return (value * weight + prior.value * prior.weight) / (weight + prior.weight)
}

/** From ascending excesses: mean and second L-moment (half the mean difference of two), 2 − mean / second. */
function shapeOf(excesses: readonly number[]): number | undefined {
  const count = excesses.length
  if (count < 2) return undefined
  let sum = 0
  let rankedSum = 0
  excesses.forEach((value, rank) => {
    sum += value
    rankedSum += value * rank
  })
  const second = (2 * rankedSum) / (count * (count - 1)) - sum / count
  if (second <= 0) return sum > 0 ? -SHAPE_MAX : undefined
  return Math.min(SHAPE_MAX, Math.max(-SHAPE_MAX, 2 - sum / count / second))
}

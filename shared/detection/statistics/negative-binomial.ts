import { logIncompleteBeta } from './special-functions.ts'

/** Below this the distribution cannot be told from Poisson at any count that mail has. */
const DISPERSION_MIN = 1e-6
const LN10 = Math.LN10

/**
 * A count's distribution: `mean` events expected, variance mean + dispersion × mean². Dispersion 0 would be Poisson;
 * mail comes in bursts, so it is well above.
 */
export type CountDistribution = { readonly mean: number; readonly dispersion: number }

/**
 * How surprising a count is: −log10 P(N ≥ count). 0 = not at all; 9 = one chance in a thousand million.
 *
 * P(N ≥ n) of a negative binomial with size r = 1/dispersion is I_p(n, r) with p = mean/(mean + r). Exact for
 * small counts too; no normal approximation anywhere.
 */
export function surpriseOf(count: number, { mean, dispersion }: CountDistribution): number {
  if (count <= 0) return 0
  if (mean <= 0) return Infinity
  const size = 1 / Math.max(dispersion, DISPERSION_MIN)
  const total = mean + size
  return Math.max(0, -logIncompleteBeta(count, size, mean / total, size / total) / LN10)
}

/**
 * How surprising it is to see so few: −log10 P(N ≤ count), with P(N ≤ n) = I_q(r, n + 1), q = r/(mean + r).
 */
export function surpriseOfFew(count: number, { mean, dispersion }: CountDistribution): number {
  if (mean <= 0) return 0
  const size = 1 / Math.max(dispersion, DISPERSION_MIN)
  const total = mean + size
  return Math.max(0, -logIncompleteBeta(size, Math.max(0, count) + 1, size / total, mean / total) / LN10)
}

/** −log10 P(N = 0): how surprising it is to see nothing. */
export function surpriseOfNothing({ mean, dispersion }: CountDistribution): number {
  const phi = Math.max(dispersion, DISPERSION_MIN)
  return Math.log1p(phi * Math.max(mean, 0)) / phi / LN10
}

/** Counts above this are never asked for; it ends the search whatever the distribution. */
const COUNT_MAX = 1e9

/** The smallest count whose surprise is at least `surprise`; found by bisection. */
export function criticalCount(distribution: CountDistribution, surprise: number): number {
  let low = 0
  let high = Math.max(8, Math.ceil(distribution.mean))
  while (high < COUNT_MAX && surpriseOf(high, distribution) < surprise) {
    low = high
    high *= 2
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (surpriseOf(middle, distribution) < surprise) low = middle
    else high = middle
  }
  return high
}

/** −log10 0.01 and −log10 0.99: the ends of an interval that holds 98 of 100 counts. */
const SURPRISE_HIGH = 2
const SURPRISE_LOW = 0.004364805402450088

/** What is usual: 98 of 100 counts lie within, both ends included. */
export function usualInterval(distribution: CountDistribution): { low: number; high: number } {
  const high = criticalCount(distribution, SURPRISE_HIGH) - 1
  return { low: Math.min(high, criticalCount(distribution, SURPRISE_LOW) - 1), high }
}

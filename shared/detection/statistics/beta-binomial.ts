import { logGamma } from './special-functions.ts'

/** A share that is not the same every day: Beta(alpha, beta), both above 0. */
export type ShareDistribution = { readonly alpha: number; readonly beta: number }

/** Terms summed one by one; what lies beyond them is bounded by a geometric series. */
const TERMS_MAX = 4096
const RELATIVE_ERROR = 1e-13

/** The beta distribution with this mean and this squared coefficient of variation. */
export function shareDistribution(mean: number, variation: number): ShareDistribution {
  // A share's variance is below mean × (1 − mean); a wider one is taken as nearly all or nothing.
  const alpha = Math.max(0.02, (1 - mean) / variation - mean)
  return { alpha, beta: (alpha * (1 - mean)) / mean }
}

/**
 * How surprising it is that `count` or more of `total` have a property: −log10 P(K ≥ count) of the beta-binomial
 * distribution. Exact for small counts; with more than 4,096 terms the rest is bounded from above, so that the
 * surprise is never said to be larger than it is.
 *
 * P(K = k) = C(n, k) B(k + α, n − k + β) / B(α, β). Source: Skellam, "A probability distribution derived from the
 * binomial distribution by regarding the probability of success as variable between the sets of trials", 1948.
 */
export function surpriseOfShare(count: number, total: number, share: ShareDistribution): number {
  if (count <= 0) return 0
  if (count > total) return Infinity
  const mean = (total * share.alpha) / (share.alpha + share.beta)
  if (count > mean) return Math.max(0, -upperTail(count, total, share) / Math.LN10)
  const below = Math.exp(lowerTail(count - 1, total, share))
  return Math.max(0, -Math.log1p(-Math.min(below, 1)) / Math.LN10)
}

/** ln P(K ≥ count), for counts above the mean: there each term is smaller than the one before it. */
function upperTail(count: number, total: number, { alpha, beta }: ShareDistribution): number {
  let term = 1
  let sum = 1
  const last = Math.min(total - 1, count + TERMS_MAX)
  for (let k = count; k <= last; k += 1) {
    const ratio = ((total - k) * (k + alpha)) / ((k + 1) * (total - k - 1 + beta))
    term *= ratio
    sum += term
    if (term < sum * RELATIVE_ERROR) break
    if (k === last && k < total - 1) sum += (term * ratio) / Math.max(1 - ratio, 1 / total)
  }
  return logProbability(count, total, { alpha, beta }) + Math.log(sum)
}

/** ln P(K ≤ count), for counts up to the mean. */
function lowerTail(count: number, total: number, { alpha, beta }: ShareDistribution): number {
  let term = 1
  let sum = 1
  for (let k = count; k > 0; k -= 1) {
    term *= (k * (total - k + beta)) / ((total - k + 1) * (k - 1 + alpha))
    sum += term
  }
  return logProbability(count, total, { alpha, beta }) + Math.log(sum)
}

/** ln P(K = k). */
function logProbability(k: number, total: number, { alpha, beta }: ShareDistribution): number {
  return (
    logGamma(total + 1) -
    logGamma(k + 1) -
    logGamma(total - k + 1) +
    logBeta(k + alpha, total - k + beta) -
    logBeta(alpha, beta)
  )
}

function logBeta(a: number, b: number): number {
  return logGamma(a) + logGamma(b) - logGamma(a + b)
}

/**
 * Combinations of p-values that may depend on each other. Both are ruled by the smallest p-values, and stay right
 * where these depend on each other, because sums of heavy-tailed variables do. P-values come and go as surprises,
 * −log10 p, so that none underflows.
 */

/** A p-value of 1 (no evidence whatever) would outweigh all others in Cauchy's sum: it stands for just below. */
const P_MAX = 0.99
/** From this surprise on cot(πp) is 1/(πp) to within rounding. */
const SMALL = 9

/**
 * Cauchy combination with equal weights: T = mean of tan((½ − pᵢ)π) is a standard Cauchy variable under the null
 * hypothesis. Source: Liu and Xie, "Cauchy combination test: a powerful test with analytic p-value calculation under
 * arbitrary dependency structures", JASA 115, 2020.
 */
export function cauchyCombination(surprises: readonly number[]): number {
  if (surprises.length === 0) return 0
  const largest = Math.max(0, ...surprises)
  // T is kept as a multiple of 10^largest.
  let scaled = 0
  for (const surprise of surprises) {
    scaled +=
      surprise >= SMALL
        ? 10 ** (surprise - largest) / Math.PI
        : 10 ** -largest / Math.tan(Math.PI * Math.min(P_MAX, 10 ** -surprise))
  }
  scaled /= surprises.length
  if (largest >= SMALL + Math.log10(surprises.length)) return largest + Math.log10(scaled * Math.PI)
  // P(Cauchy ≥ T): the angle between T and 1, counted from the far end.
  return Math.max(0, -Math.log10(Math.atan2(1, scaled * 10 ** largest) / Math.PI))
}

/** Location and scale of the Landau distribution that 1/p̊ follows: ln L + 1 + ψ(1) − ln(2/π), and π/2. */
const LANDAU_SHIFT = 0.874_367_040_387_922
const LANDAU_SCALE = Math.PI / 2
/** From this surprise of the mean on, its p-value differs from it by less than one in a million. */
const SELF_EVIDENT = 8

/**
 * The harmonic mean p-value, L / Σ 1/pᵢ, as the probability of so small a mean: asymptotically exact by the Landau
 * distribution. Source: Wilson, "The harmonic mean p-value for combining dependent tests", PNAS 116, 2019.
 */
export function harmonicMeanP(surprises: readonly number[]): number {
  if (surprises.length === 0) return 0
  const largest = Math.max(0, ...surprises)
  const sum = surprises.reduce((total, surprise) => total + 10 ** (surprise - largest), 0)
  const mean = largest + Math.log10(sum / surprises.length)
  if (surprises.length === 1 || mean >= SELF_EVIDENT) return Math.max(0, mean)
  const location = Math.log(surprises.length) + LANDAU_SHIFT
  return Math.max(0, -Math.log10(Math.min(1, landauTail((10 ** mean - location) / LANDAU_SCALE))))
}

/** Steps and the range of ln t around the largest part of the integrand. */
const STEPS = 400
const BELOW = 34
const ABOVE = 5

/**
 * P(X ≥ z) of the standard Landau distribution: (1/π) ∫ exp(−tz − (2/π) t ln t) sin(2t) dt/t over t > 0. In
 * ln t the integrand is smooth and vanishes at both ends, so the trapezoidal rule is exact to ten digits.
 */
function landauTail(z: number): number {
  const centre = z > 1 ? -Math.log(z) : 0
  const width = (BELOW + ABOVE) / STEPS
  let sum = 0
  for (let step = 0; step <= STEPS; step += 1) {
    const logT = centre - BELOW + step * width
    const t = Math.exp(logT)
    sum += Math.exp(-t * z - (2 / Math.PI) * t * logT) * Math.sin(2 * t)
  }
  return (sum * width) / Math.PI
}

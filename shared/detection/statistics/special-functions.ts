/**
 * Coefficients of Lanczos' approximation with g = 7 and nine terms; relative error below 1e-14 for x > 0.
 * Source: Godfrey, "A note on the computation of the convergent Lanczos complex Gamma approximation", 2001.
 */
const LANCZOS_G = 7
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
] as const
const HALF_LOG_TWO_PI = 0.9189385332046727

/** Natural logarithm of the gamma function, for x > 0. */
export function logGamma(x: number): number {
  if (!(x > 0)) throw new RangeError('logGamma is for positive numbers')
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x)
  let sum: number = LANCZOS[0]
  for (let term = 1; term < LANCZOS.length; term += 1) sum += (LANCZOS[term] ?? 0) / (x - 1 + term)
  const t = x + LANCZOS_G - 0.5
  return HALF_LOG_TWO_PI + (x - 0.5) * Math.log(t) - t + Math.log(sum)
}

/** From here on Stirling's series is exact to 1e-15 with three terms, and differences of it do not cancel. */
const STIRLING_MIN = 100

function stirlingRest(x: number): number {
  const square = x * x
  return (1 / 12 - (1 / 360 - 1 / 1260 / square) / square) / x
}

/**
 * ln Γ(x + a) − ln Γ(x) for x > 0, a ≥ 0, without the cancellation that the plain difference suffers when x is
 * large and a small.
 */
function logGammaRatio(x: number, a: number): number {
  if (x < STIRLING_MIN) return logGamma(x + a) - logGamma(x)
  return (x - 0.5) * Math.log1p(a / x) + a * Math.log(x + a) - a + stirlingRest(x + a) - stirlingRest(x)
}

/** Terms of the continued fraction; it needs about the square root of the larger parameter. */
const ITERATIONS_MAX = 10_000
const RELATIVE_ERROR = 1e-14
const TINY = 1e-300

/**
 * Natural logarithm of the regularised incomplete beta function I_x(a, b), for a, b > 0 and 0 ≤ x ≤ 1.
 *
 * `complement` is 1 − x, given apart because near x = 1 it cannot be recovered from x. Works in log space, so the
 * far tail does not underflow. Source: the continued fraction of Abramowitz and Stegun 26.5.8, evaluated by Lentz's
 * method as in Press et al., "Numerical Recipes", 6.4.
 */
export function logIncompleteBeta(a: number, b: number, x: number, complement: number): number {
  if (x <= 0) return -Infinity
  if (complement <= 0) return 0
  const logFront = a * Math.log(x) + b * Math.log(complement) + logBetaInverse(a, b)
  if (x <= (a + 1) / (a + b + 2)) return logFront - Math.log(a) + Math.log(betaFraction(a, b, x))
  const other = Math.exp(logFront - Math.log(b)) * betaFraction(b, a, complement)
  return Math.log1p(-Math.min(other, 1))
}

/** −ln B(a, b). */
function logBetaInverse(a: number, b: number): number {
  return a < b ? logGammaRatio(b, a) - logGamma(a) : logGammaRatio(a, b) - logGamma(b)
}

function betaFraction(a: number, b: number, x: number): number {
  let c = 1
  let d = 1 / awayFromZero(1 - ((a + b) * x) / (a + 1))
  let value = d
  for (let m = 1; m <= ITERATIONS_MAX; m += 1) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    d = 1 / awayFromZero(1 + even * d)
    c = awayFromZero(1 + even / c)
    value *= d * c
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / awayFromZero(1 + odd * d)
    c = awayFromZero(1 + odd / c)
    const change = d * c
    value *= change
    if (Math.abs(change - 1) < RELATIVE_ERROR) return value
  }
  return value
}

function awayFromZero(value: number): number {
  return Math.abs(value) < TINY ? TINY : value
}

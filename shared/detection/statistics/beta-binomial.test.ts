import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { shareDistribution, surpriseOfShare } from './beta-binomial.ts'

describe('surpriseOfShare', () => {
  // Computed with mpmath 1.3 at 50 digits: −log10(1 − Σ pmf(0 … count − 1)), the pmf by log-gamma. SciPy's
  // scipy.stats.betabinom.sf(count − 1, total, alpha, beta) is the same function.
  it.each([
    { count: 3, total: 40, alpha: 0.5, beta: 1500, surprise: 5.28957435794 },
    { count: 1, total: 10, alpha: 1, beta: 99, surprise: 1.037426497941 },
    { count: 10, total: 67, alpha: 1.8, beta: 358, surprise: 7.476990779716 },
    { count: 5, total: 5, alpha: 2, beta: 3, surprise: 1.322219294734 },
    { count: 30, total: 200, alpha: 4, beta: 96, surprise: 3.079100126445 },
    { count: 12, total: 100000, alpha: 0.8, beta: 7000, surprise: 0.454892473631 },
    { count: 400, total: 40000, alpha: 3, beta: 597, surprise: 1.20163585574 },
    { count: 2, total: 40000, alpha: 0.3, beta: 1500, surprise: 0.2807456917043 },
    { count: 120, total: 1000, alpha: 10, beta: 190, surprise: 3.205017892143 },
    { count: 900, total: 1000, alpha: 0.5, beta: 0.5, surprise: 0.6870312318046 },
    { count: 60, total: 50000, alpha: 50, beta: 99950, surprise: 5.587430506801 },
    { count: 3, total: 40000, alpha: 1.2, beta: 3998.8, surprise: 0.08566617396956 },
  ])('of $count of $total (α = $alpha, β = $beta) is $surprise', (row) => {
    expect(surpriseOfShare(row.count, row.total, row)).toBeCloseTo(row.surprise, 6)
  })

  it('grows with the count, falls with the total, and is finite up to all of them', () => {
    const share = fc.record({
      alpha: fc.double({ min: 0.02, max: 100, noNaN: true }),
      beta: fc.double({ min: 0.5, max: 1e5, noNaN: true }),
    })
    fc.assert(
      fc.property(
        share,
        fc.integer({ min: 1, max: 3000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (by, total, part) => {
          const count = Math.floor(part * (total - 1))
          const here = surpriseOfShare(count, total, by)
          expect(Number.isFinite(here)).toBe(true)
          expect(surpriseOfShare(count + 1, total, by)).toBeGreaterThanOrEqual(here - 1e-7)
          expect(surpriseOfShare(count, total + 1, by)).toBeLessThanOrEqual(here + 1e-7)
        },
      ),
    )
  })

  it('never says more than is true where the tail is too long to be summed', () => {
    // P(K ≥ 1) = 1 − B(α, n + β)/B(α, β) with α = 1: 1 − β/(n + β).
    const exact = -Math.log10(1 - 3 / 1_000_003)
    expect(surpriseOfShare(1, 1_000_000, { alpha: 1, beta: 3 })).toBeCloseTo(exact, 8)
    // With α = β = 1 every count is equally likely: P(K ≥ k) = (n + 1 − k)/(n + 1).
    const uniform = surpriseOfShare(600_000, 1_000_000, { alpha: 1, beta: 1 })
    expect(uniform).toBeLessThanOrEqual(-Math.log10(400_001 / 1_000_001) + 1e-6)
  })
})

describe('shareDistribution', () => {
  it('has the mean and the variation asked for', () => {
    const { alpha, beta } = shareDistribution(0.01, 0.5)
    const total = alpha + beta
    expect(alpha / total).toBeCloseTo(0.01, 12)
    const variance = (alpha * beta) / (total * total * (total + 1))
    expect(variance / 0.01 ** 2).toBeCloseTo(0.5, 10)
  })
})

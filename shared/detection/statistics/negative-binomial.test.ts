import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  criticalCount,
  surpriseOf,
  surpriseOfFew,
  surpriseOfNothing,
  usualInterval,
} from './negative-binomial.ts'

describe('surpriseOf', () => {
  // Computed with mpmath 1.3 at 60 digits: −log10(betainc(n, 1/φ, 0, μ/(μ + 1/φ), regularized=True)).
  it.each([
    { count: 1, mean: 0.001, dispersion: 0.5, surprise: 3.000325625893 },
    { count: 5, mean: 0.3, dispersion: 0.5, surprise: 3.694855631068 },
    { count: 10, mean: 10, dispersion: 0.1, surprise: 0.301029995664 },
    { count: 30, mean: 2, dispersion: 0.25, surprise: 11.08387997805 },
    { count: 100, mean: 20, dispersion: 0.05, surprise: 14.04233570513 },
    { count: 430, mean: 100, dispersion: 0.1, surprise: 8.886273553333 },
    { count: 1000, mean: 100, dispersion: 0.1, surprise: 29.26504828636 },
    { count: 120, mean: 100, dispersion: 0.000001, surprise: 1.549185542606 },
    { count: 5000, mean: 3000, dispersion: 0.02, surprise: 4.433490775008 },
    { count: 100000, mean: 90000, dispersion: 0.001, surprise: 3.446418428459 },
    { count: 3, mean: 50, dispersion: 1, surprise: 0.02580051528575 },
    { count: 2000000, mean: 1000000, dispersion: 0.01, surprise: 14.73314630727 },
    { count: 60, mean: 5, dispersion: 2, surprise: 3.131715623682 },
  ])('of $count where $mean are expected (dispersion $dispersion) is $surprise', (row) => {
    expect(surpriseOf(row.count, row)).toBeCloseTo(row.surprise, 8)
  })

  it('grows with the count, falls with the mean, and is finite for every distribution in use', () => {
    const distribution = fc.record({
      mean: fc.double({ min: 1e-4, max: 1e6, noNaN: true }),
      dispersion: fc.double({ min: 0, max: 20, noNaN: true }),
    })
    fc.assert(
      fc.property(distribution, fc.integer({ min: 1, max: 100_000 }), (expected, count) => {
        const here = surpriseOf(count, expected)
        expect(Number.isFinite(here)).toBe(true)
        expect(surpriseOf(count + 1, expected)).toBeGreaterThanOrEqual(here - 1e-9)
        expect(surpriseOf(count, { ...expected, mean: expected.mean * 2 })).toBeLessThanOrEqual(here + 1e-9)
      }),
    )
  })
})

describe('criticalCount', () => {
  it('is the first count that is surprising enough', () => {
    for (const distribution of [
      { mean: 0.02, dispersion: 0.3 },
      { mean: 12, dispersion: 0.1 },
      { mean: 4000, dispersion: 0.02 },
    ]) {
      const count = criticalCount(distribution, 9)
      expect(surpriseOf(count, distribution)).toBeGreaterThanOrEqual(9)
      expect(surpriseOf(count - 1, distribution)).toBeLessThan(9)
    }
  })
})

describe('usualInterval', () => {
  it('holds 98 of 100 counts', () => {
    // Poisson with mean 100 (dispersion 0): scipy.stats.poisson.ppf([0.01, 0.99], 100) = [77, 124].
    expect(usualInterval({ mean: 100, dispersion: 0 })).toEqual({ low: 77, high: 124 })
  })
})

describe('surpriseOfFew', () => {
  // The sum of the probabilities of 0 to `count`, added up one by one in Python with math.lgamma.
  it.each([
    { count: 0, mean: 30, dispersion: 0.5, surprise: 2.4082399653118496 },
    { count: 3, mean: 50, dispersion: 0.1, surprise: 5.538865266186353 },
    { count: 40, mean: 50, dispersion: 0.02, surprise: 0.7659472253331687 },
    { count: 100, mean: 1000, dispersion: 0.25, surprise: 3.0738192022561095 },
    { count: 8, mean: 10, dispersion: 0.1, surprise: 0.3901232210097761 },
  ])('of $count where $mean are expected (dispersion $dispersion) is $surprise', (row) => {
    expect(surpriseOfFew(row.count, row)).toBeCloseTo(row.surprise, 9)
  })
})

describe('surpriseOfNothing', () => {
  it('is the probability of a zero', () => {
    // (1 + φμ)^(−1/φ) with μ = 30, φ = 0.5: 16^−2.
    expect(surpriseOfNothing({ mean: 30, dispersion: 0.5 })).toBeCloseTo(Math.log10(256), 12)
  })
})

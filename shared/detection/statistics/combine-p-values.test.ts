import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../../test/support/test-traffic.ts'
import { cauchyCombination, harmonicMeanP } from './combine-p-values.ts'

// Computed with mpmath 1.3 at 40 digits (450 for the last ones): Cauchy's sum and arc tangent as they stand; for the
// harmonic mean the Landau density's integral, as Wilson's harmonicmeanp does with FMStable.
const table = [
  { surprises: [2, 2], cauchy: 2, harmonic: 1.97672906893 },
  { surprises: [1, 1.5, 3], cauchy: 2.540418180475, harmonic: 2.53184526355 },
  { surprises: [0.3, 0.5, 0.7, 0.2], cauchy: 0.4208699839049, harmonic: 0.275287412875 },
  { surprises: [6, 1, 1, 1], cauchy: 5.397952605867, harmonic: 5.39792903743 },
  { surprises: [5, 5, 5], cauchy: 5, harmonic: 4.999945226 },
  {
    surprises: Array.from({ length: 10 }, () => 1.30103),
    cauchy: 1.30103,
    harmonic: 1.18009152391,
  },
  { surprises: [0.1, 0.2], cauchy: 0.1367243441052, harmonic: 0.180835776994 },
  { surprises: [12, 3], cauchy: 11.69897000477, harmonic: 11.69897 },
  { surprises: [40, 20, 10], cauchy: 39.52287874528, harmonic: 39.5228787453 },
  { surprises: [400, 1], cauchy: 399.6989700043, harmonic: 399.6989700043 },
]

describe('combined p-values', () => {
  it.each(table)('of surprises $surprises are $cauchy (Cauchy) and $harmonic (harmonic mean)', (row) => {
    expect(cauchyCombination(row.surprises)).toBeCloseTo(row.cauchy, 8)
    expect(harmonicMeanP(row.surprises)).toBeCloseTo(row.harmonic, 5)
  })

  const surprises = fc.array(fc.double({ min: 0, max: 400, noNaN: true }), { minLength: 1, maxLength: 12 })

  it('are finite, say hardly more than the strongest alone and no less than it shared among all', () => {
    fc.assert(
      fc.property(surprises, (all) => {
        const largest = Math.max(...all)
        for (const combined of [cauchyCombination(all), harmonicMeanP(all)]) {
          expect(Number.isFinite(combined)).toBe(true)
          // The harmonic mean of ones is one, which Wilson's correction takes for 0.73.
          expect(combined).toBeLessThanOrEqual(largest + 0.14)
          // Near 1 a p-value counts against the others in Cauchy's sum; from four points on that is little.
          expect(combined).toBeGreaterThanOrEqual(largest < 4 ? 0 : largest - Math.log10(all.length) - 0.1)
        }
      }),
    )
  })

  it('grow with every surprise, and do not depend on their order', () => {
    fc.assert(
      fc.property(surprises, fc.double({ min: 0, max: 5, noNaN: true }), (all, more) => {
        const grown = all.map((surprise, index) => (index === 0 ? surprise + more : surprise))
        for (const combine of [cauchyCombination, harmonicMeanP]) {
          expect(combine(grown)).toBeGreaterThanOrEqual(combine(all) - 1e-6)
          expect(combine(all.toReversed())).toBeCloseTo(combine(all), 8)
        }
      }),
    )
  })

  it('are p-values: of independent and of equal ones, a share p is at most p', () => {
    const random = seededRandom(11)
    const runs = 8000
    for (const combine of [cauchyCombination, harmonicMeanP]) {
      let independent = 0
      let equal = 0
      for (let run = 0; run < runs; run += 1) {
        const own = Array.from({ length: 5 }, () => -Math.log10(random()))
        if (combine(own) >= 2) independent += 1
        if (combine(own.map(() => own[0] ?? 0)) >= 2) equal += 1
      }
      // 80 expected; 45 more are five standard deviations.
      expect(independent).toBeLessThan(125)
      expect(independent).toBeGreaterThan(35)
      expect(equal).toBeLessThan(125)
    }
  })
})

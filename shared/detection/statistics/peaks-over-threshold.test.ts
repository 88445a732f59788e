import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DEFAULT_TAIL_PRIOR, daysBetween, fitTail, levelFor, pooledPrior } from './peaks-over-threshold.ts'

const maxima = fc.array(fc.oneof(fc.constant(0), fc.double({ min: 0, max: 40, noNaN: true })), {
  maxLength: 60,
})
const tails = fc.oneof(
  maxima.map((scores) => fitTail(scores, DEFAULT_TAIL_PRIOR)),
  fc.record({
    threshold: fc.double({ min: 0.01, max: 10, noNaN: true }),
    exceedingShare: fc.double({ min: 0.01, max: 0.9, noNaN: true }),
    scale: fc.double({ min: 0.01, max: 10, noNaN: true }),
    shape: fc.double({ min: 0, max: 0.5, noNaN: true }),
  }),
)

/** mulberry32 (Tommy Ettinger): uniform in (0, 1). */
function uniforms(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return (((mixed ^ (mixed >>> 14)) >>> 0) + 0.5) / 4294967296
  }
}

/** The middle of the levels for `days` that 400 simulated entities are given after sixty days each. */
function medianLevel(draw: (uniform: number) => number, days: number): number {
  const uniform = uniforms(11)
  const levels = Array.from({ length: 400 }, () => {
    const own = Array.from({ length: 60 }, () => draw(uniform()))
    return levelFor(fitTail(own, DEFAULT_TAIL_PRIOR), days)
  })
  return levels.toSorted((a, b) => a - b)[200] ?? 0
}

describe('levelFor', () => {
  // scipy 1.17: threshold + genpareto.isf(1 / (days × exceedingShare), shape, scale=scale).
  it.each([
    { threshold: 3, exceedingShare: 0.2, scale: 0.8, shape: 0.1, days: 30, level: 4.569849590810524 },
    { threshold: 3, exceedingShare: 0.2, scale: 0.8, shape: 0.1, days: 36500, level: 14.47252513086482 },
    { threshold: 1, exceedingShare: 0.1, scale: 0.5, shape: 0, days: 730, level: 3.1452297205741955 },
    { threshold: 2, exceedingShare: 0.5, scale: 2, shape: 0.4, days: 730, level: 49.95258306035482 },
  ])('is the generalised Pareto quantile for $days days at shape $shape', ({ days, level, ...tail }) => {
    expect(levelFor(tail, days)).toBeCloseTo(level, 10)
  })

  it('is the inverse of daysBetween', () => {
    fc.assert(
      fc.property(tails, fc.double({ min: 1.001, max: 1e6, noNaN: true }), (tail, days) => {
        expect(daysBetween(tail, levelFor(tail, days)) / days).toBeCloseTo(1, 6)
      }),
    )
  })
})

describe('daysBetween', () => {
  it('starts at one day and never falls as the score grows', () => {
    const score = fc.double({ min: 0, max: 60, noNaN: true })
    fc.assert(
      fc.property(tails, score, score, (tail, one, other) => {
        expect(daysBetween(tail, 0)).toBe(1)
        expect(daysBetween(tail, Math.max(one, other))).toBeGreaterThanOrEqual(
          daysBetween(tail, Math.min(one, other)),
        )
      }),
    )
  })
})

describe('fitTail', () => {
  it('is the prior for an entity without days', () => {
    const tail = fitTail([], DEFAULT_TAIL_PRIOR)
    expect(tail).toMatchObject({ threshold: 3, shape: 0.1 })
    expect(tail.exceedingShare).toBeCloseTo(0.2, 12)
    expect(tail.scale).toBeCloseTo(0.9 * (1 - 0.1), 12)
  })

  it('moves a little with each of the first days', () => {
    const none = levelFor(fitTail([], DEFAULT_TAIL_PRIOR), 730)
    const quiet = levelFor(fitTail([0], DEFAULT_TAIL_PRIOR), 730)
    const loud = levelFor(fitTail([9], DEFAULT_TAIL_PRIOR), 730)
    expect(quiet).toBeLessThan(none)
    expect(quiet).toBeGreaterThan(none * 0.9)
    expect(loud).toBeGreaterThan(none)
    expect(loud).toBeLessThan(none * 2)
  })

  it('finds the two-year level of exponential daily maxima from sixty of them', () => {
    const level = medianLevel((uniform) => -Math.log(uniform) * 1.5, 730)
    expect(level / (Math.log(730) * 1.5)).toBeGreaterThan(0.9)
    expect(level / (Math.log(730) * 1.5)).toBeLessThan(1.25)
  })

  it('finds most of the two-year level of heavy-tailed daily maxima from sixty of them', () => {
    const level = medianLevel((uniform) => (uniform ** -0.3 - 1) / 0.3, 730)
    const exact = (730 ** 0.3 - 1) / 0.3
    expect(level / exact).toBeGreaterThan(0.6)
    expect(level / exact).toBeLessThan(1.2)
  })

  it('never lowers the level of a rare event when the largest of the days grows', () => {
    const days = fc.constantFrom(100, 730, 36_500)
    fc.assert(
      fc.property(maxima, days, fc.double({ min: 0, max: 30, noNaN: true }), (scores, every, growth) => {
        const largest = Math.max(0, ...scores)
        const place = scores.indexOf(largest)
        const grown = scores.map((score, index) => (index === place ? score + growth : score))
        const before = levelFor(fitTail(scores, DEFAULT_TAIL_PRIOR), every)
        expect(levelFor(fitTail(grown, DEFAULT_TAIL_PRIOR), every)).toBeGreaterThanOrEqual(before - 1e-9)
      }),
      { numRuns: 2000 },
    )
  })

  it('gives a calm entity a lower level than a loud one', () => {
    const calm = Array.from({ length: 60 }, (_, day) => (day % 7) / 7)
    const loud = calm.map((score) => score * 6)
    expect(levelFor(fitTail(calm, DEFAULT_TAIL_PRIOR), 730)).toBeLessThan(
      levelFor(fitTail(loud, DEFAULT_TAIL_PRIOR), 730) / 2,
    )
  })

  it.each([[[-1]], [[Number.NaN]], [[Infinity]]])('refuses %j', (scores) => {
    expect(() => fitTail(scores, DEFAULT_TAIL_PRIOR)).toThrow(RangeError)
  })
})

describe('pooledPrior', () => {
  it('is the tail of all entities together, and gives a new entity their level', () => {
    const uniform = uniforms(5)
    const entities = Array.from({ length: 50 }, () =>
      Array.from({ length: 40 }, () => -Math.log(uniform()) * 2),
    )
    const prior = pooledPrior(entities, DEFAULT_TAIL_PRIOR)
    const level = levelFor(fitTail([], prior), 730)
    expect(level / (Math.log(730) * 2)).toBeGreaterThan(0.9)
    expect(level / (Math.log(730) * 2)).toBeLessThan(1.1)
  })
})

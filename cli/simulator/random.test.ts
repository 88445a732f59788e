import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { below, gammaFactor, pickWeighted, Random } from './random.ts'

describe('Random', () => {
  it('gives equal streams for equal names and other ones for names that differ anywhere', () => {
    const draws = (...name: number[]) => {
      const random = new Random(...name)
      return Array.from({ length: 8 }, () => random.nextUint32())
    }
    fc.assert(
      fc.property(fc.array(fc.maxSafeNat(), { minLength: 1, maxLength: 5 }), fc.nat(4), (name, at) => {
        expect(draws(...name)).toEqual(draws(...name))
        const other = name.map((part, index) => (index === at % name.length ? part + 1 : part))
        expect(draws(...other)).not.toEqual(draws(...name))
      }),
    )
  })

  it('keeps 300,000 neighbouring streams apart', () => {
    const first = new Set<string>()
    for (let hour = 0; hour < 300; hour++) {
      for (let index = 0; index < 1000; index++) {
        const random = new Random(1, 2, hour, index)
        first.add(`${random.nextUint32()} ${random.nextUint32()}`)
      }
    }
    expect(first.size).toBe(300_000)
  })

  it('is uniform: each of 16 ranges gets its share of 160,000 draws', () => {
    const random = new Random(7)
    const counts = Array.from({ length: 16 }, () => 0)
    for (let draw = 0; draw < 160_000; draw++) {
      const range = below(random, 16)
      counts[range] = (counts[range] ?? 0) + 1
    }
    // 10,000 expected, deviation 97: six deviations never happen by chance.
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(600)
  })
})

describe('gammaFactor', () => {
  it.each([1, 4, 40])('has mean 1 and variance 1/%d', (shape) => {
    const random = new Random(11, shape)
    const values = Array.from({ length: 100_000 }, () => gammaFactor(random, shape))
    const mean = values.reduce((total, value) => total + value, 0) / values.length
    const variance = values.reduce((total, value) => total + (value - mean) ** 2, 0) / values.length
    expect(mean).toBeCloseTo(1, 1)
    expect(variance * shape).toBeGreaterThan(0.93)
    expect(variance * shape).toBeLessThan(1.07)
  })
})

describe('pickWeighted', () => {
  it('never picks what weighs nothing', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const random = new Random(seed)
        expect(
          pickWeighted(random, [
            ['never', 0],
            ['always', 3],
            ['nor this', 0],
          ]),
        ).toBe('always')
      }),
    )
  })
})

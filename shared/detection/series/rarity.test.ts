import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { POINTS_MAX } from '../evidence.ts'
import { createRarity, rarityOf, type Rarity } from './rarity.ts'

const RESOLUTION = 1e-9

/** After the whole numbers from 0 to 998, each once, in a scattered order. */
function afterWholeNumbers(): Rarity {
  const rarity = createRarity()
  for (let row = 0; row < 999; row += 1) rarityOf(rarity, (row * 500) % 999, RESOLUTION)
  return rarity
}

describe('rarityOf', () => {
  it.each([
    { value: 989, reachedBy: 10 },
    { value: 9, reachedBy: 10 },
    { value: 998, reachedBy: 1 },
    { value: 499, reachedBy: 500 },
  ])('counts, within what has been seen, how many are as far out as $value', ({ value, reachedBy }) => {
    expect(rarityOf(afterWholeNumbers(), value, RESOLUTION)).toBeCloseTo(
      Math.log10(1000 / (reachedBy + 0.5)),
      12,
    )
  })

  it('goes on without falling beyond what has been seen, on both sides alike', () => {
    const distance = fc.double({ min: 0, max: 1e5, noNaN: true })
    fc.assert(
      fc.property(distance, distance, (one, other) => {
        const [near, far] = [Math.min(one, other), Math.max(one, other)]
        const nearPoints = rarityOf(afterWholeNumbers(), 998.001 + near, RESOLUTION)
        expect(rarityOf(afterWholeNumbers(), 998.001 + far, RESOLUTION)).toBeGreaterThanOrEqual(nearPoints)
        expect(rarityOf(afterWholeNumbers(), -0.001 - near, RESOLUTION)).toBeCloseTo(nearPoints, 6)
        expect(nearPoints).toBeGreaterThan(Math.log10(1000 / 1.5))
      }),
      { numRuns: 50 },
    )
  })

  it('is bounded after a constant, and says nothing after a few values', () => {
    const constant = createRarity()
    for (let row = 0; row < 100; row += 1) rarityOf(constant, 45, RESOLUTION)
    expect(rarityOf(constant, 46, RESOLUTION)).toBe(POINTS_MAX)
    const young = createRarity()
    for (let row = 0; row < 19; row += 1) expect(rarityOf(young, row ** 3, RESOLUTION)).toBe(0)
  })
})

import { describe, expect, it } from 'vitest'
import { medianOf } from './median.ts'

describe('medianOf', () => {
  it('is the middle value, or half way between the two in the middle', () => {
    expect(medianOf([10, 2, 3])).toBe(3)
    expect(medianOf([4, 1, 10, 2])).toBe(3)
  })

  it('does not overflow between huge values, and refuses none at all', () => {
    expect(medianOf([1e308, 1.2e308])).toBeCloseTo(1.1e308, -300)
    expect(() => medianOf([])).toThrow(RangeError)
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addValue, countAtMost, countBelow, createSortedWindow, quantile } from './sorted-window.ts'

describe('a sorted window', () => {
  it('holds the last values in order and counts them as a plain list does', () => {
    const numbers = fc.oneof(
      fc.integer({ min: -3, max: 3 }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
    )
    fc.assert(
      fc.property(fc.array(numbers), fc.integer({ min: 1, max: 12 }), numbers, (values, capacity, probe) => {
        const window = createSortedWindow(capacity)
        for (const value of values) addValue(window, value)
        // Plus zero: minus zero is the same number, but not for toEqual.
        const last = values.slice(-capacity).map((value) => value + 0)
        const held = Array.from(window.ascending.subarray(0, window.size), (value) => value + 0)
        expect(held).toEqual(last.toSorted((a, b) => a - b))
        expect(countBelow(window, probe)).toBe(last.filter((value) => value < probe).length)
        expect(countAtMost(window, probe)).toBe(last.filter((value) => value <= probe).length)
      }),
    )
  })

  it('gives the quantiles of what it holds, and 0 while it holds nothing', () => {
    const window = createSortedWindow(5)
    expect(quantile(window, 0.5)).toBe(0)
    for (const value of [9, 5, 1, 4, 2, 3]) addValue(window, value)
    expect([0, 0.5, 1].map((share) => quantile(window, share))).toEqual([1, 3, 5])
  })
})

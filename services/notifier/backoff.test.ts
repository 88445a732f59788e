import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BACKOFF_MAX_MS, backoffMs } from './backoff.ts'

describe('backoffMs', () => {
  it('doubles from half a second and is never longer than a minute', () => {
    const delays = [0, 1, 2, 6, 7, 2000].map((attempt) => backoffMs(attempt, () => 1))
    expect(delays).toEqual([500, 1000, 2000, 32_000, BACKOFF_MAX_MS, BACKOFF_MAX_MS])
  })

  it('stays between half and the whole of its step, whatever the random number', () => {
    fc.assert(
      fc.property(fc.nat(3000), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, random) => {
        const delay = backoffMs(attempt, () => random)
        const longest = backoffMs(attempt, () => 1)
        expect(delay).toBeGreaterThanOrEqual(longest / 2)
        expect(delay).toBeLessThanOrEqual(longest)
      }),
    )
  })

  it('waits as long as the channel asks, but not for ever', () => {
    expect(backoffMs(0, () => 0, 90_000)).toBe(90_000)
    expect(backoffMs(0, () => 0, 1)).toBe(250)
    expect(backoffMs(0, () => 0, 10 ** 9)).toBe(900_000)
  })
})

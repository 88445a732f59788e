import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createBottomK, decodeBottomK, encodeBottomK, sight } from './bottom-k.ts'

const hash = fc.integer({ min: 0, max: 0xffff_ffff })

describe('a bottom-k sketch', () => {
  it('answers exactly for every hash up to the largest it keeps, and never wrongly for the others', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.array(hash, { maxLength: 200 }), (capacity, hashes) => {
        const sketch = createBottomK(capacity)
        const seen = new Set<number>()
        for (const value of hashes) {
          const answer = sight(sketch, value)
          const exact = seen.has(value) ? 'seen' : 'new'
          const right = answer === 'outside the sample' ? seen.size >= capacity : answer === exact
          expect(right).toBe(true)
          seen.add(value)
        }
        const smallest = [...seen].sort((a, b) => a - b).slice(0, capacity)
        expect(Array.from(sketch.hashes.slice(0, sketch.size))).toEqual(smallest)
      }),
    )
  })

  it('is the same after it was saved and loaded', () => {
    fc.assert(
      fc.property(fc.array(hash, { maxLength: 60 }), fc.array(hash, { maxLength: 60 }), (first, then) => {
        const sketch = createBottomK(16)
        for (const value of first) sight(sketch, value)
        const loaded = decodeBottomK(16, encodeBottomK(sketch))
        for (const value of then) expect(sight(loaded, value)).toBe(sight(sketch, value))
      }),
    )
  })
})

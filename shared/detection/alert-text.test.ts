import { describe, expect, it } from 'vitest'
import { aboutUsual, usualCount } from './alert-text.ts'

describe('usualCount', () => {
  it.each([
    { usual: { low: 0, high: 0 }, expected: 0.001, words: 'none is usual at this hour' },
    { usual: { low: 0, high: 1 }, expected: 0.02, words: 'hardly any is usual at this hour' },
    { usual: { low: 0, high: 1 }, expected: 0.3, words: '0 to 1 is usual (expected 0.3)' },
    { usual: { low: 5, high: 20 }, expected: 12, words: '5 to 20 are usual (expected 12)' },
    { usual: { low: 3, high: 3 }, expected: 3, words: '3 are usual (expected 3)' },
    { usual: { low: 900, high: 1400 }, expected: 1103.4, words: '900 to 1,400 are usual (expected 1,103)' },
  ])('says "$words"', ({ usual, expected, words }) => {
    expect(usualCount(usual, expected)).toBe(words)
  })
})

describe('aboutUsual', () => {
  it('never says that about 0 are usual', () => {
    expect(aboutUsual(0.02)).toBe('hardly any is usual')
    expect(aboutUsual(12.4)).toBe('about 12 are usual')
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../test/support/test-traffic.ts'
import { createErrorBudget } from './error-budget.ts'

const settings = { falsePagesPerKeyYear: 0.5 }
const DAY = 20_000

/** A fleet in which nothing happens: every key-day pages with the probability that the budget gives it. */
function quietFleet(keys: number, years: number, seed: number) {
  const budget = createErrorBudget(settings)
  const random = seededRandom(seed)
  let pages = 0
  for (let day = DAY; day < DAY + years * 365; day += 1) {
    const chance = 1 / budget.limitDays(day, keys)
    for (let key = 0; key < keys; key += 1) {
      if (random() >= chance) continue
      pages += 1
      budget.discovered(day)
    }
  }
  return pages / years
}

describe('the error budget', () => {
  it.each([
    { keys: 1, years: 400, allowed: 0.5 },
    { keys: 10, years: 100, allowed: 5 },
    { keys: 100, years: 30, allowed: 0.5 * Math.sqrt(1000) },
    { keys: 1000, years: 10, allowed: 0.5 * Math.sqrt(10_000) },
  ])('keeps the false pages of $keys quiet keys at $allowed a year', ({ keys, years, allowed }) => {
    const pages = quietFleet(keys, years, keys)
    // Taken for discoveries, they pay for a tenth of themselves again; plus three standard deviations.
    const most = allowed / (1 - 0.1)
    expect(pages).toBeLessThan(most + 3 * Math.sqrt(most / years))
    expect(pages).toBeGreaterThan(allowed - 3 * Math.sqrt(allowed / years))
  })

  it('does not double the noise when the keys double', () => {
    const budget = createErrorBudget(settings)
    const aYear = (keys: number) => (keys * 365) / budget.limitDays(DAY, keys)
    for (let keys = 16; keys < 1e6; keys *= 2) {
      expect(aYear(2 * keys) / aYear(keys)).toBeCloseTo(Math.SQRT2, 10)
    }
    expect(budget.limitDays(DAY, 1)).toBe(730)
    expect(budget.limitDays(DAY, 10)).toBe(730)
  })

  it('looks more closely after a discovery, at the next day first, and forgets it within months', () => {
    const budget = createErrorBudget(settings)
    const before = budget.limitDays(DAY, 1000)
    for (let page = 0; page < 5; page += 1) budget.discovered(DAY)
    expect(budget.limitDays(DAY, 1000)).toBe(before)
    const next = budget.limitDays(DAY + 1, 1000)
    expect(next).toBeLessThan(before * 0.9)
    expect(budget.limitDays(DAY + 15, 1000)).toBeGreaterThan(next)
    expect(budget.limitDays(DAY + 365, 1000)).toBeCloseTo(before, 0)
  })

  it('spends what a discovery pays in once, and no more than a tenth of a page', () => {
    const budget = createErrorBudget(settings)
    const plain = createErrorBudget(settings)
    budget.discovered(DAY)
    let spent = 0
    for (let day = DAY; day < DAY + 1000; day += 1)
      spent += 1000 / budget.limitDays(day, 1000) - 1000 / plain.limitDays(day, 1000)
    expect(spent).toBeCloseTo(0.1, 6)
  })

  it('never goes below the budget of one key, and is the same after it was saved', () => {
    const steps = fc.array(
      fc.record({ after: fc.integer({ min: 0, max: 90 }), pages: fc.integer({ min: 0, max: 30 }) }),
    )
    fc.assert(
      fc.property(steps, fc.integer({ min: 0, max: 100_000 }), (run, keys) => {
        const whole = createErrorBudget(settings)
        let saved = createErrorBudget(settings)
        let day = DAY
        for (const { after, pages } of run) {
          day += after
          for (let page = 0; page < pages; page += 1) {
            whole.discovered(day)
            saved.discovered(day)
          }
          saved = createErrorBudget(settings, JSON.parse(JSON.stringify(saved.encode())))
          expect(saved.limitDays(day + 1, keys)).toBe(whole.limitDays(day + 1, keys))
          expect(whole.limitDays(day + 1, keys)).toBeGreaterThanOrEqual(730)
        }
      }),
    )
  })
})

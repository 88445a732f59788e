import { describe, expect, it } from 'vitest'
import { logGamma, logIncompleteBeta } from './special-functions.ts'

describe('logGamma', () => {
  it.each([
    { x: 0.1, value: Math.log(9.513507698668732) },
    { x: 0.5, value: Math.log(Math.sqrt(Math.PI)) },
    { x: 1, value: 0 },
    { x: 5, value: Math.log(24) },
    { x: 171, value: 706.5730622457874 },
  ])('is ln Γ($x)', ({ x, value }) => {
    expect(logGamma(x)).toBeCloseTo(value, 11)
  })
})

describe('logIncompleteBeta', () => {
  it('is the binomial sum where both parameters are whole', () => {
    // I_x(a, b) = P(Binomial(a + b − 1, x) ≥ a); here 3 of 5 with x = 0.3.
    const sum = 10 * 0.3 ** 3 * 0.7 ** 2 + 5 * 0.3 ** 4 * 0.7 + 0.3 ** 5
    expect(logIncompleteBeta(3, 3, 0.3, 0.7)).toBeCloseTo(Math.log(sum), 12)
  })

  it('ends at 0 and at 1', () => {
    expect(logIncompleteBeta(2, 3, 0, 1)).toBe(-Infinity)
    expect(logIncompleteBeta(2, 3, 1, 0)).toBe(0)
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createByteBudget } from './byte-budget.ts'

describe('createByteBudget', () => {
  it('never has more out than its limit, and all of it back at the end', () => {
    const step = fc.record({ lease: fc.nat(4), bytes: fc.nat(120), release: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const budget = createByteBudget(300)
        const leases = Array.from({ length: 5 }, () => budget.lease())
        for (const { lease, bytes, release } of steps) {
          const before = budget.usedBytes()
          const granted = leases[lease]?.reserve(bytes)
          expect(granted === true || budget.usedBytes() === before).toBe(true)
          if (release) leases[lease]?.release()
          expect(budget.usedBytes()).toBeLessThanOrEqual(300)
          expect(budget.usedBytes()).toBeGreaterThanOrEqual(0)
        }
        for (const lease of leases) lease.release()
        expect(budget.usedBytes()).toBe(0)
      }),
      { seed: 8 },
    )
  })

  it('grows a share only by what it lacks', () => {
    const budget = createByteBudget(100)
    const lease = budget.lease()
    expect(lease.reserve(60)).toBe(true)
    expect(lease.reserve(50)).toBe(true)
    expect(budget.usedBytes()).toBe(60)
    expect(lease.reserve(100)).toBe(true)
    expect(lease.reserve(101)).toBe(false)
    expect(budget.usedBytes()).toBe(100)
  })

  it('keeps a share until a late append lets go of it', async () => {
    const budget = createByteBudget(100)
    const lease = budget.lease()
    lease.reserve(70)
    let settle = () => {}
    const settled = new Promise<void>((resolve) => {
      settle = resolve
    })
    lease.keepUntil(settled)
    lease.release()
    expect(budget.usedBytes()).toBe(70)
    settle()
    await settled
    expect(budget.usedBytes()).toBe(0)
  })

  it('takes room back from the bodies that have been arriving for longest, once they are a second old', () => {
    const clock = { nowMs: 0 }
    const budget = createByteBudget(100, () => clock.nowMs)
    const gaveUp: string[] = []
    const arriving = (name: string, bytes: number) => {
      const lease = budget.lease()
      lease.whileArriving(() => gaveUp.push(name))
      expect(lease.reserve(bytes)).toBe(true)
      return lease
    }
    const complete = arriving('complete', 20)
    complete.hold()
    const [first, second] = [arriving('first', 30), arriving('second', 30)]
    clock.nowMs = 500
    arriving('young', 20)
    const newcomer = budget.lease()
    expect(newcomer.reserve(25)).toBe(false)
    clock.nowMs = 1000
    expect(newcomer.reserve(25)).toBe(true)
    expect(gaveUp).toEqual(['first'])
    // No room could be made for so much, so nobody gives way for it; nor does a body for itself.
    expect(newcomer.reserve(90)).toBe(false)
    expect(second.reserve(70)).toBe(false)
    expect(gaveUp).toEqual(['first'])
    first.release()
    expect(budget.usedBytes()).toBe(95)
  })
})

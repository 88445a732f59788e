import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createWorkGate } from './work-gate.ts'

describe('createWorkGate', () => {
  it('works on no more bytes than its limit, except on one thing alone, and on all in the order they came', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ bytes: fc.nat(200), turns: fc.nat(3), fails: fc.boolean() })),
        async (jobs) => {
          const gate = createWorkGate(100)
          const working: number[] = []
          const started: number[] = []
          const outcomes = jobs.map(({ bytes, turns, fails }, index) =>
            gate.run(bytes, async () => {
              started.push(index)
              working.push(bytes)
              const sum = working.reduce((total, one) => total + one, 0)
              expect(sum <= 100 || working.filter((one) => one > 0).length === 1).toBe(true)
              for (let turn = 0; turn < turns; turn += 1) await Promise.resolve()
              working.splice(working.indexOf(bytes), 1)
              if (fails) throw new Error('failed')
              return index
            }),
          )
          const settled = await Promise.allSettled(outcomes)
          expect(settled.map(({ status }) => status === 'rejected')).toEqual(jobs.map(({ fails }) => fails))
          expect(started).toEqual(jobs.map((_, index) => index))
        },
      ),
      { seed: 11 },
    )
  })
})

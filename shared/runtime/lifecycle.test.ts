import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { startAll } from './lifecycle.ts'

/** A part that records its start and stop, and fails at either when told to. */
function part(name: number, journal: string[], failing: { start?: boolean; stop?: boolean } = {}) {
  return async () => {
    if (failing.start === true) throw new Error(`start ${name}`)
    journal.push(`+${name}`)
    return async () => {
      journal.push(`-${name}`)
      if (failing.stop === true) throw new Error(`stop ${name}`)
    }
  }
}

describe('startAll', () => {
  it('stops in reverse order, once, however often stop is called', async () => {
    const journal: string[] = []
    const stop = await startAll(part(1, journal), part(2, journal))
    await Promise.all([stop(), stop()])
    expect(journal).toEqual(['+1', '+2', '-2', '-1'])
  })

  it('stops every part that had started, exactly once, wherever the start fails', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 8 }), fc.nat(7), async (count, position) => {
        const failAt = position % count
        const journal: string[] = []
        const parts = Array.from({ length: count }, (_, index) =>
          part(index, journal, { start: index === failAt }),
        )
        await expect(startAll(...parts)).rejects.toThrow(`start ${failAt}`)
        const started = Array.from({ length: failAt }, (_, index) => index)
        expect(journal).toEqual([...started.map((n) => `+${n}`), ...started.toReversed().map((n) => `-${n}`)])
      }),
    )
  })

  it('stops the others when one fails to stop, and reports it', async () => {
    const journal: string[] = []
    const stop = await startAll(part(1, journal), part(2, journal, { stop: true }), part(3, journal))
    await expect(stop()).rejects.toThrow('some parts did not stop cleanly')
    expect(journal.slice(3)).toEqual(['-3', '-2', '-1'])
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createSourceCounts } from './source-traffic.ts'

const HOUR_SECONDS = 3600
const START_HOUR = 490_000
const all = { dueMin: 0, names: new Set(['main']) }

describe('createSourceCounts', () => {
  it('counts the hours of the last five weeks, late events in their own', () => {
    const offsets = fc.array(fc.integer({ min: 0, max: 1200 * HOUR_SECONDS }), {
      minLength: 1,
      maxLength: 60,
    })
    fc.assert(
      fc.property(offsets, (seconds) => {
        const counts = createSourceCounts()
        for (const offset of seconds) counts.count('main', START_HOUR * HOUR_SECONDS + offset)
        const [main] = counts.quietAt(0, all)
        const latest = Math.max(...seconds)
        const hours = new Map<number, number>()
        for (const offset of seconds) {
          const hour = START_HOUR + Math.floor(offset / HOUR_SECONDS)
          hours.set(hour, (hours.get(hour) ?? 0) + 1)
        }
        const oldest = START_HOUR + Math.floor(latest / HOUR_SECONDS) - 840
        // What had already left the ring when it came, or has left it since, is not there.
        for (const { hour, events } of main?.hours ?? [])
          expect(events).toBeLessThanOrEqual(hours.get(hour) ?? 0)
        const wanted = [...hours.keys()].filter((hour) => hour > oldest)
        expect(main?.hours.map(({ hour }) => hour)).toEqual(wanted.toSorted((a, b) => a - b))
        expect(main?.lastSeen).toBe(START_HOUR * HOUR_SECONDS + latest)
      }),
    )
  })

  it('answers a source only when its busiest hours would have sent something by now', () => {
    const counts = createSourceCounts()
    for (let second = 0; second < 3600; second += 36) counts.count('main', START_HOUR * HOUR_SECONDS + second)
    const last = START_HOUR * HOUR_SECONDS + 3564
    const quiet = (seconds: number) => counts.quietAt(last + seconds, { dueMin: 8, names: new Set() }).length
    expect(quiet(60)).toBe(0)
    expect(quiet(130)).toBe(0)
    expect(quiet(150)).toBe(1)
  })
})

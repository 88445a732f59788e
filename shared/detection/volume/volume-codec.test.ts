import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../../test/support/test-traffic.ts'
import { FIRST_MONDAY, honestHabits, type VolumeHabit } from '../../../test/support/volume-habits.ts'
import { keepingSink, runHabit } from '../../../test/support/volume-run.ts'
import { createVolume, decodeVolume, encodeVolume } from './volume-watch.ts'

const DAY = 1440

describe('encodeVolume', () => {
  it('at any point makes a state that reports and becomes the same as the one that went on', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 16 * DAY }), fc.nat(1000), (cut, seed) => {
        const names = ['dayTraffic', 'weeklyNewsletter', 'testKey'] as const
        const honest = honestHabits[names[seed % 3] ?? 'testKey'](seed)
        const random = seededRandom(seed)
        const habit: VolumeHabit = (minute) => honest(minute) + (random() < 0.001 ? 600 * random() : 0)
        const counts = Array.from({ length: 17 * DAY }, (_, minute) => habit(FIRST_MONDAY + minute))
        const replay: VolumeHabit = (minute) => counts[minute - FIRST_MONDAY] ?? 0
        const whole = createVolume()
        runHabit(whole, replay, {
          fromMinute: FIRST_MONDAY,
          toMinute: FIRST_MONDAY + cut,
          sink: keepingSink(),
        })
        const again = decodeVolume(JSON.parse(JSON.stringify(encodeVolume(whole))))
        const sinks = [whole, again].map((state) => {
          const sink = keepingSink()
          runHabit(state, replay, {
            fromMinute: FIRST_MONDAY + cut,
            toMinute: FIRST_MONDAY + 17 * DAY,
            sink,
          })
          return sink.reports
        })
        expect(sinks[1]).toEqual(sinks[0])
        expect(encodeVolume(again)).toEqual(encodeVolume(whole))
      }),
      { numRuns: 12, seed: 7 },
    )
  }, 60_000)

  it('refuses JSON that is no state, and says what to do', () => {
    const json = encodeVolume(createVolume())
    expect(() => decodeVolume({ ...json, bytes: 'AAAA' })).toThrow(/Make the state anew/)
    expect(() => decodeVolume({ ...json, headMinute: 'now' })).toThrow(/headMinute/)
    expect(() => decodeVolume(null)).toThrow(/Not the state/)
  })
})

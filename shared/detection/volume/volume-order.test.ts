import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../../test/support/test-traffic.ts'
import { FIRST_MONDAY, honestHabits, type VolumeHabit } from '../../../test/support/volume-habits.ts'
import { judgedGiven, keepingSink, runHabit } from '../../../test/support/volume-run.ts'
import type { Evidence } from '../evidence.ts'
import { advanceVolume, countMessage, createVolume, encodeVolume } from './volume-watch.ts'

const DAY = 1440

/** The largest points of each signal. */
function bestOf(reports: readonly { readonly signal: string; readonly points: number }[]) {
  const best = new Map<string, number>()
  for (const { signal, points } of reports) best.set(signal, Math.max(best.get(signal) ?? 0, points))
  return Object.fromEntries(best)
}

/** A fortnight and a half of a habit, then three days with bursts now and then. */
function someTraffic(seed: number): { readonly history: VolumeHabit; readonly timestamps: number[] } {
  const names = ['dayTraffic', 'shopByDay', 'nightlyBatch', 'testKey'] as const
  const habit = honestHabits[names[seed % names.length] ?? 'testKey'](seed)
  const counts = Array.from({ length: 22 * DAY }, (_, minute) => habit(FIRST_MONDAY + minute))
  const history: VolumeHabit = (minute) => counts[minute - FIRST_MONDAY] ?? 0
  const random = seededRandom(seed)
  const timestamps: number[] = []
  for (let minute = 18 * DAY; minute < 21 * DAY; minute += 1) {
    const burst = random() < 0.002 ? 300 * random() : 0
    const count = history(FIRST_MONDAY + minute) + Math.floor(burst)
    for (let index = 0; index < count; index += 1) {
      timestamps.push((FIRST_MONDAY + minute) * 60 + Math.floor((60 * index) / count))
    }
  }
  return { history, timestamps }
}

describe('the order of messages', () => {
  it('does not matter for what is reported in the end, as long as none is ten minutes late', () => {
    fc.assert(
      fc.property(fc.nat(10_000), (seed) => {
        const { history, timestamps } = someTraffic(seed)
        const random = seededRandom(seed + 1)
        const delayed = timestamps.map((timestamp) => ({ timestamp, at: timestamp + 540 * random() ** 3 }))
        const orders = [
          delayed.map(({ timestamp }) => timestamp),
          delayed.toSorted((a, b) => a.at - b.at).map(({ timestamp }) => timestamp),
        ]
        const [inOrder, shuffled] = orders.map((order) => {
          const state = createVolume()
          runHabit(state, history, {
            fromMinute: FIRST_MONDAY,
            toMinute: FIRST_MONDAY + 18 * DAY,
            sink: keepingSink(),
          })
          const sink = keepingSink()
          for (const timestamp of order) {
            countMessage(state, { timestamp }, judgedGiven, sink)
            advanceVolume(state, state.headMinute - 12, judgedGiven, sink)
          }
          advanceVolume(state, FIRST_MONDAY + 22 * DAY, judgedGiven, sink)
          return { best: bestOf(sink.reports), counts: encodeVolume(state).counts }
        })
        expect(shuffled).toEqual(inOrder)
      }),
      { numRuns: 16, seed: 5 },
    )
  }, 60_000)
})

describe('advanceVolume', () => {
  it('reports and leaves the same, whether it goes by the minute, by odd steps or all at once', () => {
    fc.assert(
      fc.property(fc.nat(10_000), fc.integer({ min: 1, max: 60 * DAY }), (seed, quietMinutes) => {
        const { history } = someTraffic(seed)
        const random = seededRandom(seed)
        const start = FIRST_MONDAY + 16 * DAY
        const end = start + quietMinutes
        const paths = [
          (minute: number) => minute + 1 + Math.floor(50 * random()),
          (minute: number) => minute + 1 + Math.floor(4000 * random() ** 3),
          () => end,
        ]
        const outcomes = paths.map((next) => {
          const state = createVolume()
          runHabit(state, history, { fromMinute: FIRST_MONDAY, toMinute: start, sink: keepingSink() })
          const reports: Evidence[] = []
          const sink = { wants: () => true, report: (evidence: Evidence) => reports.push(evidence) }
          for (let minute = start; minute < end;) {
            minute = Math.min(end, next(minute))
            advanceVolume(state, minute, judgedGiven, sink)
          }
          return { reports, state: encodeVolume(state) }
        })
        expect(outcomes[1]).toEqual(outcomes[0])
        expect(outcomes[2]).toEqual(outcomes[0])
      }),
      { numRuns: 16, seed: 3 },
    )
  }, 60_000)

  it('passes over sixteen years of quiet at no cost, and leaves the same', () => {
    const end = FIRST_MONDAY + 16 * 365 * DAY
    const after = (messages: number, step: number) => {
      const state = createVolume()
      for (let index = 0; index < messages; index += 1) {
        countMessage(state, { timestamp: (FIRST_MONDAY + index * 97) * 60 }, judgedGiven, keepingSink())
      }
      const from = performance.now()
      for (let minute = state.headMinute; minute < end;) {
        minute = Math.min(end, minute + step)
        advanceVolume(state, minute, judgedGiven, keepingSink())
      }
      return { milliseconds: performance.now() - from, state: encodeVolume(state) }
    }
    for (const messages of [1, 400]) {
      const stepByStep = after(messages, 5 * DAY)
      const runs = [1, 2, 3].map(() => after(messages, end))
      for (const { state } of runs) expect(state).toEqual(stepByStep.state)
      // An hour at a time it takes a second and more.
      expect(Math.min(...runs.map(({ milliseconds }) => milliseconds))).toBeLessThan(50)
    }
  })
})

import { describe, expect, it } from 'vitest'
import { FIRST_MONDAY, honestHabits, type VolumeHabit } from '../../../test/support/volume-habits.ts'
import { judgedGiven, keepingSink, runHabit } from '../../../test/support/volume-run.ts'
import { countMessage, createVolume, setVolumeTraining, volumeMaturity } from './volume-watch.ts'

const DAY = 1440
const nothing: VolumeHabit = () => 0

/** Habit for some weeks, then the habit with something added; answers what was reported since then. */
function reportsOf(options: {
  readonly habit: VolumeHabit
  readonly weeks: number
  /** Minutes after the weeks' end. */
  readonly extra: (minute: number) => number
  readonly minutes: number
  readonly familiar?: boolean
}) {
  const state = createVolume()
  const start = FIRST_MONDAY + options.weeks * 7 * DAY
  runHabit(state, options.habit, { fromMinute: FIRST_MONDAY, toMinute: start, sink: keepingSink() })
  const sink = keepingSink()
  let sent = 0
  const both: VolumeHabit = (minute) => {
    const extra = options.extra(minute - start)
    sent += extra
    return options.habit(minute) + extra
  }
  runHabit(state, both, {
    fromMinute: start,
    toMinute: start + options.minutes,
    sink,
    familiar: options.familiar ?? true,
  })
  const best = (signal: string) =>
    sink.reports
      .filter((report) => report.signal === signal)
      .reduce((most, { points }) => Math.max(most, points), 0)
  return { state, sink, sent, best }
}

describe('volume.spike', () => {
  it('a blast of many times the largest window pages by itself, within its first minutes', () => {
    const { sink, best } = reportsOf({
      habit: honestHabits.dayTraffic(1),
      weeks: 5,
      extra: (minute) => (minute >= 600 && minute < 606 ? 400 : 0),
      minutes: 660,
    })
    expect(best('volume.spike')).toBeGreaterThanOrEqual(7)
    const first = sink.reports.find(({ points }) => points >= 6)
    expect(first?.messages).toBeLessThanOrEqual(400)
    expect(first?.text).toMatch(/messages in .* where .* usual/)
  })

  it('a launch that brings 60 % more is worth two points at most', () => {
    const habit = honestHabits.dayTraffic(2)
    const { best } = reportsOf({
      habit,
      weeks: 5,
      extra: (minute) => (habit(minute + FIRST_MONDAY) > 0 && minute % 5 < 3 ? 1 : 0),
      minutes: 7 * DAY,
    })
    expect(best('volume.spike')).toBeLessThanOrEqual(2)
  })
})

describe('volume.off_hours', () => {
  const sunday = 6 * DAY + 180

  it('ten messages at three on a Sunday are news for a key that never worked on a Sunday; two are not', () => {
    const ten = reportsOf({
      habit: honestHabits.shopByDay(3),
      weeks: 5,
      extra: (minute) => (minute >= sunday && minute < sunday + 20 && minute % 2 === 0 ? 1 : 0),
      minutes: 7 * DAY,
    })
    expect(ten.sent).toBe(10)
    expect(ten.best('volume.off_hours')).toBeGreaterThanOrEqual(3)
    const two = reportsOf({
      habit: honestHabits.shopByDay(3),
      weeks: 5,
      extra: (minute) => (minute === sunday || minute === sunday + 9 ? 1 : 0),
      minutes: 7 * DAY,
    })
    expect(two.best('volume.off_hours')).toBe(0)
  })

  it('is silent for a key that has too few messages to be known to sleep', () => {
    const { best } = reportsOf({
      habit: honestHabits.sparse(4),
      weeks: 5,
      extra: (minute) => (minute >= sunday && minute < sunday + 10 ? 1 : 0),
      minutes: 7 * DAY,
    })
    expect(best('volume.off_hours')).toBe(0)
  })
})

describe('a young key', () => {
  it('is judged by the burst rule alone, however old a stray first message is', () => {
    const state = createVolume()
    countMessage(state, { timestamp: (FIRST_MONDAY - 20 * DAY) * 60 }, judgedGiven, keepingSink())
    const sink = keepingSink()
    runHabit(state, (minute) => (minute % 10 === 0 ? 40 : 0), {
      fromMinute: FIRST_MONDAY,
      toMinute: FIRST_MONDAY + 3 * DAY,
      sink,
    })
    expect(sink.reports).toEqual([])
    const maturity = volumeMaturity(state, FIRST_MONDAY + 3 * DAY)
    expect(maturity).toMatchObject({ firstMinute: FIRST_MONDAY, learning: true })
  })

  it.each([
    { messages: 499, points: 0 },
    { messages: 500, points: 3 },
    { messages: 2000, points: 7 },
  ])('$messages messages at once on the first day are $points points', ({ messages, points }) => {
    const { best } = reportsOf({
      habit: nothing,
      weeks: 1,
      extra: (minute) => (minute === 30 ? messages : minute < 15 ? 1 : 0),
      minutes: 32,
    })
    expect(best('volume.spike')).toBeCloseTo(points, 1)
  })
})

describe('setVolumeTraining', () => {
  it('keeps an incident out of what is usual, and a false alarm puts it back', () => {
    const start = FIRST_MONDAY + 35 * DAY
    const habit = honestHabits.dayTraffic(5)
    const blast = { startMinute: start + 600, endMinute: start + 659 }
    const busyHour = (trained: boolean) => {
      const state = createVolume()
      const withBlast: VolumeHabit = (minute) =>
        habit(minute) + (minute >= blast.startMinute && minute <= blast.endMinute ? 300 : 0)
      runHabit(state, withBlast, { fromMinute: FIRST_MONDAY, toMinute: start + 700, sink: keepingSink() })
      setVolumeTraining(state, blast, false)
      if (trained) setVolumeTraining(state, blast, true)
      runHabit(state, habit, { fromMinute: start + 700, toMinute: start + 3 * DAY, sink: keepingSink() })
      return volumeMaturity(state, start + 3 * DAY).busyHour
    }
    expect(busyHour(true)).toBeGreaterThan(1.2 * busyHour(false))
  })
})

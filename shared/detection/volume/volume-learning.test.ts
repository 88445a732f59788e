import { describe, expect, it } from 'vitest'
import { FIRST_MONDAY, honestHabits, type VolumeHabit } from '../../../test/support/volume-habits.ts'
import { defaultDetectionSettings } from '../detection-settings.ts'
import { judgedGiven, keepingSink, runHabit } from '../../../test/support/volume-run.ts'
import { runScenario } from '../../../test/support/volume-scenario.ts'
import {
  acceptVolume,
  countMessage,
  createVolume,
  decodeVolume,
  describeVolume,
  encodeVolume,
  messagesBetween,
  setVolumeTraining,
  volumeMaturity,
} from './volume-watch.ts'

const DAY = 1440
const start = FIRST_MONDAY + 35 * DAY

describe('setVolumeTraining', () => {
  const habit = honestHabits.dayTraffic(5)
  const counts = Array.from({ length: 40 * DAY }, (_, minute) => habit(FIRST_MONDAY + minute))
  const usual: VolumeHabit = (minute) => counts[minute - FIRST_MONDAY] ?? 0
  const blast = { startMinute: start + 600, endMinute: start + 659 }
  const withBlast: VolumeHabit = (minute) =>
    usual(minute) + (minute >= blast.startMinute && minute <= blast.endMinute ? 300 : 0)

  it('keeps an incident out of what is usual, and a false alarm puts it back', () => {
    const busyHour = (trained: boolean) => {
      const state = createVolume()
      runHabit(state, withBlast, { fromMinute: FIRST_MONDAY, toMinute: start + 700, sink: keepingSink() })
      setVolumeTraining(state, blast, false)
      if (trained) setVolumeTraining(state, blast, true)
      runHabit(state, usual, { fromMinute: start + 700, toMinute: start + 3 * DAY, sink: keepingSink() })
      return volumeMaturity(state, start + 3 * DAY).busyHour
    }
    expect(busyHour(true)).toBeGreaterThan(1.2 * busyHour(false))
  })

  it('keeps an incident from being found again in the windows of the day after', () => {
    const reports = (trained: boolean) => {
      const state = createVolume()
      runHabit(state, withBlast, { fromMinute: FIRST_MONDAY, toMinute: start + 720, sink: keepingSink() })
      setVolumeTraining(state, blast, trained)
      const sink = keepingSink()
      runHabit(state, usual, { fromMinute: start + 780, toMinute: start + 2 * DAY, sink })
      return sink.reports.filter(({ signal }) => signal === 'volume.spike')
    }
    expect(reports(false)).toEqual([])
    expect(reports(true)).not.toEqual([])
  })
})

describe('acceptVolume', () => {
  it('makes the level since then the usual one, and the key learns anew', () => {
    const { state, start: change } = runScenario({
      habit: honestHabits.dayTraffic(6),
      weeks: 5,
      after: (usual) => 4 * usual,
      days: 10,
    })
    const before = volumeMaturity(state, change + 10 * DAY)
    acceptVolume(state, change)
    const accepted = volumeMaturity(state, change + 10 * DAY)
    expect(accepted.activeDays).toBeLessThanOrEqual(10)
    expect(accepted.busyHour).toBeGreaterThan(1.3 * before.busyHour)
    const sink = keepingSink()
    const fourfold: VolumeHabit = (minute) => 4 * honestHabits.dayTraffic(7)(minute)
    runHabit(state, fourfold, { fromMinute: change + 10 * DAY, toMinute: change + 12 * DAY, sink })
    expect(sink.reports.filter(({ points }) => points > 2.5)).toEqual([])
  })
})

describe('a key that was accepted anew', () => {
  it('is not found odd for going on as it does, whatever its habit', () => {
    for (const name of ['hourlyBatch', 'nightlyBatch', 'weekendShop', 'dayTraffic'] as const) {
      const habit = honestHabits[name](16)
      const state = createVolume()
      const end = FIRST_MONDAY + 38 * DAY
      runHabit(state, habit, { fromMinute: FIRST_MONDAY, toMinute: end, sink: keepingSink() })
      acceptVolume(state, end - 3 * DAY)
      const sink = keepingSink()
      runHabit(state, habit, { fromMinute: end, toMinute: end + 21 * DAY, sink })
      expect(sink.reports.filter(({ points }) => points > 2.5)).toEqual([])
    }
  })
})

describe('the calendar', () => {
  it('knows the last working day of the month once it has shown itself twice', () => {
    const months = 4
    const state = createVolume()
    const habit = honestHabits.monthEnd(8)
    const bests: number[] = []
    for (let month = 0; month < months; month += 1) {
      const sink = keepingSink()
      runHabit(state, habit, {
        fromMinute: Date.UTC(2026, month, 6) / 60_000,
        toMinute: Date.UTC(2026, month + 1, 6) / 60_000,
        sink,
        familiar: false,
      })
      bests.push(Math.max(0, ...sink.reports.map(({ points }) => points)))
    }
    expect(bests[0]).toBeGreaterThanOrEqual(5)
    expect(bests[3]).toBeLessThanOrEqual(3)
  })
})

describe('messagesBetween', () => {
  it('counts by the minute within the last two hours, and by whole hours before', () => {
    const state = createVolume()
    const first = FIRST_MONDAY
    runHabit(state, () => 1, { fromMinute: first, toMinute: first + 600, sink: keepingSink() })
    expect(messagesBetween(state, first + 590, first + 599)).toBe(10)
    expect(messagesBetween(state, first + 590, first + 594)).toBe(5)
    expect(messagesBetween(state, first, first + 599)).toBe(600)
    expect(messagesBetween(state, first + 120, first + 599)).toBe(480)
    expect(messagesBetween(state, first + 700, first + 800)).toBe(0)
  })
})

describe('volumeMaturity', () => {
  it('says until when a key is learning: seven active days, or a fortnight', () => {
    const maturityAfter = (days: number) => {
      const state = createVolume()
      const end = FIRST_MONDAY + days * DAY
      runHabit(state, honestHabits.shopByDay(9), {
        fromMinute: FIRST_MONDAY,
        toMinute: end,
        sink: keepingSink(),
      })
      return volumeMaturity(state, end)
    }
    const early = maturityAfter(3)
    expect(early).toMatchObject({ learning: true, activeDays: 3 })
    expect(early.learningUntil).toBeGreaterThanOrEqual(FIRST_MONDAY + 7 * DAY)
    expect(early.learningUntil).toBeLessThanOrEqual(FIRST_MONDAY + 14 * DAY)
    expect(maturityAfter(10)).toMatchObject({ learning: false })
  })

  it('says what the key is like', () => {
    const state = createVolume()
    runHabit(state, honestHabits.weeklyNewsletter(9), {
      fromMinute: FIRST_MONDAY,
      toMinute: start,
      sink: keepingSink(),
    })
    const maturity = volumeMaturity(state, start)
    expect(maturity).toMatchObject({ burstKey: true, learning: false, activeDays: 5 })
    expect(maturity.longestGapHours).toBeGreaterThan(150)
  })
})

describe('describeVolume', () => {
  it('gives what is usual in this hour as JSON, and leaves the state as it is', () => {
    const { state } = runScenario({
      habit: honestHabits.dayTraffic(10),
      weeks: 3,
      after: (usual) => usual,
      days: 1,
    })
    const copy = decodeVolume(encodeVolume(state))
    const description = describeVolume(copy, defaultDetectionSettings)
    expect(JSON.parse(JSON.stringify(description))).toEqual(description)
    expect(description).toMatchObject({ works_in_bursts: false, still_learning: false })
    expect('windows' in description && description.windows).toHaveLength(5)
  })

  it('has nothing to say of a key without a message', () => {
    expect(describeVolume(createVolume(), defaultDetectionSettings)).toEqual({ messages_seen: false })
  })
})

describe('countMessage', () => {
  it('counts any number of messages in an hour', () => {
    const state = createVolume()
    const sink = { wants: () => false, report: () => undefined }
    for (let index = 0; index < 70_000; index += 1) {
      countMessage(state, { timestamp: start * 60 + (index % 3600) }, judgedGiven, sink)
    }
    expect(messagesBetween(state, start, start + 59)).toBe(70_000)
    expect(messagesBetween(decodeVolume(encodeVolume(state)), start, start + 59)).toBe(70_000)
  })
})

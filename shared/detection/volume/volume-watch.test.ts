import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../../test/support/test-traffic.ts'
import { FIRST_MONDAY, honestHabits, poisson, type VolumeHabit } from '../../../test/support/volume-habits.ts'
import { judgedGiven, keepingSink, runHabit } from '../../../test/support/volume-run.ts'
import { runScenario, scaled } from '../../../test/support/volume-scenario.ts'
import { countMessage, createVolume, volumeMaturity } from './volume-watch.ts'

const DAY = 1440
const HOUR = 60

describe('volume.spike', () => {
  it('a blast of many times the largest window pages by itself, within its first minutes', () => {
    const { sink, best } = runScenario({
      habit: honestHabits.dayTraffic(1),
      weeks: 5,
      after: (usual, minute) => usual + (minute >= 600 && minute < 606 ? 400 : 0),
      days: 1,
    })
    expect(best('volume.spike')).toBeGreaterThanOrEqual(7)
    const first = sink.reports.find(({ points }) => points >= 6)
    expect(first?.messages).toBeLessThanOrEqual(400)
    expect(first?.text).toMatch(/messages in .* where .* usual/)
  })

  it('stays at two points for a launch that brings 60 % more', () => {
    const random = seededRandom(2)
    const { best } = runScenario({
      habit: honestHabits.dayTraffic(2),
      weeks: 6,
      after: (usual) => scaled(usual, 1.6, random),
      days: 21,
    })
    expect(best('volume.spike')).toBeLessThanOrEqual(2)
    expect(best('volume.ramp')).toBeLessThanOrEqual(2)
  })

  it('takes an invoice run of ten times the usual at the end of a month for what it is, if the sender is familiar', () => {
    // The eighth week begins on 2026-02-23; its Friday is the month's last working day.
    const friday = 4 * DAY
    const run = (familiar: boolean) =>
      runScenario({
        habit: honestHabits.dayTraffic(3),
        weeks: 7,
        after: (usual, minute) => usual * (minute >= friday && minute < friday + DAY ? 10 : 1),
        days: 5,
        familiar,
      }).best('volume.spike')
    expect(run(true)).toBeLessThanOrEqual(3)
    expect(run(false)).toBeGreaterThanOrEqual(6)
  })

  it('does not take the catching up after an outage for a burst', () => {
    let kept = 0
    const { best } = runScenario({
      habit: honestHabits.dayTraffic(4),
      weeks: 6,
      after: (usual, minute) => {
        if (minute >= 9 * HOUR && minute < 15 * HOUR) {
          kept += usual
          return 0
        }
        const late = minute >= 15 * HOUR ? Math.min(kept, 60) : 0
        kept -= late
        return usual + late
      },
      days: 2,
    })
    expect(best('volume.spike')).toBeLessThanOrEqual(2)
    // Half a day without a message is news, but no page.
    expect(best('volume.drop')).toBeLessThanOrEqual(4)
  })

  it('takes the hour that clocks are moved by for no excess and no shortfall', () => {
    for (const shift of [-HOUR, HOUR]) {
      for (const name of ['dayTraffic', 'shopByDay', 'nightlyBatch'] as const) {
        const habit = honestHabits[name](5)
        const state = createVolume()
        const start = FIRST_MONDAY + 6 * 7 * DAY
        runHabit(state, habit, { fromMinute: FIRST_MONDAY, toMinute: start, sink: keepingSink() })
        const sink = keepingSink()
        const shifted: VolumeHabit = (minute) => habit(minute + shift)
        runHabit(state, shifted, { fromMinute: start, toMinute: start + 21 * DAY, sink })
        expect(Math.max(0, ...sink.reports.map(({ points }) => points))).toBeLessThanOrEqual(2.1)
      }
    }
  })
})

describe('a key that works in bursts', () => {
  it('may send a newsletter on another day, or a batch twice', () => {
    const newsletter = honestHabits.weeklyNewsletter(6)
    const moved = runScenario({
      habit: (minute) => newsletter(minute),
      weeks: 6,
      after: (_, minute) => newsletter(FIRST_MONDAY + 6 * 7 * DAY + minute + 2 * DAY),
      days: 7,
    })
    expect(moved.best('volume.spike')).toBeLessThanOrEqual(1.5)
    expect(moved.best('volume.drop')).toBeLessThanOrEqual(1.5)
    expect(moved.best('volume.off_hours')).toBe(0)

    const batch = honestHabits.nightlyBatch(7)
    const again: number[] = []
    const twice = runScenario({
      habit: batch,
      weeks: 6,
      after: (usual, minute) => {
        again[minute + 10 * HOUR] = usual
        return usual + (again[minute] ?? 0)
      },
      days: 1,
    })
    expect(twice.best('volume.spike')).toBeLessThanOrEqual(2)
  })

  it('is worth three points with six times its largest send from a familiar sender, and more from a strange one', () => {
    const run = (familiar: boolean) =>
      runScenario({
        habit: honestHabits.weeklyNewsletter(8),
        weeks: 6,
        after: (usual, minute) => usual + (minute >= 120 && minute < 150 ? 1500 : 0),
        days: 1,
        familiar,
      }).best('volume.spike')
    expect(run(true)).toBeLessThanOrEqual(3)
    expect(run(false)).toBeGreaterThanOrEqual(6)
  })
})

describe('volume.off_hours', () => {
  const sunday = 6 * DAY + 3 * HOUR

  it('ten messages at three on a Sunday are news for a key that never worked on a Sunday; two are not', () => {
    const run = (messages: number) =>
      runScenario({
        habit: honestHabits.shopByDay(3),
        weeks: 5,
        after: (usual, minute) => usual + (minute >= sunday && minute < sunday + messages ? 1 : 0),
        days: 7,
      }).best('volume.off_hours')
    expect(run(10)).toBeGreaterThanOrEqual(3)
    expect(run(2)).toBe(0)
  })

  it('finds thirty messages an hour at night within the first fifteen', () => {
    const { sink } = runScenario({
      habit: honestHabits.shopByDay(9),
      weeks: 5,
      after: (usual, minute) => usual + (minute >= 60 && minute < 240 && minute % 2 === 0 ? 1 : 0),
      days: 1,
    })
    const first = sink.reports.find(({ signal, points }) => signal === 'volume.off_hours' && points >= 3)
    expect(first?.messages).toBeLessThanOrEqual(15)
    expect(sink.reports.at(-1)?.points).toBeGreaterThanOrEqual(6)
  })

  it('is silent for a key that has too few messages to be known to sleep', () => {
    const { best } = runScenario({
      habit: honestHabits.sparse(4),
      weeks: 5,
      after: (usual, minute) => usual + (minute >= sunday && minute < sunday + 10 ? 1 : 0),
      days: 7,
    })
    expect(best('volume.off_hours')).toBe(0)
  })
})

describe('volume.ramp', () => {
  it('finds a volume that doubles each hour, when it stands out over the largest hour', () => {
    const random = seededRandom(10)
    const { sink } = runScenario({
      habit: honestHabits.passwordResets(10),
      weeks: 6,
      after: (usual, minute) =>
        usual +
        (minute >= 480 && minute < 900 ? poisson(random, 0.1 * 2 ** Math.floor((minute - 480) / 60)) : 0),
      days: 1,
    })
    const ramp = sink.reports.filter(({ signal }) => signal === 'volume.ramp')
    expect(Math.max(...ramp.map(({ points }) => points))).toBeGreaterThanOrEqual(6)
    // The ramp starts at 08:00; four hours later it is told.
    expect(ramp[0]?.windowSeconds).toBeLessThanOrEqual(4 * 3600)
  })

  it('finds 15 % more a day within days, although each day is hardly more than the last', () => {
    const random = seededRandom(11)
    const { best } = runScenario({
      habit: honestHabits.dayTraffic(11),
      weeks: 6,
      after: (usual, minute) => scaled(usual, 1.15 ** (minute / DAY), random),
      days: 10,
    })
    expect(best('volume.ramp')).toBeGreaterThanOrEqual(5)
    expect(best('volume.spike')).toBeLessThan(5)
  })

  it.each([
    { what: '8 % a week', perDay: 1.08 ** (1 / 7) },
    { what: '20 % a month', perDay: 1.2 ** (1 / 30) },
  ])('stays quiet for growth of $what', ({ perDay }) => {
    const random = seededRandom(12)
    const { best } = runScenario({
      habit: honestHabits.dayTraffic(12),
      weeks: 4,
      after: (usual, minute) => scaled(usual, perDay ** (minute / DAY), random),
      days: 60,
    })
    expect(best('volume.ramp')).toBeLessThanOrEqual(2)
  })
})

describe('volume.drop', () => {
  it('tells a stop of a key that never rests, and that SendGrid may have revoked it', () => {
    const { sink, best } = runScenario({
      habit: honestHabits.hourlyBatch(13),
      weeks: 5,
      after: (usual, minute) => (minute < 12 * HOUR ? usual : 0),
      days: 3,
    })
    expect(best('volume.drop')).toBeGreaterThanOrEqual(6)
    expect(sink.reports.at(-1)?.text).toMatch(/no message in .*SendGrid revokes keys that it finds leaked/)
  })

  it('stays at two points on holidays, and when they are over', () => {
    const random = seededRandom(14)
    const { best } = runScenario({
      habit: honestHabits.dayTraffic(14),
      weeks: 6,
      after: (usual, minute) => scaled(usual, minute < 14 * DAY ? 0.15 : 1, random),
      days: 24,
    })
    for (const signal of ['volume.drop', 'volume.spike', 'volume.ramp', 'volume.off_hours']) {
      expect(best(signal)).toBeLessThanOrEqual(2.1)
    }
  })

  it('says nothing of a key from which nothing may be expected', () => {
    const { best } = runScenario({ habit: honestHabits.sparse(15), weeks: 5, after: () => 0, days: 14 })
    expect(best('volume.drop')).toBe(0)
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
    { messages: 2000, points: 4 },
    { messages: 8000, points: 5 },
  ])('$messages messages at once on the first day are $points points', ({ messages, points }) => {
    const { best } = runScenario({
      habit: () => 0,
      weeks: 1,
      after: (_, minute) => (minute === 30 ? messages : minute < 15 ? 1 : 0),
      days: 1,
    })
    expect(best('volume.spike')).toBeCloseTo(points, 1)
  })
})

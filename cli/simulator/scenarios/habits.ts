import type { BatchHabit, DayProfile, Habit, SteadyHabit, Volume } from '../habit.ts'
import { logNormal, pick, pickWeighted, type Random } from '../random.ts'
import { aroundTheClock, consumerDay, EVERY_DAY, officeDay, rest, scaled } from '../usual-habits.ts'
import { offsetHours, type Zone } from '../zone.ts'
import { HOUR_MS } from '../habit.ts'
import { between, clamp, wholeBetween } from './draw.ts'
import { DAY_MS, weekdayOf, WORKING_DAYS } from './local-time.ts'

export type HabitDraw = {
  readonly habit: Habit
  readonly volume?: Volume
  /** What kind of people and content go with it. */
  readonly kind: 'service' | 'office' | 'campaign' | 'internal' | 'test'
}
type Draw = (random: Random, startMs: number) => HabitDraw

const drawZone = (random: Random) =>
  pickWeighted<Zone>(random, [
    ['Europe/Berlin', 55],
    ['America/New_York', 33],
    [0, 6],
    [9, 6],
  ])

function steadyHabit(
  random: Random,
  habit: {
    readonly perDay: number
    readonly workingDay: DayProfile
    readonly weekend: DayProfile
    readonly zones?: SteadyHabit['zones']
  },
): SteadyHabit {
  const { perDay, workingDay, weekend } = habit
  return {
    kind: 'steady',
    messagesPerWeek: perDay * 7,
    workingDay,
    weekend,
    zones: habit.zones ?? [[drawZone(random), 1]],
    dayShape: between(random, 8, 60),
    hourShape: between(random, 5, 30),
  }
}

function batchHabit(
  random: Random,
  habit: Pick<BatchHabit, 'weekdays' | 'startMinutes' | 'startJitterMinutes' | 'sizeMedian' | 'sizeSigma'> &
    Partial<BatchHabit>,
): BatchHabit {
  return {
    kind: 'batch',
    messagesPerSecond: clamp(habit.sizeMedian / between(random, 120, 1200), 0.2, 12),
    zone: drawZone(random),
    recipientsPerSend: pick(random, [1, 1, 100, 1000]),
    ...habit,
  }
}

/** Daily volume: a median, most keys within a factor of three, none too large for a long simulation. */
const size = (random: Random, median: number) => clamp(logNormal(random, median, 0.9), median / 8, 4000)

/** Days of a month near its end and beginning, when invoices go out. */
function monthEndFactor(zone: Zone, factor: number): Volume {
  return (atMs) => {
    const localMs = atMs + offsetHours(zone, atMs) * HOUR_MS
    const day = new Date(localMs).getUTCDate()
    return day === 1 || new Date(localMs + DAY_MS).getUTCDate() === 1 ? factor : 1
  }
}

/** Days on and days off by turns, from the beginning. */
function alternating(startMs: number, onDays: number, offDays: number): Volume {
  return (atMs) => {
    const day = Math.floor((atMs - startMs) / DAY_MS)
    const place = ((day % (onDays + offDays)) + onDays + offDays) % (onDays + offDays)
    return place < onDays ? 1 : 0
  }
}

/** Every habit by name. Sizes, zones and unevenness differ from key to key; `startMs` is when the history begins. */
export const habits = {
  'day-transactional': (random) => ({
    kind: pick(random, ['office', 'service'] as const),
    habit: steadyHabit(random, {
      perDay: size(random, 70),
      workingDay: officeDay,
      weekend: random.next() < 0.7 ? rest : scaled(officeDay, between(random, 0.05, 0.3)),
    }),
  }),
  'shop-orders': (random) => ({
    kind: 'service',
    habit: steadyHabit(random, {
      perDay: size(random, 170),
      workingDay: consumerDay,
      weekend: scaled(consumerDay, between(random, 0.5, 0.95)),
    }),
  }),
  'password-resets': (random) => ({
    kind: 'service',
    habit: steadyHabit(random, {
      perDay: size(random, 110),
      workingDay: aroundTheClock,
      weekend: scaled(aroundTheClock, between(random, 0.7, 1)),
    }),
  }),
  'nightly-batch': (random) => ({
    kind: 'office',
    habit: batchHabit(random, {
      weekdays: random.next() < 0.6 ? EVERY_DAY : WORKING_DAYS,
      startMinutes: [wholeBetween(random, 0, 20) * 15],
      startJitterMinutes: between(random, 2, 15),
      sizeMedian: size(random, 140),
      sizeSigma: between(random, 0.05, 0.25),
    }),
  }),
  'hourly-batch': (random) => {
    const first = wholeBetween(random, 0, 8)
    const minute = wholeBetween(random, 0, 59)
    return {
      kind: 'service',
      habit: batchHabit(random, {
        weekdays: random.next() < 0.5 ? EVERY_DAY : [1, 2, 3, 4, 5, 6],
        startMinutes: Array.from({ length: 14 }, (_, hour) => (first + hour) * 60 + minute),
        startJitterMinutes: between(random, 0.2, 2),
        sizeMedian: clamp(size(random, 10), 2, 150),
        sizeSigma: between(random, 0.2, 0.5),
      }),
    }
  },
  'weekly-newsletter': (random) => ({
    kind: 'campaign',
    habit: batchHabit(random, {
      weekdays: [pick(random, [1, 2, 3, 4, 5, 0])],
      startMinutes: [wholeBetween(random, 14, 40) * 30],
      startJitterMinutes: between(random, 2, 25),
      sizeMedian: clamp(size(random, 1100), 300, 6000),
      sizeSigma: between(random, 0.05, 0.3),
      messagesPerSecond: between(random, 1, 10),
    }),
  }),
  'monthly-invoices': (random) => ({
    kind: 'office',
    habit: batchHabit(random, {
      weekdays: [],
      monthDays: pick(random, [[1], [-1], [1, 15], [2], [28]]),
      startMinutes: [wholeBetween(random, 6, 18) * 60],
      startJitterMinutes: between(random, 5, 40),
      sizeMedian: clamp(size(random, 500), 80, 4000),
      sizeSigma: between(random, 0.05, 0.2),
    }),
  }),
  'month-end-peak': (random) => {
    const zone = drawZone(random)
    const perDay = size(random, 60)
    return {
      kind: 'office',
      habit: steadyHabit(random, { perDay, workingDay: officeDay, weekend: rest, zones: [[zone, 1]] }),
      volume: monthEndFactor(zone, between(random, 1.8, 4)),
    }
  },
  'internal-few': (random) => ({
    kind: 'internal',
    habit: {
      ...steadyHabit(random, { perDay: between(random, 0.25, 3), workingDay: officeDay, weekend: rest }),
      dayShape: between(random, 1, 4),
    },
  }),
  'weekend-shop': (random) => ({
    kind: 'service',
    habit: steadyHabit(random, {
      perDay: size(random, 150),
      workingDay: consumerDay,
      weekend: scaled(consumerDay, between(random, 1.4, 2.5)),
    }),
  }),
  international: (random) => {
    const share = between(random, 0.35, 0.65)
    return {
      kind: 'service',
      habit: steadyHabit(random, {
        perDay: size(random, 170),
        workingDay: consumerDay,
        weekend: scaled(consumerDay, between(random, 0.4, 0.9)),
        zones: [
          ['Europe/Berlin', share],
          ['America/New_York', 1 - share],
        ],
      }),
    }
  },
  'growing-start-up': (random, startMs) => {
    const growth = between(random, 1.06, 1.09)
    return {
      kind: 'service',
      habit: steadyHabit(random, {
        perDay: size(random, 60),
        workingDay: consumerDay,
        weekend: scaled(consumerDay, between(random, 0.5, 0.9)),
      }),
      volume: (atMs) => growth ** ((atMs - startMs) / (7 * DAY_MS)),
    }
  },
  'on-and-off': (random, startMs) => ({
    kind: 'service',
    habit: steadyHabit(random, {
      perDay: size(random, 90),
      workingDay: consumerDay,
      weekend: scaled(consumerDay, 0.8),
    }),
    volume: alternating(startMs, wholeBetween(random, 1, 5), wholeBetween(random, 1, 4)),
  }),
  'test-key': (random) => ({
    kind: 'test',
    habit: {
      ...steadyHabit(random, { perDay: between(random, 0.8, 8), workingDay: officeDay, weekend: rest }),
      dayShape: 1,
      hourShape: 1,
    },
  }),
  'heavy-mondays': (random) => {
    const zone = drawZone(random)
    const perDay = size(random, 50)
    const habit = steadyHabit(random, { perDay, workingDay: officeDay, weekend: rest, zones: [[zone, 1]] })
    const monday = between(random, 6, 11)
    return {
      kind: 'office',
      habit: { ...habit, dayShape: between(random, 2, 6) },
      volume: (atMs) => {
        const localMs = atMs + offsetHours(zone, atMs) * HOUR_MS
        return weekdayOf(Math.floor(localMs / DAY_MS)) === 1 ? monday : 1
      },
    }
  },
} as const satisfies Record<string, Draw>

export type HabitName = keyof typeof habits

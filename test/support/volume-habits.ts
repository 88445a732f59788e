import { seededRandom } from './test-traffic.ts'

type Random = () => number

/** Messages of one key in one minute (since the epoch). */
export type VolumeHabit = (minute: number) => number

const DAY = 1440
/** 2026-01-05 00:00 UTC, a Monday, in minutes since the epoch. */
export const FIRST_MONDAY = Date.UTC(2026, 0, 5) / 60_000

function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

/** Exact by inversion for small means, by the normal approximation above 60. */
export function poisson(random: Random, mean: number): number {
  if (mean <= 0) return 0
  if (mean > 60) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(random)))
  const limit = Math.exp(-mean)
  let count = 0
  for (let product = random(); product > limit; product *= random()) count += 1
  return count
}

/** A number that is the same for a whole block of time, whatever is drawn in between. */
function steady(seed: number, block: number): Random {
  const random = seededRandom(seed * 7919 + block * 104_729)
  random()
  return random
}

const dayOf = (minute: number) => Math.floor((minute - FIRST_MONDAY) / DAY)
const weekdayOf = (minute: number) => ((dayOf(minute) % 7) + 7) % 7
const timeOfDay = (minute: number) => minute % DAY

function isLastWorkingDay(minute: number): boolean {
  const date = new Date(minute * 60_000)
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0))
  while (last.getUTCDay() === 0 || last.getUTCDay() === 6) last.setUTCDate(last.getUTCDate() - 1)
  return date.getUTCDate() === last.getUTCDate()
}

function officeHours(minute: number): number {
  const hour = timeOfDay(minute) / 60
  if (hour < 7 || hour > 19) return 0
  const lunch = hour > 12 && hour < 13 ? 0.5 : 1
  return Math.sin(((hour - 7) / 12) * Math.PI) * lunch
}

/** What honest keys are like; each with its own seed. Noise is by the hour and by the day, as in real mail. */
export const honestHabits = {
  /** Office hours with a lunch dip, hardly anything at weekends and nights. */
  dayTraffic: (seed) => {
    const random = seededRandom(seed)
    return (minute) => {
      const weekend = weekdayOf(minute) >= 5 ? 0.15 : 1
      const hourly = Math.exp(0.25 * normal(steady(seed + 1, Math.floor(minute / 60))))
      const daily = Math.exp(0.15 * normal(steady(seed + 2, dayOf(minute))))
      return poisson(random, 2 * (officeHours(minute) + 0.02) * weekend * hourly * daily)
    }
  },
  /** Strictly asleep at night and on Sundays. */
  shopByDay: (seed) => {
    const random = seededRandom(seed)
    return (minute) =>
      weekdayOf(minute) === 6
        ? 0
        : poisson(
            random,
            0.8 * officeHours(minute) * Math.exp(0.3 * normal(steady(seed + 1, Math.floor(minute / 60)))),
          )
  },
  passwordResets: (seed) => {
    const random = seededRandom(seed)
    return (minute) => poisson(random, 0.1 * (1 + 0.8 * Math.sin((timeOfDay(minute) / DAY) * 2 * Math.PI)))
  },
  nightlyBatch: (seed) => {
    const random = seededRandom(seed)
    return (minute) => {
      const daily = steady(seed + 2, dayOf(minute))
      const start = 120 + Math.floor(40 * daily())
      const size = 1500 * Math.exp(0.15 * normal(daily))
      const at = timeOfDay(minute)
      return at >= start && at < start + 10 ? poisson(random, size / 10) : 0
    }
  },
  hourlyBatch: (seed) => {
    const random = seededRandom(seed)
    return (minute) =>
      minute % 60 === 5
        ? poisson(random, 40 * Math.exp(0.4 * normal(steady(seed + 1, Math.floor(minute / 60)))))
        : 0
  },
  weeklyNewsletter: (seed) => {
    const random = seededRandom(seed)
    return (minute) => {
      const weekly = steady(seed + 3, Math.floor(dayOf(minute) / 7))
      const start = 3 * DAY + 600 + Math.floor(120 * weekly())
      const size = 4000 * Math.exp(0.2 * normal(weekly))
      const at = (minute - FIRST_MONDAY) % (7 * DAY)
      return at >= start && at < start + 15 ? poisson(random, size / 15) : 0
    }
  },
  /** A few messages a week, in office hours. */
  sparse: (seed) => {
    const random = seededRandom(seed)
    return (minute) => {
      const at = timeOfDay(minute)
      if (at < 540 || at >= 1020 || weekdayOf(minute) >= 5) return 0
      return random() < 0.0021 ? 1 + Math.floor(3 * random()) : 0
    }
  },
  /** Grows by 8 % a week. */
  growing: (seed) => {
    const day = honestHabits.dayTraffic(seed)
    const random = seededRandom(seed + 9)
    return (minute) => {
      const factor = 1.08 ** ((minute - FIRST_MONDAY) / (7 * DAY))
      let count = 0
      const base = day(minute)
      for (let one = 0; one < base; one += 1) count += Math.floor(factor) + (random() < factor % 1 ? 1 : 0)
      return count
    }
  },
  /** Ten times as much on the last working day of the month. */
  monthEnd: (seed) => {
    const random = seededRandom(seed)
    return (minute) => {
      const peak = isLastWorkingDay(minute) ? 10 : 1
      const hourly = Math.exp(0.25 * normal(steady(seed + 1, Math.floor(minute / 60))))
      const weekend = weekdayOf(minute) >= 5 ? 0.15 : 1
      return poisson(random, peak * 1.5 * (officeHours(minute) + 0.02) * weekend * hourly)
    }
  },
  /** Statements on the second of the month, nothing else. */
  monthlyStatement: (seed) => {
    const random = seededRandom(seed)
    return (minute) => {
      const date = new Date(minute * 60_000)
      if (date.getUTCDate() !== 2) return 0
      const monthly = steady(seed + 4, date.getUTCMonth() + 12 * date.getUTCFullYear())
      const start = 300 + Math.floor(120 * monthly())
      const size = 6000 * Math.exp(0.1 * normal(monthly))
      const at = timeOfDay(minute)
      return at >= start && at < start + 30 ? poisson(random, size / 30) : 0
    }
  },
  /** Mondays bring ten times the other days. */
  heavyMondays: (seed) => {
    const random = seededRandom(seed)
    return (minute) => {
      const weekday = weekdayOf(minute) === 0 ? 10 : 1
      const hourly = Math.exp(0.4 * normal(steady(seed + 1, Math.floor(minute / 60))))
      return poisson(random, 0.3 * weekday * (officeHours(minute) + 0.05) * hourly)
    }
  },
  /** One week on, one week off. */
  onAndOff: (seed): VolumeHabit => {
    const day: VolumeHabit = honestHabits.dayTraffic(seed)
    return (minute) => (Math.floor(dayOf(minute) / 7) % 2 === 0 ? day(minute) : 0)
  },
  /** Everyday mail and a weekly newsletter on one key. */
  mixed: (seed): VolumeHabit => {
    const day = honestHabits.dayTraffic(seed)
    const newsletter = honestHabits.weeklyNewsletter(seed + 1)
    return (minute) => day(minute) + newsletter(minute)
  },
  /** Three quarters of the week's messages on Saturday and Sunday, round two time zones. */
  weekendShop: (seed) => {
    const random = seededRandom(seed)
    return (minute) => {
      const weekend = weekdayOf(minute) >= 5 ? 4 : 1
      const zones = officeHours(minute) + officeHours(minute + 480)
      return poisson(
        random,
        0.4 * weekend * zones * Math.exp(0.3 * normal(steady(seed + 1, Math.floor(minute / 60)))),
      )
    }
  },
  /** A test key: noise at random times, sometimes a few dozen at once. */
  testKey: (seed) => {
    const random = seededRandom(seed)
    return (minute) => {
      const at = timeOfDay(minute)
      if (at < 480 || at >= 1140 || weekdayOf(minute) >= 5) return 0
      if (random() < 0.0008) return 5 + Math.floor(60 * random() ** 3)
      return random() < 0.01 ? 1 : 0
    }
  },
} satisfies Record<string, (seed: number) => VolumeHabit>

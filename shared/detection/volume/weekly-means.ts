import { HOURS_PER_DAY, HOURS_PER_WEEK, hourOfWeek } from '../clock.ts'

/** Weights halve in two weeks: old enough to know five Mondays, young enough to follow a change in a fortnight. */
const HOURLY_DECAY = 2 ** (1 / (14 * HOURS_PER_DAY))
/** A day's messages count up to this many times the median active day, so that one odd day cannot set the level. */
const DAY_LIMIT_RATIO = 3
/**
 * Gamma–Poisson shrinkage: each step of the ladder takes as many messages as this from the step above it, in hours of
 * exposure: at most two (five observed weeks outweigh them, two do not), so that a quiet key borrows, and at least
 * half an hour, because also a busy key's weeks differ.
 */
const PRIOR_MESSAGES = 4
const PRIOR_HOURS_MIN = 0.5
const PRIOR_HOURS_MAX = 2
/** Share of the neighbouring hours in an hour of the week: jobs start at 02:00 one day and at 02:20 the next. */
const NEIGHBOUR_SHARE = 0.25
/** The last week moves the whole profile, within these bounds, by what it had against what the profile said. */
const TREND_HOURS = 7 * HOURS_PER_DAY
const TREND_MIN = 0.5
const TREND_MAX = 2
/** Nothing is ever impossible: one message in fifty hours, for a key or an hour that has sent none. */
const HOURLY_MEAN_MIN = 0.02

const counts = new Float64Array(HOURS_PER_WEEK)
const exposure = new Float64Array(HOURS_PER_WEEK)
const means = new Float64Array(HOURS_PER_WEEK)

/**
 * Level times season from consecutive hours that begin with `first` (−1: the hour says nothing): exponentially
 * weighted counts by hour of the week, shrunk down a ladder (hour of the week → hour of day on working days or
 * weekends → hour of day → flat), so that a young or quiet key borrows from its other hours and a busy one speaks for
 * itself. The answer's array is used again by the next call.
 */
export function weeklyMeans(
  values: Float64Array,
  first: number,
): { readonly means: Float64Array; readonly activeDays: number } {
  const factors = dayFactors(values, first)
  counts.fill(0)
  exposure.fill(0)
  let weight = HOURLY_DECAY ** -values.length
  for (let index = 0; index < values.length; index += 1) {
    weight *= HOURLY_DECAY
    const value = values[index] ?? 0
    if (value < 0) continue
    const cell = hourOfWeek(first + index)
    counts[cell] = (counts[cell] ?? 0) + weight * value * factorAt(factors, first, index)
    exposure[cell] = (exposure[cell] ?? 0) + weight
  }
  shrink()
  const trend = trendOf(values, first, factors)
  for (let cell = 0; cell < HOURS_PER_WEEK; cell += 1) {
    means[cell] = Math.max(HOURLY_MEAN_MIN, (means[cell] ?? 0) * trend)
  }
  return { means, activeDays: factors.active }
}

type DayFactors = { readonly factors: readonly number[]; readonly active: number }

function dayFactors(values: Float64Array, first: number): DayFactors {
  const totals: number[] = []
  const firstDay = Math.floor(first / HOURS_PER_DAY)
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index] ?? 0
    const day = Math.floor((first + index) / HOURS_PER_DAY) - firstDay
    totals[day] = (totals[day] ?? 0) + Math.max(0, value)
  }
  const active = totals.filter((total) => total > 0).sort((a, b) => a - b)
  const limit = DAY_LIMIT_RATIO * (active[Math.floor(active.length / 2)] ?? 0)
  return {
    factors: totals.map((total) => (total > limit ? limit / total : 1)),
    active: active.length,
  }
}

function factorAt({ factors }: DayFactors, first: number, index: number): number {
  return factors[Math.floor((first + index) / HOURS_PER_DAY) - Math.floor(first / HOURS_PER_DAY)] ?? 1
}

function shrink(): void {
  let count = 0
  let hours = 0
  for (let cell = 0; cell < HOURS_PER_WEEK; cell += 1) {
    count += counts[cell] ?? 0
    hours += exposure[cell] ?? 0
  }
  const flat = hours === 0 ? 0 : count / hours
  for (let hour = 0; hour < HOURS_PER_DAY; hour += 1) {
    const working = sumOfDays({ hour, fromDay: 0, toDay: 5 })
    const weekend = sumOfDays({ hour, fromDay: 5, toDay: 7 })
    const mean = towards(flat, working.count + weekend.count, working.exposure + weekend.exposure)
    const onWorkingDay = towards(mean, working.count, working.exposure)
    const onWeekend = towards(mean, weekend.count, weekend.exposure)
    for (let day = 0; day < 7; day += 1) {
      const cell = day * HOURS_PER_DAY + hour
      means[cell] = towards(
        day < 5 ? onWorkingDay : onWeekend,
        withNeighbours(counts, cell),
        withNeighbours(exposure, cell),
      )
    }
  }
}

function trendOf(values: Float64Array, first: number, factors: DayFactors): number {
  let seen = 0
  let expected = 0
  let day = 0
  for (let index = Math.max(0, values.length - TREND_HOURS); index < values.length; index += 1) {
    const value = values[index] ?? 0
    if (value < 0) continue
    const mean = means[hourOfWeek(first + index)] ?? 0
    seen += value * factorAt(factors, first, index)
    expected += mean
    day = Math.max(day, mean * HOURS_PER_DAY)
  }
  // A day's worth of messages is added on both sides: a week of which only hours were seen says little.
  return Math.min(TREND_MAX, Math.max(TREND_MIN, (seen + day + 1) / (expected + day + 1)))
}

/** Messages an hour, drawn towards `prior` as far as the hours' own messages do not speak against it. */
function towards(prior: number, count: number, hours: number): number {
  const weight = Math.min(PRIOR_HOURS_MAX, Math.max(PRIOR_HOURS_MIN, PRIOR_MESSAGES / Math.max(prior, 1e-9)))
  return (count + weight * prior) / (hours + weight)
}

function sumOfDays(cells: { hour: number; fromDay: number; toDay: number }) {
  const sum = { count: 0, exposure: 0 }
  for (let day = cells.fromDay; day < cells.toDay; day += 1) {
    sum.count += counts[day * HOURS_PER_DAY + cells.hour] ?? 0
    sum.exposure += exposure[day * HOURS_PER_DAY + cells.hour] ?? 0
  }
  return sum
}

function withNeighbours(values: Float64Array, cell: number): number {
  const before = values[(cell + HOURS_PER_WEEK - 1) % HOURS_PER_WEEK] ?? 0
  const after = values[(cell + 1) % HOURS_PER_WEEK] ?? 0
  return (values[cell] ?? 0) + NEIGHBOUR_SHARE * (before + after)
}

import { HOURS_PER_DAY, HOURS_PER_WEEK, hourOfMinute, hourOfWeek } from '../clock.ts'
import { HISTORY_HOURS, SETTLING_HOURS, isTrained, messagesInHour, type KeyHistory } from './key-history.ts'

/** Weights halve in two weeks: old enough to know five Mondays, young enough to follow a change in a fortnight. */
const HALF_LIFE_HOURS = 14 * HOURS_PER_DAY
/** A day's messages count up to this many times the median active day, so that one odd day cannot set the level. */
const DAY_LIMIT_RATIO = 3
/**
 * Gamma–Poisson shrinkage, in hours of exposure: each step of the ladder counts this many hours as if they had
 * behaved like the step above it. One or two weeks' worth: five observed weeks outweigh it, two do not.
 */
const HOUR_OF_DAY_PRIOR = 1
const WORKING_DAY_PRIOR = 2
const HOUR_OF_WEEK_PRIOR = 2
/** Share of the neighbouring hours in an hour of the week: jobs start at 02:00 one day and at 02:20 the next. */
const NEIGHBOUR_SHARE = 0.25
/** The last week moves the whole profile, within these bounds, by what it had against what the profile said. */
const TREND_HOURS = 7 * HOURS_PER_DAY
const TREND_MIN = 0.5
const TREND_MAX = 2
/** Nothing is ever impossible: one message in fifty hours, for a key or an hour that has sent none. */
const HOURLY_MEAN_MIN = 0.02

/** What a key usually sends, by hour of the week, from the settled hours before `hour` and nothing else. */
export type Season = {
  /** Messages expected in each of the 168 hours of the week (0 = Monday 00:00 UTC). */
  readonly hourlyMeans: Float64Array
  /** Days with messages that the profile rests on. */
  readonly activeDays: number
  /** Hours the profile rests on. */
  readonly trainedHours: number
}

/** The hours before `hour` that a baseline may be made from, oldest first. */
export function* trainingHours(history: KeyHistory, hour: number): Generator<number> {
  const newest = hour - SETTLING_HOURS
  // The ring holds the hours up to the head; counted from there nothing older is left.
  const oldest = Math.max(hourOfMinute(history.headMinute) - HISTORY_HOURS + 1, history.firstHour)
  for (let past = oldest; past <= newest; past += 1) if (isTrained(history, past)) yield past
}

/**
 * Level times season: exponentially weighted counts by hour of the week, shrunk down a ladder (hour of the week →
 * hour of day on working days or weekends → hour of day → flat), so that a young or quiet key borrows from its
 * other hours and a busy one speaks for itself.
 */
export function seasonOf(history: KeyHistory, hour: number): Season {
  const days = dayFactors(history, hour)
  const counts = new Float64Array(HOURS_PER_WEEK)
  const exposure = new Float64Array(HOURS_PER_WEEK)
  let trainedHours = 0
  for (const past of trainingHours(history, hour)) {
    const weight = 2 ** ((past - hour) / HALF_LIFE_HOURS)
    const cell = hourOfWeek(past)
    const factor = days.factor.get(Math.floor(past / HOURS_PER_DAY)) ?? 1
    counts[cell] = (counts[cell] ?? 0) + weight * factor * messagesInHour(history, past)
    exposure[cell] = (exposure[cell] ?? 0) + weight
    trainedHours += 1
  }
  const hourlyMeans = shrunk(counts, exposure)
  const trend = trendOf(history, { hour, hourlyMeans, days: days.factor })
  for (let cell = 0; cell < HOURS_PER_WEEK; cell += 1) {
    hourlyMeans[cell] = Math.max(HOURLY_MEAN_MIN, (hourlyMeans[cell] ?? 0) * trend)
  }
  return { hourlyMeans, activeDays: days.active, trainedHours }
}

function dayFactors(history: KeyHistory, hour: number): { factor: Map<number, number>; active: number } {
  const totals = new Map<number, number>()
  for (const past of trainingHours(history, hour)) {
    const messages = messagesInHour(history, past)
    if (messages === 0) continue
    const day = Math.floor(past / HOURS_PER_DAY)
    totals.set(day, (totals.get(day) ?? 0) + messages)
  }
  const sorted = [...totals.values()].sort((a, b) => a - b)
  const limit = DAY_LIMIT_RATIO * (sorted[Math.floor(sorted.length / 2)] ?? 0)
  const factor = new Map<number, number>()
  for (const [day, total] of totals) if (total > limit) factor.set(day, limit / total)
  return { factor, active: totals.size }
}

function shrunk(counts: Float64Array, exposure: Float64Array): Float64Array {
  const flat = ratio(sumOf(counts), sumOf(exposure), { prior: 0, weight: 0 })
  const byHour = new Float64Array(HOURS_PER_DAY)
  const byKind = new Float64Array(2 * HOURS_PER_DAY)
  for (let hour = 0; hour < HOURS_PER_DAY; hour += 1) {
    const working = sumOfDays([counts, exposure], { hour, fromDay: 0, toDay: 5 })
    const weekend = sumOfDays([counts, exposure], { hour, fromDay: 5, toDay: 7 })
    const mean = ratio(working.count + weekend.count, working.exposure + weekend.exposure, {
      prior: flat,
      weight: HOUR_OF_DAY_PRIOR,
    })
    byHour[hour] = mean
    const prior = { prior: mean, weight: WORKING_DAY_PRIOR }
    byKind[hour] = ratio(working.count, working.exposure, prior)
    byKind[HOURS_PER_DAY + hour] = ratio(weekend.count, weekend.exposure, prior)
  }
  const means = new Float64Array(HOURS_PER_WEEK)
  for (let cell = 0; cell < HOURS_PER_WEEK; cell += 1) {
    const weekend = cell >= 5 * HOURS_PER_DAY
    const prior = byKind[(weekend ? HOURS_PER_DAY : 0) + (cell % HOURS_PER_DAY)] ?? 0
    means[cell] = ratio(withNeighbours(counts, cell), withNeighbours(exposure, cell), {
      prior,
      weight: HOUR_OF_WEEK_PRIOR,
    })
  }
  return means
}

function trendOf(
  history: KeyHistory,
  given: { hour: number; hourlyMeans: Float64Array; days: ReadonlyMap<number, number> },
): number {
  let seen = 0
  let expected = 0
  let day = 0
  for (const past of trainingHours(history, given.hour)) {
    if (past < given.hour - TREND_HOURS) continue
    const mean = given.hourlyMeans[hourOfWeek(past)] ?? 0
    seen += messagesInHour(history, past) * (given.days.get(Math.floor(past / HOURS_PER_DAY)) ?? 1)
    expected += mean
    day = Math.max(day, mean * HOURS_PER_DAY)
  }
  // A day's worth of messages is added on both sides: a week of which only hours were seen says little.
  return Math.min(TREND_MAX, Math.max(TREND_MIN, (seen + day + 1) / (expected + day + 1)))
}

function ratio(count: number, exposure: number, shrink: { prior: number; weight: number }): number {
  const total = exposure + shrink.weight
  return total === 0 ? 0 : (count + shrink.weight * shrink.prior) / total
}

function sumOf(values: Float64Array): number {
  let sum = 0
  for (const value of values) sum += value
  return sum
}

function sumOfDays(
  [counts, exposure]: readonly [Float64Array, Float64Array],
  cells: { hour: number; fromDay: number; toDay: number },
) {
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

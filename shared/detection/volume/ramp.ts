import { hourOfMinute, HOURS_PER_DAY, MINUTES_PER_HOUR } from '../clock.ts'
import { POINTS_MIN, type EvidenceSink } from '../evidence.ts'
import { calendarFactor, isMonthEdge } from './calendar.ts'
import { slotOf, windowOf } from './hour-limits.ts'
import { capOf, stepsBetween } from './points.ts'
import { capByHabit, type VolumeGiven } from './spike.ts'
import { reportDailyRamp, reportHourlyRamp } from './ramp-evidence.ts'
import { expectedInHour } from './volume-profile.ts'
import { inHour, isTrained, oldestHour, type VolumeState } from './volume-state.ts'

const LN10 = Math.LN10
/** The sum of log likelihood ratios (nats) is kept below this, so that it comes down soon when all is usual again. */
const SUM_MAX = 30

/**
 * One-sided CUSUM of the log ratio of an hour's messages to what is expected: Gaussian log likelihood ratio of a
 * threefold rise against none (Page, Continuous Inspection Schemes, 1954). An hour counts for two points at most: one
 * hour alone is a spike, a ramp takes several.
 */
const HOURLY_RISE = Math.log(3)
const HOURLY_NATS_MAX = 2 * LN10
const HOURLY_EXPECTED_MIN = 2
/** A rise is a ramp while it grows by a quarter an hour, or once it has lasted four hours. */
const HOURLY_GROWTH = 1.25
const HOURLY_RUN_HOURS = 4

export function judgeHourlyRamp(
  state: VolumeState,
  hour: number,
  given: VolumeGiven,
  sink: EvidenceSink,
): void {
  const { ramp, learnt } = state
  const mean =
    Math.max(1, calendarFactor(state, hour)) *
    Math.max(expectedInHour(state, hour - 1), expectedInHour(state, hour), expectedInHour(state, hour + 1))
  const observed = inHour(state, hour)
  if (ramp.hourly === 0 && observed <= mean) return
  const variance = learnt.dispersions[0] + 1 / (mean + HOURLY_EXPECTED_MIN)
  const ratio = Math.log((observed + 0.5) / (mean + 0.5))
  const nats = Math.min(HOURLY_NATS_MAX, (HOURLY_RISE / variance) * (ratio - HOURLY_RISE / 2))
  if (ramp.hourly === 0) ramp.hourlyStart = hour
  ramp.hourly = Math.max(0, Math.min(SUM_MAX, ramp.hourly + nats))
  const run = hour - ramp.hourlyStart + 1
  const grows = observed >= HOURLY_GROWTH * inHour(state, hour - 1)
  if (!given.judged || ramp.hourly === 0 || run < 2 || !(grows || run >= HOURLY_RUN_HOURS)) return
  const byStatistic = ramp.hourly / LN10
  if (byStatistic < POINTS_MIN) return
  const at = slotOf(state, hour, given.settings)
  const usual = windowOf(state, at, 2)
  const end = hour * MINUTES_PER_HOUR + MINUTES_PER_HOUR - 1
  const points = Math.min(
    byStatistic,
    capOf(observed, Math.max(usual.mean, usual.near)),
    capByHabit(state, { end, at, index: 2, observed }, given.familiar),
  )
  if (points < POINTS_MIN || !sink.wants('volume.ramp', points)) return
  reportHourlyRamp(state, { hour, run, observed, points, mean }, sink)
}

/**
 * The same by the day, against the level of two weeks ago and more: teaching the baseline slowly does not help. The
 * allowance is half of a doubling's logarithm, which 8 % a week (a fifth over the time) never reaches.
 */
const DAILY_RISE = Math.log(2)
const DAILY_NATS_MAX = 3 * LN10
const DAILY_EXPECTED_MIN = 20
/** Days of a key before it has a level of two weeks ago. */
const DAILY_AGE_MIN = 21
const REFERENCE_DAYS = 14
/** A week's level is the median of so many days at least. */
const WEEK_DAYS_MIN = 3
/** A day that usually brings less than this share of a mean day says nothing about the level. */
const DAY_SHARE_MIN = 0.3
/** What the last three days' ratio can be worth: a launch that brings 60 % more is no news. */
const DAILY_CAPS = [
  [1.5, 0.7],
  [2, 2],
  [3, 4.5],
  [4, 6.5],
  [6, 8],
] as const
/** The same when the last week's days grow one after the other: a step that stays does not. */
const CLIMBING_CAPS = [
  [1.5, 0.7],
  [2, 2],
  [2.4, 4.5],
  [2.8, 6],
  [4, 8],
] as const
const SLOPE_DAYS = 7
const SLOPE_MIN = 0.09
const SLOPE_DEVIATIONS = 1.5

export function judgeDailyRamp(
  state: VolumeState,
  day: number,
  given: VolumeGiven,
  sink: EvidenceSink,
): void {
  if (
    (day + 1) * HOURS_PER_DAY - Math.max(hourOfMinute(state.firstMinute), state.acceptedHour) <
    DAILY_AGE_MIN * HOURS_PER_DAY
  )
    return
  if (given.familiar && isMonthEdge(day * HOURS_PER_DAY)) return
  const { ramp, learnt } = state
  const today = dayOf(state, day)
  if (today === undefined) return
  const level = levelBefore(state, day)
  if (level === undefined || today.expected * level < DAILY_EXPECTED_MIN) return
  const factor = Math.max(1, calendarFactor(state, day * HOURS_PER_DAY))
  const variance = learnt.dispersions[2] + 1 / (today.expected * level)
  const ratio = Math.log(today.seen / (today.expected * level * factor) + 1e-3)
  const nats = Math.min(DAILY_NATS_MAX, (DAILY_RISE / variance) * (ratio - DAILY_RISE / 2))
  if (ramp.daily === 0) ramp.dailyStart = day
  ramp.daily = Math.max(0, Math.min(SUM_MAX, ramp.daily + nats))
  const run = day - ramp.dailyStart + 1
  if (!given.judged || run < 2 || ramp.daily < LN10) return
  const recent = recentRatios(state, day, level)
  const lastThree = recent.slice(-3)
  const times = Math.exp(lastThree.reduce((sum, one) => sum + one, 0) / Math.max(1, lastThree.length))
  const slope = slopeOf(recent)
  const climbs = slope >= SLOPE_MIN && slope >= SLOPE_DEVIATIONS * slopeDeviation(recent, variance)
  const cap = stepsBetween(climbs ? CLIMBING_CAPS : DAILY_CAPS, times)
  const points = Math.min(ramp.daily / LN10, cap)
  if (points < POINTS_MIN || !sink.wants('volume.ramp', points)) return
  reportDailyRamp(
    { day, run, points, times, seen: today.seen, usual: today.expected * level * factor, state },
    sink,
  )
}

/** A day's messages and what the profile expects of it; undefined for a day that says nothing or must not train. */
function dayOf(state: VolumeState, day: number): { seen: number; expected: number } | undefined {
  let seen = 0
  let expected = 0
  for (let hour = day * HOURS_PER_DAY; hour < (day + 1) * HOURS_PER_DAY; hour += 1) {
    if (!isTrained(state, hour)) return undefined
    seen += inHour(state, hour)
    expected += expectedInHour(state, hour)
  }
  return expected < DAY_SHARE_MIN * HOURS_PER_DAY * state.learnt.flat ? undefined : { seen, expected }
}

/** The highest level of the weeks that ended two weeks ago and before, as times the profile's own. */
function levelBefore(state: VolumeState, day: number): number | undefined {
  const oldest = Math.ceil(oldestHour(state) / HOURS_PER_DAY)
  let highest: number | undefined
  for (let end = day - REFERENCE_DAYS; end - 6 >= oldest; end -= 7) {
    const ratios: number[] = []
    for (let past = end - 6; past <= end; past += 1) {
      const known = dayOf(state, past)
      if (known !== undefined) ratios.push(known.seen / known.expected)
    }
    if (ratios.length < WEEK_DAYS_MIN) continue
    const median = ratios.sort((a, b) => a - b)[Math.floor(ratios.length / 2)] ?? 0
    highest = Math.max(highest ?? 0, median)
  }
  return highest
}

/** Log ratios of the last week's days to the level of before, oldest first. */
function recentRatios(state: VolumeState, day: number, level: number): number[] {
  const ratios: number[] = []
  for (let past = day - SLOPE_DAYS + 1; past <= day; past += 1) {
    const known = dayOf(state, past)
    if (known !== undefined) ratios.push(Math.log((known.seen + 0.5) / (known.expected * level + 0.5)))
  }
  return ratios
}

function slopeOf(values: readonly number[]): number {
  const middle = (values.length - 1) / 2
  const spread = values.reduce((sum, _, index) => sum + (index - middle) ** 2, 0)
  const product = values.reduce((sum, value, index) => sum + (index - middle) * value, 0)
  return spread === 0 ? 0 : product / spread
}

function slopeDeviation(values: readonly number[], variance: number): number {
  const middle = (values.length - 1) / 2
  const spread = values.reduce((sum, _, index) => sum + (index - middle) ** 2, 0)
  return spread === 0 ? Infinity : Math.sqrt(variance / spread)
}

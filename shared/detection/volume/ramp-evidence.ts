import { number, usualCount } from '../alert-text.ts'
import { HOURS_PER_DAY, isoOfMinute, MINUTES_PER_HOUR } from '../clock.ts'
import type { EvidenceSink } from '../evidence.ts'
import { usualInterval } from '../statistics/negative-binomial.ts'
import { habits, rounded } from './spike-evidence.ts'
import { sumOfHours, type VolumeState } from './volume-state.ts'

/** A ramp is judged again after the next hour or day; late watermarks are allowed for. */
const HOURLY_HOLD_MINUTES = 90
const DAILY_HOLD_MINUTES = 26 * MINUTES_PER_HOUR

export function reportHourlyRamp(
  state: VolumeState,
  found: {
    readonly hour: number
    readonly run: number
    readonly observed: number
    readonly mean: number
    readonly points: number
  },
  sink: EvidenceSink,
): void {
  const { hour, run, observed, mean, points } = found
  const usual = usualInterval({ mean, dispersion: state.learnt.dispersions[0] })
  const first = hour - run + 1
  sink.report({
    signal: 'volume.ramp',
    points,
    startSeconds: first * 3600,
    windowSeconds: run * 3600,
    observed,
    expected: rounded(mean),
    expectedLow: usual.low,
    expectedHigh: usual.high,
    messages: sumOfHours(state, first, hour),
    holdMinutes: HOURLY_HOLD_MINUTES,
    text:
      `${number(observed)} messages in the last of ${run} hours above what is usual, ` +
      `where ${usualCount(usual, mean)} an hour`,
    details: {
      hours: Array.from({ length: Math.min(run, HOURS_PER_DAY) }, (_, back) =>
        sumOfHours(state, hour - back, hour - back),
      ).reverse(),
      window_end: isoOfMinute((hour + 1) * MINUTES_PER_HOUR),
      ...habits(state),
    },
  })
}

export function reportDailyRamp(
  found: {
    readonly state: VolumeState
    readonly day: number
    readonly run: number
    readonly times: number
    readonly seen: number
    readonly usual: number
    readonly points: number
  },
  sink: EvidenceSink,
): void {
  const { state, day, run, times, seen, usual, points } = found
  const interval = usualInterval({ mean: usual, dispersion: state.learnt.dispersions[2] })
  const firstHour = (day - run + 1) * HOURS_PER_DAY
  const lastHour = (day + 1) * HOURS_PER_DAY - 1
  sink.report({
    signal: 'volume.ramp',
    points,
    startSeconds: firstHour * 3600,
    windowSeconds: run * 86_400,
    observed: seen,
    expected: rounded(usual),
    expectedLow: interval.low,
    expectedHigh: interval.high,
    messages: sumOfHours(state, firstHour, lastHour),
    holdMinutes: DAILY_HOLD_MINUTES,
    text:
      `${number(seen)} messages in a day after ${run} days of growth, ` +
      `${times.toFixed(1)} times the level of two weeks before (${number(Math.round(usual))} a day)`,
    details: {
      days: Array.from({ length: Math.min(run, 14) }, (_, back) =>
        sumOfHours(state, lastHour - (back + 1) * HOURS_PER_DAY + 1, lastHour - back * HOURS_PER_DAY),
      ).reverse(),
      times_the_level_before: rounded(times),
      window_end: isoOfMinute((lastHour + 1) * MINUTES_PER_HOUR),
      ...habits(state),
    },
  })
}

import { number, span, usualCount } from '../alert-text.ts'
import { hourOfMinute, HOURS_PER_DAY, HOURS_PER_WEEK, isoOfMinute, MINUTES_PER_HOUR } from '../clock.ts'
import { POINTS_MIN, type EvidenceSink } from '../evidence.ts'
import { surpriseOfFew, usualInterval } from '../statistics/negative-binomial.ts'
import { calendarFactor } from './calendar.ts'
import type { VolumeGiven } from './spike.ts'
import { habits, rounded } from './spike-evidence.ts'
import { expectedBetween, expectedInHour } from './volume-profile.ts'
import { isTrained, oldestHour, sumOfHours, type VolumeState } from './volume-state.ts'

/** Closed windows that are judged, in hours, and the index of their dispersion. */
const WINDOWS = [1, 6, 24] as const
/** Weeks that must have been seen before a window can be missed. */
const WEEKS_MIN = 2
/** Where fewer are expected, none is no surprise. */
const EXPECTED_MIN = 8
/** A window with more than this share of what is expected has not dropped. */
const SHARE_MAX = 0.25
/**
 * A holiday brings a tenth or a fifth of a working day. That is quiet, not a stop, and worth a point and a half; more
 * than that only as far as a tenth of what is expected would be a surprise too.
 */
const HOLIDAY_SHARE = 0.1
const QUIET_CAP = 1.5
const HOLIDAY_SURPRISE_MIN = 1
/** A stop, by length: one hour happens; half a working day is news; a key that never rests stops for a reason. */
const STOP_CAPS = [2, 4, 4.5] as const
const NEVER_RESTS_CAP = 7
const NEVER_RESTS_EXPECTED_MIN = 200
/** A key that rests on some days rests on holidays too, and one that works in bursts moves its campaigns. */
const RESTING_CAP = 2
const RESTING_DAY_CAP = 2.5
const BURST_CAP = 1.5
/** A stop is told for three days; then everybody knows. */
const TOLD_HOURS = 72
const HOLD_MINUTES = 2 * MINUTES_PER_HOUR

type Shortfall = {
  readonly index: 0 | 1 | 2
  readonly observed: number
  readonly mean: number
  readonly points: number
}

/** Judges the windows of whole hours that end with the hour, downwards: they are closed, nothing comes any more. */
export function judgeDrop(state: VolumeState, hour: number, given: VolumeGiven, sink: EvidenceSink): void {
  const silentHours = hour - hourOfMinute(state.lastMinute)
  if (!given.judged || silentHours > TOLD_HOURS) return
  let worst: Shortfall | undefined
  const calendar = Math.min(1, calendarFactor(state, hour))
  for (const index of [0, 1, 2] as const) {
    const length = WINDOWS[index]
    if (hour - length + 1 < oldestHour(state)) break
    const byProfile = calendar * leastExpected(state, hour, length)
    const observed = sumOfHours(state, hour - length + 1, hour)
    if (byProfile < EXPECTED_MIN || observed > SHARE_MAX * byProfile) continue
    const mean = Math.min(byProfile, weeksBefore(state, hour, length))
    if (mean < EXPECTED_MIN || observed > SHARE_MAX * mean) continue
    const surprise = surpriseOfFew(observed, { mean, dispersion: state.learnt.dispersions[index] })
    const points = Math.min(surprise, capOf(state, { index, observed, mean }))
    if (points > (worst?.points ?? 0)) worst = { index, observed, mean, points }
  }
  if (worst === undefined || worst.points < POINTS_MIN || !sink.wants('volume.drop', worst.points)) return
  report(state, hour, worst, sink)
}

/** Of the window and those an hour earlier and later the one with least: jobs and clocks shift. */
function leastExpected(state: VolumeState, hour: number, length: number): number {
  const sum = expectedBetween(state, hour - length + 1, hour)
  if (length >= HOURS_PER_DAY) return sum
  const earlier = sum + expectedInHour(state, hour - length) - expectedInHour(state, hour)
  const later = sum + expectedInHour(state, hour + 1) - expectedInHour(state, hour - length + 1)
  return Math.min(sum, earlier, later)
}

/** The median of the same window in the weeks before: what the profile borrows from other days is no promise. */
function weeksBefore(state: VolumeState, hour: number, length: number): number {
  const oldest = oldestHour(state)
  const counts: number[] = []
  for (let week = 1; hour - week * HOURS_PER_WEEK - length + 1 >= oldest; week += 1) {
    const last = hour - week * HOURS_PER_WEEK
    if (isTrained(state, last)) counts.push(sumOfHours(state, last - length + 1, last))
  }
  if (counts.length < WEEKS_MIN) return 0
  counts.sort((a, b) => a - b)
  return counts[Math.floor((counts.length - 1) / 2)] ?? 0
}

function capOf(
  { learnt }: VolumeState,
  { index, observed, mean }: { index: 0 | 1 | 2; observed: number; mean: number },
): number {
  if (learnt.burstKey) return BURST_CAP
  const onHoliday = { mean: HOLIDAY_SHARE * mean, dispersion: learnt.dispersions[index] }
  const quiet = QUIET_CAP + Math.max(0, surpriseOfFew(observed, onHoliday) - HOLIDAY_SURPRISE_MIN)
  if (learnt.emptyDays > 0) return Math.min(quiet, index === 2 ? RESTING_DAY_CAP : RESTING_CAP)
  const stop = index === 2 && mean >= NEVER_RESTS_EXPECTED_MIN ? NEVER_RESTS_CAP : STOP_CAPS[index]
  return Math.min(quiet, stop)
}

function report(state: VolumeState, hour: number, found: Shortfall, sink: EvidenceSink): void {
  const { index, observed, mean, points } = found
  const length = WINDOWS[index]
  const dispersion = state.learnt.dispersions[index]
  const usual = usualInterval({ mean, dispersion })
  const windowStart = (hour - length + 1) * MINUTES_PER_HOUR
  const stopped = observed === 0
  const start = stopped ? Math.min(windowStart, state.lastMinute + 1) : windowStart
  const seen = stopped ? 'no message' : observed === 1 ? '1 message' : `${number(observed)} messages`
  const hint = stopped
    ? `, and none since ${isoOfMinute(state.lastMinute).slice(0, 16).replace('T', ' ')} UTC; SendGrid revokes ` +
      'keys that it finds leaked, so see whether this key still exists'
    : ''
  sink.report({
    signal: 'volume.drop',
    points,
    startSeconds: start * 60,
    windowSeconds: length * 3600,
    observed,
    expected: rounded(mean),
    expectedLow: usual.low,
    expectedHigh: usual.high,
    messages: observed,
    holdMinutes: HOLD_MINUTES,
    text: `${seen} in ${span(length * MINUTES_PER_HOUR)} where ${usualCount(usual, mean)}${hint}`,
    details: {
      window_end: isoOfMinute((hour + 1) * MINUTES_PER_HOUR),
      last_message_at: isoOfMinute(state.lastMinute),
      days_without_messages_before: rounded(state.learnt.emptyDays),
      dispersion: rounded(dispersion),
      ...habits(state),
    },
  })
}

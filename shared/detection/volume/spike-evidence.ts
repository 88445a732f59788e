import { number, span, usualCount } from '../alert-text.ts'
import { hourOfMinute, isoOfMinute, MINUTES_PER_HOUR } from '../clock.ts'
import type { Evidence, EvidenceSink } from '../evidence.ts'
import { usualInterval } from '../statistics/negative-binomial.ts'
import { HIGH, isYoung, LIMIT, LOW, SLEEP_MEAN, windowOf } from './hour-limits.ts'
import { expectedInHour } from './volume-profile.ts'
import { inHour, inMinute, scales, sumOfHours, type ScaleIndex, type VolumeState } from './volume-state.ts'

/** An excess is over when nothing like it was seen for ten minutes, or twice its window up to three hours. */
const HOLD_MINUTES_MIN = 10
const HOLD_MINUTES_MAX = 180

type Spike = {
  /** The last minute of the window. */
  readonly end: number
  readonly at: number
  readonly scaleIndex: ScaleIndex
  readonly observed: number
  readonly points: number
}

export function reportSpike(state: VolumeState, spike: Spike, sink: EvidenceSink): void {
  const { at, end, scaleIndex, observed, points } = spike
  const window = windowOf(state, at, scaleIndex)
  const usual = intervalOf(state, at, scaleIndex)
  const minutes = scales[scaleIndex]
  const start = startOfExcess(state, spike)
  const young = isYoung(state)
  const text = young
    ? `${number(observed)} messages in ${span(minutes)} from a key that is still learning, ` +
      `where ${number(state.slots[at + LIMIT + scaleIndex] ?? 0)} are a burst`
    : `${number(observed)} messages in ${span(minutes)} where ${usualCount(usual, window.mean)}` +
      (window.near > usual.high ? `; its largest so far had ${number(window.near)}` : '')
  sink.report({
    signal: 'volume.spike',
    points,
    startSeconds: start * 60,
    windowSeconds: minutes * 60,
    observed,
    expected: rounded(window.mean),
    expectedLow: usual.low,
    expectedHigh: usual.high,
    messages: messagesSince(state, start),
    holdMinutes: Math.max(HOLD_MINUTES_MIN, Math.min(HOLD_MINUTES_MAX, 2 * minutes)),
    text,
    details: {
      window_minutes: minutes,
      window_end: isoOfMinute(end + 1),
      dispersion: rounded(window.dispersion),
      largest_before_at_this_time: rounded(window.near),
      largest_before: rounded(window.any),
      ...habits(state),
    },
  })
}

/** What is known of the key, for people and machines. */
export function habits(state: VolumeState): Evidence['details'] {
  const { learnt } = state
  return {
    busiest_usual_hour: rounded(learnt.busyHour),
    active_days: learnt.activeDays,
    works_in_bursts: learnt.burstKey,
    still_learning: learnt.learning,
  }
}

function intervalOf(state: VolumeState, at: number, scaleIndex: ScaleIndex): { low: number; high: number } {
  const { slots } = state
  if (slots[at + LOW + scaleIndex] === -1) {
    const usual = usualInterval(windowOf(state, at, scaleIndex))
    slots[at + LOW + scaleIndex] = usual.low
    slots[at + HIGH + scaleIndex] = usual.high
  }
  return { low: slots[at + LOW + scaleIndex] ?? 0, high: slots[at + HIGH + scaleIndex] ?? 0 }
}

/** Minutes within a burst that may be empty or usual without ending it. */
const PAUSE_MINUTES_MAX = 2
/** Times what is expected that a minute or an hour must hold to belong to the excess. */
const EXCESS_RATIO = 1.5

/** The first minute of the excess: back from the window's end over minutes (or hours) that hold more than usual. */
function startOfExcess(state: VolumeState, { at, end, scaleIndex }: Spike): number {
  if (scaleIndex >= 3) {
    const hour = hourOfMinute(end)
    let start = hour
    for (let past = hour; past > hour - scales[scaleIndex] / MINUTES_PER_HOUR; past -= 1) {
      if (inHour(state, past) > EXCESS_RATIO * expectedInHour(state, past)) start = past
    }
    return start * MINUTES_PER_HOUR
  }
  const expected = windowOf(state, at, 2).mean / MINUTES_PER_HOUR
  let start = end
  for (
    let minute = end;
    minute > end - MINUTES_PER_HOUR && start - minute <= PAUSE_MINUTES_MAX;
    minute -= 1
  ) {
    const count = inMinute(state, minute)
    if (count > 0 && count > EXCESS_RATIO * expected) start = minute
  }
  return start
}

function messagesSince(state: VolumeState, start: number): number {
  const head = state.headMinute
  if (head - start < MINUTES_PER_HOUR) {
    let sum = 0
    for (let minute = start; minute <= head; minute += 1) sum += inMinute(state, minute)
    return sum
  }
  return sumOfHours(state, hourOfMinute(start), hourOfMinute(head))
}

export function reportOffHours(
  state: VolumeState,
  found: {
    readonly end: number
    readonly at: number
    readonly hoursBefore: number
    readonly observed: number
    readonly points: number
  },
  sink: EvidenceSink,
): void {
  const { end, at, hoursBefore, observed, points } = found
  const hour = hourOfMinute(end)
  let first = hour
  for (let past = hour; past >= hour - hoursBefore; past -= 1) if (inHour(state, past) > 0) first = past
  let start = first * MINUTES_PER_HOUR
  for (let minute = start + MINUTES_PER_HOUR - 1; minute >= first * MINUTES_PER_HOUR; minute -= 1) {
    if (inMinute(state, minute) > 0) start = minute
  }
  const hours = hour - first + 1
  const mean = state.slots[at + SLEEP_MEAN] ?? 0
  sink.report({
    signal: 'volume.off_hours',
    points,
    startSeconds: start * 60,
    windowSeconds: hours * 3600,
    observed,
    expected: rounded(mean),
    expectedLow: 0,
    expectedHigh: 2,
    messages: observed,
    holdMinutes: 2 * MINUTES_PER_HOUR,
    text: `${number(observed)} messages at a time of the week when this key has been asleep in all weeks watched`,
    details: { sleeping_hours: hoursBefore + 1, window_end: isoOfMinute(end + 1), ...habits(state) },
  })
}

export function rounded(value: number): number {
  return Math.round(value * 1000) / 1000
}

import { span } from '../alert-text.ts'
import { hourOfMinute, hourOfWeek, HOURS_PER_WEEK, isoOfMinute } from '../clock.ts'
import type { DetectionSettings } from '../detection-settings.ts'
import { surpriseOf, usualInterval } from '../statistics/negative-binomial.ts'
import { floorsOf, isYoung, LIMIT, SLEEP_MEAN, slotOf, windowOf } from './hour-limits.ts'
import { capOf, youngPoints } from './points.ts'
import { sendSizes } from './sends.ts'
import { rounded } from './spike-evidence.ts'
import { capByHabit, goesOn } from './spike.ts'
import { expectedInHour } from './volume-profile.ts'
import { inHour, inMinute, scales, type ScaleIndex, type VolumeState } from './volume-state.ts'

/** One window that ends with the key's latest message: what it holds, what is usual, and what came of it. */
export type WindowDescription = {
  readonly window: string
  readonly observed: number
  readonly expected: number
  /** 98 of 100 such windows lie within, both ends included. */
  readonly usual_low: number
  readonly usual_high: number
  readonly dispersion: number
  readonly largest_before_at_this_time: number
  readonly largest_before: number
  /** Null: never, such as all windows but one of a key without a baseline. */
  readonly looked_at_from: number | null
  /** −log10 of the probability of so many messages. */
  readonly surprise: number
  /** What of it counts. */
  readonly points: number
  /** Which floor, rule or number set the points. */
  readonly decided_by: string
}

export type VolumeDescription = {
  readonly at: string
  readonly sending_since: string
  readonly longest_silence_hours: number
  readonly judged_by_burst_rule_only: boolean
  readonly sleeping_hour: boolean
  readonly messages_this_hour: number
  readonly expected_this_hour: number
  readonly busiest_usual_hour: number
  readonly active_days: number
  readonly works_in_bursts: boolean
  readonly still_learning: boolean
  readonly windows: readonly WindowDescription[]
  readonly sends_before: readonly number[]
  readonly expected_by_hour_of_week: readonly number[]
}

/**
 * What the engine holds to be usual for this key in the head's hour, and how its windows are judged: for
 * `keywatch explain`. `familiar`: the latest messages are built like the key's others. Give it a copy (decode what was
 * encoded) where the state is still in use by somebody else.
 */
export function describeVolume(
  state: VolumeState,
  settings: DetectionSettings,
  familiar = true,
): VolumeDescription | { readonly messages_seen: false } {
  if (state.headMinute === -1) return { messages_seen: false }
  const { learnt } = state
  const hour = hourOfMinute(state.headMinute)
  const at = slotOf(state, hour, settings)
  const week = Array.from({ length: HOURS_PER_WEEK }, (_, cell) => {
    const offset = (cell - hourOfWeek(hour) + HOURS_PER_WEEK) % HOURS_PER_WEEK
    return rounded(expectedInHour(state, hour + offset))
  })
  return {
    at: isoOfMinute(state.headMinute),
    sending_since: isoOfMinute(Math.max(0, state.firstMinute)),
    longest_silence_hours: state.longestGapHours,
    judged_by_burst_rule_only: isYoung(state),
    sleeping_hour: (state.slots[at + SLEEP_MEAN] ?? 0) > 0,
    messages_this_hour: inHour(state, hour),
    expected_this_hour: rounded(expectedInHour(state, hour)),
    busiest_usual_hour: rounded(learnt.busyHour),
    active_days: learnt.activeDays,
    works_in_bursts: learnt.burstKey,
    still_learning: learnt.learning,
    windows: ([0, 1, 2, 3, 4] as const).map((index) =>
      describeWindow(state, { at, index }, settings, familiar),
    ),
    sends_before: sendSizes(state, state.headMinute),
    expected_by_hour_of_week: week,
  }
}

function countsOf(state: VolumeState): readonly [number, number, number, number, number] {
  const now = inHour(state, hourOfMinute(state.headMinute))
  return [
    inMinute(state, state.headMinute),
    state.sum10,
    state.sum60,
    now + state.before6,
    now + state.before24,
  ]
}

function describeWindow(
  state: VolumeState,
  place: { readonly at: number; readonly index: ScaleIndex },
  settings: DetectionSettings,
  familiar: boolean,
): WindowDescription {
  const { at, index } = place
  const window = windowOf(state, at, index)
  const counts = countsOf(state)
  const observed = counts[index]
  const usual = usualInterval(window)
  const limit = state.slots[at + LIMIT + index] ?? Infinity
  const surprise = observed > window.mean ? surpriseOf(observed, window) : 0
  const habit = capByHabit(state, { end: state.headMinute, at, index, observed }, familiar)
  const judged = isYoung(state)
    ? judgeYoung(observed, limit)
    : observed < limit
      ? { points: 0, decided_by: floorText({ ...window, busyHour: state.learnt.busyHour }, settings) }
      : goesOn(state, { at, index, counts })
        ? judgeExcess({
            observed,
            surprise,
            size: capOf(observed, Math.max(window.mean, window.near)),
            habit,
          })
        : { points: 0, decided_by: 'over: the shorter window is usual again' }
  return {
    window: span(scales[index]),
    observed,
    expected: rounded(window.mean),
    usual_low: usual.low,
    usual_high: usual.high,
    dispersion: rounded(window.dispersion),
    largest_before_at_this_time: rounded(window.near),
    largest_before: rounded(window.any),
    looked_at_from: Number.isFinite(limit) ? limit : null,
    surprise: rounded(surprise),
    ...judged,
    points: rounded(judged.points),
  }
}

type Judged = { readonly points: number; readonly decided_by: string }

function judgeYoung(observed: number, limit: number): Judged {
  if (!Number.isFinite(limit)) return { points: 0, decided_by: 'not judged: the key is too young' }
  if (observed < limit) return { points: 0, decided_by: 'floor: a burst of a young key' }
  return { points: youngPoints(observed, limit), decided_by: 'the burst rule of young keys' }
}

function judgeExcess(given: {
  readonly observed: number
  readonly surprise: number
  readonly size: number
  readonly habit: number
}): Judged {
  const { surprise, size, habit } = given
  const points = Math.max(0, Math.min(surprise, size, habit))
  if (points === habit && habit < Infinity) return { points, decided_by: "the key's habits allow no more" }
  if (points === Math.max(0, size)) return { points, decided_by: 'the size of the excess allows no more' }
  return { points, decided_by: 'the surprise' }
}

const floorTexts = {
  excess_min: 'floor: detection.excess_min',
  excess_of_busy_hour: 'floor: detection.excess_of_busy_hour',
  ratio_min: 'floor: detection.ratio_min',
  own_peak: "floor: over the key's own largest",
} as const

/** The floor that is highest: what keeps the window from being looked at. */
function floorText(
  usual: { readonly mean: number; readonly near: number; readonly busyHour: number },
  settings: DetectionSettings,
): string {
  const floors = floorsOf(usual, settings)
  let highest: keyof typeof floors = 'excess_min'
  for (const name of ['excess_of_busy_hour', 'ratio_min', 'own_peak'] as const) {
    if (floors[name] > floors[highest]) highest = name
  }
  return floorTexts[highest]
}

import type { DetectionSettings } from '../detection-settings.ts'
import type { EvidenceSink } from '../evidence.ts'
import { POINTS_MIN } from '../evidence.ts'
import { hourOfMinute, HOURS_PER_DAY, HOURS_PER_WEEK } from '../clock.ts'
import { isMonthEdge } from './calendar.ts'
import {
  FAMILIAR_SIZE,
  isYoung,
  LIMIT,
  POINTS,
  SEEN,
  SLEEP_BEFORE,
  SLEEP_MEAN,
  slotOf,
  windowOf,
} from './hour-limits.ts'
import { excessPoints, offHoursPoints, stepped, youngPoints } from './points.ts'
import { presentSend } from './sends.ts'
import { reportOffHours, reportSpike } from './spike-evidence.ts'
import { expectedInHour } from './volume-profile.ts'
import {
  inHour,
  inMinute,
  judgedBefore,
  oldestHour,
  sumOfHours,
  type ScaleIndex,
  type VolumeState,
} from './volume-state.ts'

/** What a caller knows that the volume itself does not say. */
export type VolumeGiven = {
  readonly settings: DetectionSettings
  /** Arrival clock, milliseconds. */
  readonly nowMs: number
  /** False: count only, report nothing. */
  readonly judged: boolean
  /** Everything about the sender is what this key always sends. */
  readonly familiar: boolean
}

/** Judges the windows that end with the head's minute and with every later one than `minute`. */
export function judgeFrom(state: VolumeState, minute: number, given: VolumeGiven, sink: EvidenceSink): void {
  let { sum10, sum60 } = state
  for (let end = state.headMinute; end >= minute; end -= 1) {
    const count = inMinute(state, end)
    if (count > 0) judge(state, { end, counts: [count, sum10, sum60] }, given, sink)
    sum10 += inMinute(state, end - 10) - count
    sum60 += inMinute(state, end - 60) - count
  }
}

type Windows = { readonly end: number; readonly counts: readonly [number, number, number] }

function judge(state: VolumeState, windows: Windows, given: VolumeGiven, sink: EvidenceSink): void {
  const { end, counts } = windows
  const hour = hourOfMinute(end)
  const at = slotOf(state, hour, given.settings)
  const atHead = hour === hourOfMinute(state.headMinute)
  const now = inHour(state, hour)
  const six = now + (atHead ? state.before6 : judgedBefore(state, hour, 6))
  const day = now + (atHead ? state.before24 : judgedBefore(state, hour, 24))
  const { slots } = state
  if (
    counts[0] >= (slots[at + LIMIT] ?? 0) ||
    counts[1] >= (slots[at + LIMIT + 1] ?? 0) ||
    counts[2] >= (slots[at + LIMIT + 2] ?? 0) ||
    six >= (slots[at + LIMIT + 3] ?? 0) ||
    day >= (slots[at + LIMIT + 4] ?? 0)
  ) {
    judgeExcess(state, { end, at, counts: [...counts, six, day] }, given, sink)
  }
  if ((slots[at + SLEEP_MEAN] ?? 0) > 0) judgeOffHours(state, { end, at, hour }, given, sink)
}

function judgeExcess(
  state: VolumeState,
  windows: { readonly end: number; readonly at: number; readonly counts: readonly number[] },
  given: VolumeGiven,
  sink: EvidenceSink,
): void {
  const { end, at, counts } = windows
  let best = 0
  let bestIndex: ScaleIndex = 0
  for (const index of [0, 1, 2, 3, 4] as const) {
    const observed = counts[index] ?? 0
    if (observed < (state.slots[at + LIMIT + index] ?? 0) || !goesOn(state, { at, index, counts })) continue
    const points = Math.min(
      pointsOf(state, { at, index, observed }),
      capByHabit(state, { end, at, index, observed }, given.familiar),
    )
    if (points > best) {
      best = points
      bestIndex = index
    }
  }
  if (best < POINTS_MIN || !sink.wants('volume.spike', best)) return
  reportSpike(state, { end, at, scaleIndex: bestIndex, observed: counts[bestIndex] ?? 0, points: best }, sink)
}

/** A long window counts while the excess goes on: while the shorter one that ends with it holds more than usual. */
const GOES_ON_RATIO = 1.25

export function goesOn(
  state: VolumeState,
  { at, index, counts }: { at: number; index: ScaleIndex; counts: readonly number[] },
): boolean {
  if (index < 2) return true
  const shorter = index === 2 ? 1 : 2
  return (counts[shorter] ?? 0) > GOES_ON_RATIO * windowOf(state, at, shorter).mean
}

function pointsOf(
  state: VolumeState,
  { at, index, observed }: { at: number; index: ScaleIndex; observed: number },
): number {
  const { slots } = state
  const step = Math.max(stepped(observed), slots[at + LIMIT + index] ?? 0)
  if (slots[at + SEEN + index] === step) return slots[at + POINTS + index] ?? 0
  const window = windowOf(state, at, index)
  const points = isYoung(state)
    ? youngPoints(step, slots[at + LIMIT + index] ?? Infinity)
    : excessPoints(step, window, Math.max(window.mean, window.near))
  slots[at + SEEN + index] = step
  slots[at + POINTS + index] = points
  return slots[at + POINTS + index] ?? 0
}

/** A key that sends a burst of a size it has sent before, or a familiar sender at an odd time. */
const FAMILIAR_SEND_CAP = 1.2
const STRANGE_SEND_CAP = 3
const REPEATED_SEND_RATIO = 2.5
const REPEATED_SEND_CAP = 1.2
const FAMILIAR_BURST_CAP = 2.5
/** Invoices: a familiar sender in the first and last working days of a month; five to twenty times the usual. */
const MONTH_EDGE_CAP = 2.5
const MONTH_EDGE_RATIO_MAX = 25
/** No larger than what the key does at other times of the day. */
const OWN_SIZE_CAP = 2.5
const OWN_SIZE_STRANGE_CAP = 4.5
/** What was due before and did not come may come later. */
const CATCH_UP_SHARE = 0.5
const CATCH_UP_CAP = 2
const LEARNING_CAP = 2.5
const LEARNING_STRANGE_CAP = 3.5

type Excess = {
  readonly end: number
  readonly at: number
  readonly index: ScaleIndex
  readonly observed: number
}

/** What is known of the key's habits limits what an excess may count for. */
export function capByHabit(state: VolumeState, excess: Excess, familiar: boolean): number {
  const { end, at, index, observed } = excess
  const { learnt } = state
  if (isYoung(state)) return Infinity
  const { mean, near, any } = windowOf(state, at, index)
  let cap = Infinity
  if (learnt.learning) cap = familiar ? LEARNING_CAP : LEARNING_STRANGE_CAP
  if (learnt.burstKey) {
    const usual = Math.max(mean, near)
    if (presentSend(state).messages <= (state.slots[at + FAMILIAR_SIZE] ?? 0)) {
      cap = Math.min(cap, familiar ? FAMILIAR_SEND_CAP : STRANGE_SEND_CAP)
    }
    if (familiar)
      cap = Math.min(cap, observed <= REPEATED_SEND_RATIO * usual ? REPEATED_SEND_CAP : FAMILIAR_BURST_CAP)
  } else if (observed <= any * 1.25) {
    cap = Math.min(cap, familiar ? OWN_SIZE_CAP : OWN_SIZE_STRANGE_CAP)
  }
  if (!familiar) return cap
  const invoices = observed <= MONTH_EDGE_RATIO_MAX * Math.max(mean, near)
  if (cap > MONTH_EDGE_CAP && invoices && isMonthEdge(hourOfMinute(end))) cap = MONTH_EDGE_CAP
  if (cap > CATCH_UP_CAP && isCatchUp(state, hourOfMinute(end), observed - mean)) cap = CATCH_UP_CAP
  return cap
}

/** Whether so many messages were due in the last day and did not come: hours with less than a third of theirs. */
export function isCatchUp(state: VolumeState, hour: number, excess: number): boolean {
  let missing = 0
  const oldest = oldestHour(state)
  for (let past = hour - HOURS_PER_DAY + 1; past < hour; past += 1) {
    const weekBefore = past - HOURS_PER_WEEK
    // What the profile borrows from other days is not due: a week before there must have been something as well.
    if (weekBefore > oldest && sumOfHours(state, weekBefore - 1, weekBefore + 1) === 0) continue
    const due = expectedInHour(state, past)
    const came = inHour(state, past)
    if (came < due / 3) missing += due - came
  }
  return missing >= CATCH_UP_SHARE * excess
}

const SLEEP_INDEX = 5

function judgeOffHours(
  state: VolumeState,
  window: { readonly end: number; readonly at: number; readonly hour: number },
  given: VolumeGiven,
  sink: EvidenceSink,
): void {
  const { at, hour, end } = window
  const { slots } = state
  const hoursBefore = slots[at + SLEEP_BEFORE] ?? 0
  const observed = sumOfHours(state, hour - hoursBefore, hour)
  if (observed < 3) return
  const step = stepped(observed) * 2 + (given.familiar ? 1 : 0)
  if (slots[at + SEEN + SLEEP_INDEX] !== step) {
    slots[at + SEEN + SLEEP_INDEX] = step
    slots[at + POINTS + SLEEP_INDEX] = offHoursPoints(
      stepped(observed),
      slots[at + SLEEP_MEAN] ?? 0,
      given.familiar,
    )
  }
  let points = slots[at + POINTS + SLEEP_INDEX] ?? 0
  if (given.familiar && points > CATCH_UP_CAP) {
    if (isCatchUp(state, hour, observed)) points = CATCH_UP_CAP
    else if (isMonthEdge(hour)) points = Math.min(points, MONTH_EDGE_CAP)
  }
  if (points < POINTS_MIN || !sink.wants('volume.off_hours', points)) return
  reportOffHours(state, { end, at, hoursBefore, observed, points }, sink)
}

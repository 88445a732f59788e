import { HOURS_PER_DAY, HOURS_PER_WEEK, hourOfMinute, hourOfWeek } from '../clock.ts'
import { packedRate, unpackedRate } from './counts.ts'
import { weeklyMeans } from './weekly-means.ts'
import {
  inHour,
  isTrained,
  oldestHour,
  PROFILE_AT,
  RING_HOURS,
  type Learnt,
  type VolumeState,
} from './volume-state.ts'

/**
 * A key with fewer active days is still learning, and its spread is wider; but after a fortnight a key has shown its
 * habits, however seldom it sends.
 */
export const LEARNING_DAYS = 7
export const LEARNING_AGE_DAYS = 14
/** Added to the dispersion on the first active day, and divided by the number of days after it. */
const LEARNING_DISPERSION = 3
/** A profile holds for a day; in the first three days for three hours. */
const FIRST_DAYS = 3
const FIRST_STEP_HOURS = 3
/** An hour trains this long after its end; in the first week as soon as stragglers are in. */
const QUARANTINE_HOURS = HOURS_PER_DAY
const SETTLING_HOURS = 2

/**
 * Dispersion assumed before a key has shown its own, for windows of 1, 6 and 24 hours, and how many of the key's own
 * windows outweigh it. Mail is bursty: 0.25 lets an hour be off by half its size either way as a matter of course.
 */
const DISPERSION_PRIOR = [0.25, 0.15, 0.1] as const
const DISPERSION_PRIOR_WINDOWS = [48, 20, 10] as const
const DISPERSION_SCALES = [1, 6, 24] as const
/** The season was fitted to the very windows the dispersion is measured on, which makes it look smaller than it is. */
const FIT_CORRECTION = 1.3
const DISPERSION_MAX = 20

/** A key that sends this share of its messages in one hour of twenty works in bursts (newsletters, batches). */
const BURST_SHARE = 0.8
const BURST_HOURS_SHARE = 0.05

/** Makes the profile that holds in an hour, unless it is the one at hand. */
export function ensureProfile(state: VolumeState, hour: number): void {
  const basis = basisOf(state, hour)
  // A straggler of yesterday is judged with today's profile.
  if (basis <= state.profileHour) return
  state.profileHour = basis
  const window = trainingWindow(state, basis)
  const values = trainedCounts(state, window)
  const { means, activeDays } = weeklyMeans(values, window.first)
  for (let cell = 0; cell < HOURS_PER_WEEK; cell += 1) {
    const code = packedRate(means[cell] ?? 0)
    state.bytes[PROFILE_AT + 2 * cell] = code & 0xff
    state.bytes[PROFILE_AT + 2 * cell + 1] = code >> 8
  }
  state.learnt = learntFrom(state, { values, first: window.first, activeDays })
}

/** Messages expected in an hour: level times season. */
export function expectedInHour(state: VolumeState, hour: number): number {
  return expectedInCell(state, hourOfWeek(hour))
}

/** Messages expected in whole hours, both ends included. */
export function expectedBetween(state: VolumeState, first: number, last: number): number {
  let sum = 0
  for (let hour = first; hour <= last; hour += 1) sum += expectedInHour(state, hour)
  return sum
}

function expectedInCell({ bytes }: VolumeState, cell: number): number {
  const at = PROFILE_AT + 2 * cell
  return unpackedRate((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8))
}

/** The hour before which a profile's hours lie; the same for all hours of a day. */
function basisOf(state: VolumeState, hour: number): number {
  const age = hour - learningStart(state)
  const step = age < FIRST_DAYS * HOURS_PER_DAY ? FIRST_STEP_HOURS : HOURS_PER_DAY
  return Math.floor(hour / step) * step
}

function learningStart(state: VolumeState): number {
  return Math.max(hourOfMinute(Math.max(0, state.firstMinute)), state.acceptedHour)
}

/** The hours from `first` to before `end` that a profile rests on. */
export function trainingWindow(state: VolumeState, basis: number): { first: number; end: number } {
  const young = basis - learningStart(state) < LEARNING_DAYS * HOURS_PER_DAY
  const end = basis - (young ? SETTLING_HOURS : QUARANTINE_HOURS) + (young ? 1 : 0)
  return { first: Math.min(end, oldestHour(state)), end }
}

const UNTRAINED = -1
const scratch = new Float64Array(RING_HOURS)

/** Messages of the hours of a window; `UNTRAINED` where the hour must not train. */
function trainedCounts(state: VolumeState, window: { first: number; end: number }): Float64Array {
  const values = scratch.subarray(0, window.end - window.first)
  for (let index = 0; index < values.length; index += 1) {
    const hour = window.first + index
    values[index] = isTrained(state, hour) ? inHour(state, hour) : UNTRAINED
  }
  return values
}

type Training = { readonly values: Float64Array; readonly first: number; readonly activeDays: number }

function learntFrom(state: VolumeState, training: Training): Learnt {
  const { values, first, activeDays } = training
  const means = new Float64Array(HOURS_PER_WEEK)
  let busyHour = 0
  let sum = 0
  for (let cell = 0; cell < HOURS_PER_WEEK; cell += 1) {
    const mean = expectedInCell(state, cell)
    means[cell] = mean
    busyHour = Math.max(busyHour, mean)
    sum += mean
  }
  let trainedHours = 0
  for (const value of values) if (value !== UNTRAINED) trainedHours += 1
  const age = state.profileHour - learningStart(state)
  const learning = activeDays < LEARNING_DAYS && age < LEARNING_AGE_DAYS * HOURS_PER_DAY
  const wider = learning ? LEARNING_DISPERSION / Math.max(1, activeDays) : 0
  const [hourly, six, daily] = ([0, 1, 2] as const).map((scale) => windowsOf(training, means, scale))
  return {
    activeDays,
    learning,
    trainedHours,
    busyHour,
    flat: sum / HOURS_PER_WEEK,
    burstKey: worksInBursts(values),
    dispersions: [
      (hourly?.dispersion ?? 0) + wider,
      (six?.dispersion ?? 0) + wider,
      (daily?.dispersion ?? 0) + wider,
    ],
    peaks: [hourly?.peak ?? 0, six?.peak ?? 0, daily?.peak ?? 0],
    emptyDays: emptyDaysOf(values, first),
  }
}

/**
 * Dispersion of windows of so many whole hours by the method of moments, shrunk to the prior, and the largest of
 * them. An hour that must not train is taken to have been usual.
 */
function windowsOf(
  { values, first }: Training,
  means: Float64Array,
  scale: 0 | 1 | 2,
): { dispersion: number; peak: number } {
  const length = DISPERSION_SCALES[scale]
  let excess = 0
  let squares = 0
  let windows = 0
  let peak = 0
  let count = 0
  let mean = 0
  for (let index = 0; index < values.length; index += 1) {
    const cell = hourOfWeek(first + index)
    count += valueAt(values, index, means[cell] ?? 0)
    mean += means[cell] ?? 0
    if (index >= length) {
      const left = hourOfWeek(first + index - length)
      count -= valueAt(values, index - length, means[left] ?? 0)
      mean -= means[left] ?? 0
    }
    if (index < length - 1) continue
    peak = Math.max(peak, count)
    if ((first + index + 1) % length !== 0) continue
    excess += (count - mean) ** 2 - mean
    squares += mean ** 2
    if (count > 0.5) windows += 1
  }
  const own = squares === 0 ? 0 : Math.max(0, (FIT_CORRECTION * excess) / squares)
  const weight = DISPERSION_PRIOR_WINDOWS[scale]
  const dispersion = (windows * own + weight * DISPERSION_PRIOR[scale]) / (windows + weight)
  return { dispersion: Math.min(DISPERSION_MAX, dispersion), peak }
}

function valueAt(values: Float64Array, index: number, mean: number): number {
  const value = values[index] ?? 0
  return value === UNTRAINED ? mean : value
}

function worksInBursts(values: Float64Array): boolean {
  const counts: number[] = []
  let hours = 0
  let sum = 0
  for (const value of values) {
    if (value === UNTRAINED) continue
    hours += 1
    sum += value
    if (value > 0) counts.push(value)
  }
  const top = Math.ceil(hours * BURST_HOURS_SHARE)
  if (counts.length <= top) return sum > 0
  const inTop = counts
    .sort((a, b) => b - a)
    .slice(0, top)
    .reduce((total, count) => total + count, 0)
  return inTop >= BURST_SHARE * sum
}

function emptyDaysOf(values: Float64Array, first: number): number {
  let days = 0
  let empty = 0
  const offset = (HOURS_PER_DAY - (first % HOURS_PER_DAY)) % HOURS_PER_DAY
  for (let start = offset; start + HOURS_PER_DAY <= values.length; start += HOURS_PER_DAY) {
    let sum = 0
    let trained = true
    for (let index = start; index < start + HOURS_PER_DAY; index += 1) {
      if (values[index] === UNTRAINED) trained = false
      else sum += values[index] ?? 0
    }
    if (!trained) continue
    days += 1
    if (sum === 0) empty += 1
  }
  return days === 0 ? 1 : empty / days
}

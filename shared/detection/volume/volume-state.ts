import { hourOfMinute, MINUTES_PER_HOUR } from '../clock.ts'
import { added, createCounts, type Counts } from './counts.ts'

/** Hours kept: five weeks, so that every hour of the week has been seen five times. */
export const RING_HOURS = 35 * 24
/** Minutes kept: the hour being filled, the one before it, and what settling needs. A power of two. */
export const RING_MINUTES = 128
/** Messages later than this against the key's own head are counted but judged no more. */
export const JUDGED_LATENESS_MINUTES = 10
/** Windows that are judged, in minutes. Those above an hour slide by the hour. */
export const scales = [1, 10, 60, 360, 1440] as const
export type ScaleIndex = 0 | 1 | 2 | 3 | 4

/** Offsets into `bytes`. */
const UNTRAINED_BYTES = RING_HOURS / 8
export const PROFILE_AT = UNTRAINED_BYTES
export const PEAKS_AT = PROFILE_AT + 2 * 168
export const PENDING_AT = PEAKS_AT + 2 * 3 * 24
export const CALENDAR_AT = PENDING_AT + 32 * 5
export const CALENDAR_CLASSES = 31 + 2 + 14
const BYTES = CALENDAR_AT + 2 * CALENDAR_CLASSES
/** Limits are kept for two hours, in so many fields each. */
export const SLOTS = 2
export const SLOT_FIELDS = 52

/**
 * What one entity sent lately and what was learnt from it. Plain data: everything that the next judgement depends on
 * is in here, and in what `encodeVolume` makes of it. About 3 KiB for a key of up to 65,000 messages an hour.
 */
export type VolumeState = {
  /** Messages of each hour, and behind them of each minute, in rings. */
  counts: Counts
  /**
   * In this order: one bit an hour for those that must not train; the profile (two bytes for each hour of the week);
   * largest windows of 1, 10 and 60 minutes by hour of day in two generations; the shape of the last 32 hours; the last
   * two values of each calendar class.
   */
  readonly bytes: Uint8Array
  /** Limits of the last two judged hours (see hour-limits.ts); in one piece of memory with `bytes`. */
  readonly slots: Float32Array
  /** Past bursts of messages (see sends.ts). */
  sends: Uint32Array
  openSend: { start: number; last: number; messages: number }
  /** The latest minute the rings have been moved to; −1 before the first. */
  headMinute: number
  /** The first minute of sustained traffic; −1 before the first message. */
  firstMinute: number
  /** The latest minute with a message, and the longest time without one between two of them, hours. */
  lastMinute: number
  longestGapHours: number
  /** What was before this hour no longer sets level and season. */
  acceptedHour: number
  /** The last hour whose shape has been kept, and the last one whose closed windows have been judged. */
  settledHour: number
  closedHour: number
  /** Messages in the last 10 and 60 minutes, and in the 5 and 23 whole hours before the head's (see judgedBefore). */
  sum10: number
  sum60: number
  before6: number
  before24: number
  /** The hour the profile was made for; −1 when it has to be made again. */
  profileHour: number
  /** What was learnt besides the profile (see volume-profile.ts). */
  learnt: Learnt
  /** How messages cluster within the hour: pairs in one minute and in ten, what even hours would have, and hours. */
  clusters: { minute: number; ten: number; even: number; hours: number }
  /** Cumulated evidence of growth (see volume-ramp.ts). */
  ramp: { hourly: number; daily: number; hourlyStart: number; dailyStart: number }
}

/** The numbers of a profile that are not by hour of the week. */
export type Learnt = {
  readonly activeDays: number
  readonly learning: boolean
  readonly trainedHours: number
  /** Expected in the busiest hour of the week. */
  readonly busyHour: number
  /** Expected in an hour, over the whole week. */
  readonly flat: number
  readonly burstKey: boolean
  /** Of windows of 1, 6 and 24 hours. */
  readonly dispersions: readonly [number, number, number]
  /** The largest windows of 1, 6 and 24 hours at any time. */
  readonly peaks: readonly [number, number, number]
  /** Share of the whole days watched that had no message. */
  readonly emptyDays: number
}

export const nothingLearnt: Learnt = {
  activeDays: 0,
  learning: true,
  trainedHours: 0,
  busyHour: 0,
  flat: 0,
  burstKey: false,
  dispersions: [1, 1, 1],
  peaks: [0, 0, 0],
  emptyDays: 0,
}

/** The arrays of fixed length. They lie in one piece of memory, because each piece costs a few hundred bytes more. */
export function createMemory(): { readonly bytes: Uint8Array; readonly slots: Float32Array } {
  const slotBytes = SLOTS * SLOT_FIELDS * Float32Array.BYTES_PER_ELEMENT
  const memory = new ArrayBuffer(slotBytes + BYTES)
  return {
    slots: new Float32Array(memory, 0, SLOTS * SLOT_FIELDS),
    bytes: new Uint8Array(memory, slotBytes, BYTES),
  }
}

/** An empty array of its own costs 200 bytes. */
export const NO_SENDS = new Uint32Array(0)

export function createVolume(): VolumeState {
  return {
    counts: createCounts(RING_HOURS + RING_MINUTES),
    ...createMemory(),
    sends: NO_SENDS,
    openSend: { start: -1, last: -1, messages: 0 },
    headMinute: -1,
    firstMinute: -1,
    lastMinute: -1,
    longestGapHours: 0,
    acceptedHour: 0,
    settledHour: -1,
    closedHour: -1,
    sum10: 0,
    sum60: 0,
    before6: 0,
    before24: 0,
    profileHour: -1,
    learnt: nothingLearnt,
    clusters: { minute: 0, ten: 0, even: 0, hours: 0 },
    ramp: { hourly: 0, daily: 0, hourlyStart: 0, dailyStart: 0 },
  }
}

export function inHour(state: VolumeState, hour: number): number {
  return state.counts[hour % RING_HOURS] ?? 0
}

/** Where a minute is counted. */
function cellOf(minute: number): number {
  return RING_HOURS + (minute & (RING_MINUTES - 1))
}

/** Messages of a minute that the ring still holds. */
export function inMinute(state: VolumeState, minute: number): number {
  return minute > state.headMinute - RING_MINUTES && minute <= state.headMinute
    ? (state.counts[cellOf(minute)] ?? 0)
    : 0
}

/** Adds one message to its minute and hour; the head must be there already. */
export function addMessage(state: VolumeState, minute: number): void {
  const late = state.headMinute - minute
  const hour = hourOfMinute(minute)
  if (late < RING_MINUTES) {
    state.counts = added(state.counts, cellOf(minute), 1)
    if (late < 10) state.sum10 += 1
    if (late < 60) state.sum60 += 1
  }
  const hoursLate = hourOfMinute(state.headMinute) - hour
  if (hoursLate >= RING_HOURS) return
  state.counts = added(state.counts, hour % RING_HOURS, 1)
  if (hoursLate > 0 && isTrained(state, hour)) {
    if (hoursLate < 6) state.before6 += 1
    if (hoursLate < 24) state.before24 += 1
  }
}

/** Clears the cells of the new time and brings the running sums along. */
export function moveRings(state: VolumeState, minute: number): void {
  const { headMinute: head } = state
  const steps = head === -1 ? RING_MINUTES : Math.min(minute - head, RING_MINUTES)
  if (steps >= RING_MINUTES) {
    state.counts.fill(0, RING_HOURS)
    state.sum10 = 0
    state.sum60 = 0
  } else {
    for (let next = head + 1; next <= minute; next += 1) {
      state.sum10 -= state.counts[cellOf(next - 10)] ?? 0
      state.sum60 -= state.counts[cellOf(next - 60)] ?? 0
      state.counts[cellOf(next)] = 0
    }
  }
  const hour = hourOfMinute(minute)
  const hoursAhead = head === -1 ? RING_HOURS : Math.min(hour - hourOfMinute(head), RING_HOURS)
  for (let step = 0; step < hoursAhead; step += 1) {
    state.counts[(hour - step) % RING_HOURS] = 0
    setBit(state, hour - step, true)
  }
  state.headMinute = minute
  if (hoursAhead > 0) {
    sumBefore(state)
  }
}

/** Sums up the hours before the head's hour. */
export function sumBefore(state: VolumeState): void {
  const hour = hourOfMinute(state.headMinute)
  state.before6 = judgedBefore(state, hour, 6)
  state.before24 = judgedBefore(state, hour, 24)
}

/**
 * Messages in the whole hours before `hour` that belong to a window of so many hours ending in it. What an incident
 * holds is left out, so that it is not judged twice.
 */
export function judgedBefore(state: VolumeState, hour: number, hours: 6 | 24): number {
  let sum = 0
  for (let past = Math.max(0, hour - hours + 1); past < hour; past += 1) {
    if (isTrained(state, past)) sum += inHour(state, past)
  }
  return sum
}

/** Messages of whole hours, both ends included. */
export function sumOfHours(state: VolumeState, first: number, last: number): number {
  let sum = 0
  for (let hour = Math.max(0, first); hour <= last; hour += 1) sum += inHour(state, hour)
  return sum
}

/** Whether the baseline may learn from the hour. */
export function isTrained(state: VolumeState, hour: number): boolean {
  const cell = hour % RING_HOURS
  return ((state.bytes[cell >> 3] ?? 0) & (1 << (cell & 7))) === 0
}

/** Takes an hour out of training or puts it back; answers whether that changed anything. */
export function setBit(state: VolumeState, hour: number, trained: boolean): boolean {
  const cell = hour % RING_HOURS
  const bit = 1 << (cell & 7)
  const byte = state.bytes[cell >> 3] ?? 0
  const changed = trained ? byte & ~bit : byte | bit
  state.bytes[cell >> 3] = changed
  return changed !== byte
}

/** The oldest hour that a baseline may be made from. */
export function oldestHour(state: VolumeState): number {
  return Math.max(
    hourOfMinute(state.headMinute) - RING_HOURS + 1,
    state.firstMinute === -1 ? Infinity : Math.floor(state.firstMinute / MINUTES_PER_HOUR),
    state.acceptedHour,
  )
}

import { HOURS_PER_DAY, hourOfMinute, MINUTES_PER_HOUR } from '../clock.ts'
import { packed, unpacked } from './counts.ts'
import { countSendMinute, endSendBefore } from './sends.ts'
import {
  inHour,
  inMinute,
  isTrained,
  moveRings,
  PEAKS_AT,
  PENDING_AT,
  RING_MINUTES,
  type VolumeState,
} from './volume-state.ts'

/** An hour's inner shape is kept this long after its end, when messages that come out of order are in. */
const SETTLING_MINUTES = 15
/** The shape of an hour trains a day later, unless an incident was found to touch it. */
export const QUARANTINE_HOURS = HOURS_PER_DAY
const PENDING_HOURS = 32
const PENDING_FIELDS = 5
/** The first fields of a pending hour and of a generation are the largest windows of these scales. */
const PEAK_SCALES = [0, 1, 2] as const
/**
 * A generation of largest windows lasts five weeks; the present one and the one before it count, so that a month's
 * end is remembered at the next.
 */
const GENERATION_HOURS = 35 * HOURS_PER_DAY
const GENERATION_BYTES = PEAK_SCALES.length * HOURS_PER_DAY
/** Clustering is kept in hundredths: 100 = as even as chance makes it. */
const CLUSTER_UNIT = 100
/** What an hour's clustering counts after each later hour with messages: half after about a hundred. */
const CLUSTER_DECAY = 0.993

/** Moves the rings to `minute`; settles the hours that are old enough before their minutes are overwritten. */
export function moveHead(state: VolumeState, minute: number): void {
  if (minute <= state.headMinute) return
  const last = hourOfMinute(minute - SETTLING_MINUTES) - 1
  if (state.headMinute === -1) {
    state.settledHour = last
  } else {
    // What counts as usual changes with the hour alone, so that it does not depend on which message comes first.
    for (let hour = hourOfMinute(state.headMinute) + 1; hour <= hourOfMinute(minute); hour += 1) {
      settleTo(state, hour - 2)
      learnShape(state, hour - 2 - QUARANTINE_HOURS)
    }
    settleTo(state, last)
  }
  moveRings(state, minute)
}

function settleTo(state: VolumeState, last: number): void {
  for (let hour = state.settledHour + 1; hour <= last; hour += 1) settle(state, hour)
  state.settledHour = Math.max(state.settledHour, last)
}

function settle(state: VolumeState, hour: number): void {
  if (hour % GENERATION_HOURS === 0) {
    const at = PEAKS_AT + generationOf(hour) * GENERATION_BYTES
    state.bytes.fill(0, at, at + GENERATION_BYTES)
  }
  const pending = PENDING_AT + (hour % PENDING_HOURS) * PENDING_FIELDS
  state.bytes.fill(0, pending, pending + PENDING_FIELDS)
  const start = hour * MINUTES_PER_HOUR
  const held = start - 10 > state.headMinute - RING_MINUTES && start <= state.headMinute
  if (held && inHour(state, hour) > 0) keepShape(state, hour, pending)
  endSendBefore(state, start + MINUTES_PER_HOUR)
}

function keepShape(state: VolumeState, hour: number, pending: number): void {
  const start = hour * MINUTES_PER_HOUR
  const peaks: [number, number, number] = [0, 0, 0]
  let pairs = 0
  let tenPairs = 0
  let messages = 0
  let ten = sumOfMinutes(state, start - 10, start - 1)
  let sixty = sumOfMinutes(state, start - 60, start - 1)
  for (let minute = start; minute < start + MINUTES_PER_HOUR; minute += 1) {
    const count = inMinute(state, minute)
    ten += count - inMinute(state, minute - 10)
    sixty += count - inMinute(state, minute - 60)
    if (minute % 10 === 9) tenPairs += ten * (ten - 1)
    // A window that ends with an empty minute holds no more than the one that ended before it.
    if (count === 0) continue
    countSendMinute(state, minute, count)
    messages += count
    pairs += count * (count - 1)
    peaks[0] = Math.max(peaks[0], count)
    peaks[1] = Math.max(peaks[1], ten)
    peaks[2] = Math.max(peaks[2], sixty)
  }
  const even = messages * (messages - 1)
  for (const scaleIndex of PEAK_SCALES) state.bytes[pending + scaleIndex] = packed(peaks[scaleIndex])
  // An even hour has 1/60 of all its pairs within one minute and 1/6 within ten.
  state.bytes[pending + 3] = even === 0 ? 0 : packed((pairs * 60 * CLUSTER_UNIT) / even)
  state.bytes[pending + 4] = even === 0 ? 0 : packed((tenPairs * 6 * CLUSTER_UNIT) / even)
}

function sumOfMinutes(state: VolumeState, first: number, last: number): number {
  let sum = 0
  for (let minute = first; minute <= last; minute += 1) sum += inMinute(state, minute)
  return sum
}

/** What an hour showed becomes part of what is usual, unless the hour must not train. */
function learnShape(state: VolumeState, hour: number): void {
  if (hour < 0 || !isTrained(state, hour)) return
  const pending = PENDING_AT + (hour % PENDING_HOURS) * PENDING_FIELDS
  for (const scaleIndex of PEAK_SCALES) {
    raisePeak(state, hour, { scaleIndex, byte: state.bytes[pending + scaleIndex] ?? 0 })
  }
  const minute = state.bytes[pending + 3] ?? 0
  const ten = state.bytes[pending + 4] ?? 0
  if (minute === 0 && ten === 0) return
  const messages = inHour(state, hour)
  const even = messages * (messages - 1)
  const { clusters } = state
  clusters.minute = CLUSTER_DECAY * clusters.minute + (even * unpacked(minute)) / CLUSTER_UNIT
  clusters.ten = CLUSTER_DECAY * clusters.ten + (even * unpacked(ten)) / CLUSTER_UNIT
  clusters.even = CLUSTER_DECAY * clusters.even + even
  clusters.hours = CLUSTER_DECAY * clusters.hours + 1
}

/**
 * An hour that was kept out of training is put back after its shape is gone: its largest windows are taken to have
 * held half of its messages (ten minutes) and a sixth (one minute).
 */
export function learnLate(state: VolumeState, hour: number): void {
  if (hour > hourOfMinute(state.headMinute) - 2 - QUARANTINE_HOURS) return
  const messages = inHour(state, hour)
  raisePeak(state, hour, { scaleIndex: 0, byte: packed(messages / 6) })
  raisePeak(state, hour, { scaleIndex: 1, byte: packed(messages / 2) })
  raisePeak(state, hour, { scaleIndex: 2, byte: packed(messages) })
}

function raisePeak(
  state: VolumeState,
  hour: number,
  { scaleIndex, byte }: { readonly scaleIndex: 0 | 1 | 2; readonly byte: number },
): void {
  const at =
    PEAKS_AT + generationOf(hour) * GENERATION_BYTES + scaleIndex * HOURS_PER_DAY + (hour % HOURS_PER_DAY)
  if (byte > (state.bytes[at] ?? 0)) state.bytes[at] = byte
}

function generationOf(hour: number): number {
  return Math.floor(hour / GENERATION_HOURS) & 1
}

/**
 * The largest windows of 1, 10 or 60 minutes: those that ended around this hour of the day, and at any time. A key that
 * is still learning cannot wait for the quarantine; its last day counts at once.
 */
export function shortPeaks(
  state: VolumeState,
  given: { readonly hour: number; readonly scaleIndex: 0 | 1 | 2; readonly learning: boolean },
): { near: number; any: number } {
  let near = 0
  let any = 0
  for (let at = 0; at < 2 * HOURS_PER_DAY; at += 1) {
    const hourOfDay = at % HOURS_PER_DAY
    const generation = at < HOURS_PER_DAY ? 0 : 1
    const byte =
      state.bytes[PEAKS_AT + generation * GENERATION_BYTES + given.scaleIndex * HOURS_PER_DAY + hourOfDay] ??
      0
    any = Math.max(any, byte)
    if (isNear(hourOfDay, given.hour)) near = Math.max(near, byte)
  }
  const oldest = Math.max(0, given.hour - PENDING_HOURS + 6)
  for (let hour = oldest; given.learning && hour <= given.hour - 2; hour += 1) {
    if (!isTrained(state, hour)) continue
    const byte = state.bytes[PENDING_AT + (hour % PENDING_HOURS) * PENDING_FIELDS + given.scaleIndex] ?? 0
    any = Math.max(any, byte)
    if (isNear(hour, given.hour)) near = Math.max(near, byte)
  }
  return { near: unpacked(near), any: unpacked(any) }
}

/** Whether two hours are at most an hour apart on the clock. */
export function isNear(hour: number, other: number): boolean {
  const apart = (((hour - other) % HOURS_PER_DAY) + HOURS_PER_DAY) % HOURS_PER_DAY
  return apart <= 1 || apart === HOURS_PER_DAY - 1
}

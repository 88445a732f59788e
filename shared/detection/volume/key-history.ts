import { MINUTES_PER_HOUR, hourOfMinute } from '../clock.ts'

/** Hours kept: five weeks, so that a month-end has been seen once and every hour of the week five times. */
export const HISTORY_HOURS = 35 * 24
/** Hours whose inner shape (bursts within the hour) is kept: four weeks. */
export const SHAPE_HOURS = 28 * 24
/** Minutes kept: the hour being filled and the three before it, which an hour's shape is made from. */
export const HISTORY_MINUTES = 4 * MINUTES_PER_HOUR
/** An hour counts for the baseline once it is this many hours old, so that stragglers are in before it does. */
export const SETTLING_HOURS = 2

/** Window lengths that are judged, in minutes. */
export const scales = [1, 10, 60] as const
const PEAKS = scales.length
/** Scales below an hour, for which the clustering within the hour is kept. */
const CLUSTERS = 2

/**
 * What one key (or a whole source) sent lately: messages per hour and per minute, and for each settled hour its
 * largest windows and how clustered it was, rounded up to within 6 %. About 8 KiB.
 */
export type KeyHistory = {
  readonly hours: Uint32Array
  readonly minutes: Uint32Array
  /** Largest window of each scale that ended in the hour. */
  readonly peaks: Uint8Array
  /** For 1 and 10 minutes: pairs of messages in one window, against what an even hour would have. */
  readonly clusters: Uint8Array
  /** Hours that must not train: they overlap an episode. */
  readonly untrained: Uint8Array
  /** The hour of the key's first message; infinite before that. Earlier hours are no exposure. */
  firstHour: number
  /** The latest minute the rings have been moved to; −1 before the first. */
  headMinute: number
  /** The last hour whose shape has been kept. */
  settledHour: number
}

export function createKeyHistory(): KeyHistory {
  return {
    hours: new Uint32Array(HISTORY_HOURS),
    minutes: new Uint32Array(HISTORY_MINUTES),
    peaks: new Uint8Array(SHAPE_HOURS * PEAKS),
    clusters: new Uint8Array(SHAPE_HOURS * CLUSTERS),
    untrained: new Uint8Array(Math.ceil(HISTORY_HOURS / 8)),
    firstHour: Infinity,
    headMinute: -1,
    settledHour: -1,
  }
}

/** Counts messages into the minute they belong to; what is older than the rings is dropped, it can train nothing. */
export function addMessages(history: KeyHistory, minute: number, messages: number): void {
  if (minute > history.headMinute) moveTo(history, minute)
  const hour = hourOfMinute(minute)
  if (hour < history.firstHour) history.firstHour = hour
  if (minute > history.headMinute - HISTORY_MINUTES) {
    const cell = minute % HISTORY_MINUTES
    history.minutes[cell] = (history.minutes[cell] ?? 0) + messages
  }
  addToHour(history, hour, messages)
}

/** Counts messages of an hour whose minutes are not known, as the warehouse's rollup gives it. */
export function addToHour(history: KeyHistory, hour: number, messages: number): void {
  if (hour < history.firstHour) history.firstHour = hour
  if (hour <= hourOfMinute(history.headMinute) - HISTORY_HOURS) return
  const cell = hour % HISTORY_HOURS
  history.hours[cell] = (history.hours[cell] ?? 0) + messages
}

/** Moves the rings on to `minute`: settles the hours that are old enough, then clears the cells of the new time. */
export function moveTo(history: KeyHistory, minute: number): void {
  const head = history.headMinute
  if (minute <= head) return
  const hour = hourOfMinute(minute)
  const lastSettled = hour - SETTLING_HOURS
  const fresh = head === -1 || minute - head >= HISTORY_HOURS * MINUTES_PER_HOUR
  const firstToSettle = Math.max(history.settledHour + 1, lastSettled - SHAPE_HOURS + 1)
  for (let settling = firstToSettle; settling <= lastSettled; settling += 1) settle(history, settling)
  history.settledHour = Math.max(history.settledHour, lastSettled)

  const minutesToClear = fresh ? HISTORY_MINUTES : Math.min(minute - head, HISTORY_MINUTES)
  for (let step = 0; step < minutesToClear; step += 1) history.minutes[(minute - step) % HISTORY_MINUTES] = 0
  const hoursToClear = fresh ? HISTORY_HOURS : Math.min(hour - hourOfMinute(head), HISTORY_HOURS)
  for (let step = 0; step < hoursToClear; step += 1) {
    history.hours[(hour - step) % HISTORY_HOURS] = 0
    setTrained(history, hour - step, true)
  }
  history.headMinute = minute
}

/** Messages in the `length` minutes that end with `endMinute`, leaving out those before `fromMinute`. */
export function messagesIn(
  history: KeyHistory,
  { endMinute, length, fromMinute }: { endMinute: number; length: number; fromMinute: number },
): number {
  const first = Math.max(endMinute - length + 1, fromMinute, history.headMinute - HISTORY_MINUTES + 1)
  const last = Math.min(endMinute, history.headMinute)
  let sum = 0
  for (let minute = first; minute <= last; minute += 1) sum += history.minutes[minute % HISTORY_MINUTES] ?? 0
  return sum
}

export function messagesInHour(history: KeyHistory, hour: number): number {
  return history.hours[hour % HISTORY_HOURS] ?? 0
}

/** Takes hours out of training because an episode touches them, or puts them back. */
export function setTrained(history: KeyHistory, hour: number, trained: boolean): void {
  const cell = hour % HISTORY_HOURS
  const bit = 1 << (cell & 7)
  const byte = history.untrained[cell >> 3] ?? 0
  history.untrained[cell >> 3] = trained ? byte & ~bit : byte | bit
}

/** The same for every hour that the minutes touch, both ends included. */
export function setTrainedBetween(
  history: KeyHistory,
  minutes: { readonly startMinute: number; readonly endMinute: number },
  trained: boolean,
): void {
  const oldest = hourOfMinute(history.headMinute) - HISTORY_HOURS + 1
  const first = Math.max(hourOfMinute(minutes.startMinute), oldest)
  const last = Math.min(hourOfMinute(minutes.endMinute), hourOfMinute(history.headMinute))
  for (let hour = first; hour <= last; hour += 1) setTrained(history, hour, trained)
}

/** Whether the hour is one the baseline may learn from. */
export function isTrained(history: KeyHistory, hour: number): boolean {
  const cell = hour % HISTORY_HOURS
  return hour >= history.firstHour && ((history.untrained[cell >> 3] ?? 0) & (1 << (cell & 7))) === 0
}

/** The shape of one settled hour as exact numbers, as the warehouse's minute rollup gives it. */
export type HourShape = {
  readonly hour: number
  /** Largest window of 1, 10 and 60 minutes that ended in the hour. */
  readonly peaks: readonly [number, number, number]
  /** Sum of n(n − 1) over the hour's minutes, and over its six spans of ten minutes. */
  readonly pairs: readonly [number, number]
}

/** Keeps the shape of a settled hour; the hour's own count must be in already. */
export function setHourShape(history: KeyHistory, shape: HourShape): void {
  const cell = shape.hour % SHAPE_HOURS
  const messages = messagesInHour(history, shape.hour)
  const evenPairs = messages * (messages - 1)
  shape.peaks.forEach((peak, index) => {
    history.peaks[cell * PEAKS + index] = packed(peak)
  })
  // An even hour has 1/60 of all its pairs within one minute and 1/6 within ten.
  const [minutePairs, tenPairs] = shape.pairs
  history.clusters[cell * CLUSTERS] =
    evenPairs === 0 ? 0 : packed((minutePairs * 60 * CLUSTER_UNIT) / evenPairs)
  history.clusters[cell * CLUSTERS + 1] =
    evenPairs === 0 ? 0 : packed((tenPairs * 6 * CLUSTER_UNIT) / evenPairs)
}

export function peakOf(history: KeyHistory, hour: number, scaleIndex: number): number {
  return unpacked(history.peaks[(hour % SHAPE_HOURS) * PEAKS + scaleIndex] ?? 0)
}

/** 1 = as even as chance makes it; 60 (for minutes) = everything in one minute. 0 where the hour had no pair. */
export function clusteringOf(history: KeyHistory, hour: number, scaleIndex: 0 | 1): number {
  return unpacked(history.clusters[(hour % SHAPE_HOURS) * CLUSTERS + scaleIndex] ?? 0) / CLUSTER_UNIT
}

function settle(history: KeyHistory, hour: number): void {
  const firstMinute = hour * MINUTES_PER_HOUR
  const peaks: [number, number, number] = [0, 0, 0]
  const pairs: [number, number] = [0, 0]
  if (messagesInHour(history, hour) > 0 && firstMinute > history.headMinute - HISTORY_MINUTES) {
    for (let minute = firstMinute; minute < firstMinute + MINUTES_PER_HOUR; minute += 1) {
      const count = messagesIn(history, { endMinute: minute, length: 1, fromMinute: 0 })
      const ten = messagesIn(history, { endMinute: minute, length: 10, fromMinute: 0 })
      if (minute % 10 === 9) pairs[1] += ten * (ten - 1)
      // A window that ends with an empty minute holds no more than the one that ended before it.
      if (count === 0) continue
      peaks[0] = Math.max(peaks[0], count)
      peaks[1] = Math.max(peaks[1], ten)
      peaks[2] = Math.max(peaks[2], messagesIn(history, { endMinute: minute, length: 60, fromMinute: 0 }))
      pairs[0] += count * (count - 1)
    }
  }
  setHourShape(history, { hour, peaks, pairs })
}

/** Ratios are kept in hundredths. */
const CLUSTER_UNIT = 100
/** One byte holds 0 and 255 steps of 6 %: up to 2.6 million. Rounded up, so that a limit is never set too low. */
const STEP = Math.log(1.06)

function packed(value: number): number {
  return value < 1 ? 0 : Math.min(255, 1 + Math.ceil(Math.log(value) / STEP - 1e-9))
}

function unpacked(byte: number): number {
  return byte === 0 ? 0 : Math.exp((byte - 1) * STEP)
}

import type { VolumeState } from './volume-state.ts'
import { inMinute } from './volume-state.ts'

/** So many empty minutes end a send. */
const GAP_MINUTES = 30
/** Smaller ones are no campaign. */
const SEND_MESSAGES_MIN = 20
/** Sends kept: two years of a monthly statement, half a year of a weekly newsletter. */
const SENDS_MAX = 24
/** Of a send: its first minute, its messages, its length in minutes with the training bit on top. */
const FIELDS = 3
const UNTRAINED_BIT = 0x8000_0000

/** Counts the messages of one settled minute into the send they belong to; minutes come in order. */
export function countSendMinute(state: VolumeState, minute: number, messages: number): void {
  const { openSend } = state
  if (openSend.messages > 0 && minute - openSend.last > GAP_MINUTES) keepSend(state)
  if (openSend.messages === 0) openSend.start = minute
  openSend.last = minute
  openSend.messages += messages
}

/** Ends a send that has had no message for long enough before `minute`. */
export function endSendBefore(state: VolumeState, minute: number): void {
  const { openSend } = state
  if (openSend.messages > 0 && minute - openSend.last > GAP_MINUTES) keepSend(state)
}

function keepSend(state: VolumeState): void {
  const { openSend } = state
  if (openSend.messages >= SEND_MESSAGES_MIN) {
    let { sends } = state
    if (sends.length < SENDS_MAX * FIELDS) {
      sends = new Uint32Array(sends.length + FIELDS)
      sends.set(state.sends)
      state.sends = sends
    } else {
      sends.copyWithin(0, FIELDS)
    }
    sends.set([openSend.start, openSend.messages, openSend.last - openSend.start + 1], sends.length - FIELDS)
  }
  openSend.messages = 0
}

/** Takes the sends that overlap the minutes out of training, or puts them back. */
export function setSendsTrained(
  state: VolumeState,
  minutes: { readonly startMinute: number; readonly endMinute: number },
  trained: boolean,
): void {
  const { sends } = state
  for (let at = 0; at < sends.length; at += FIELDS) {
    const start = sends[at] ?? 0
    const length = sends[at + 2] ?? 0
    const end = start + (length & ~UNTRAINED_BIT) - 1
    if (end < minutes.startMinute || start > minutes.endMinute) continue
    sends[at + 2] = trained ? length & ~UNTRAINED_BIT : length | UNTRAINED_BIT
  }
}

/** The sizes of the sends before a minute that may be learnt from, oldest first. */
export function sendSizes(state: VolumeState, beforeMinute: number): number[] {
  const sizes: number[] = []
  for (let at = 0; at < state.sends.length; at += FIELDS) {
    const start = state.sends[at] ?? 0
    const length = state.sends[at + 2] ?? 0
    const known = length < UNTRAINED_BIT && start >= state.acceptedHour * 60 && start + length <= beforeMinute
    if (known) sizes.push(state.sends[at + 1] ?? 0)
  }
  return sizes
}

/** Sends smaller than this share of the largest are tests and stragglers. */
const MAIN_SHARE = 0.1
const SPREAD_MIN = 0.15
/** Two and a half standard deviations; no more than so many times the largest so far. */
const DEVIATIONS = 2.5
const OVER_LARGEST_MAX = 2
const OVER_LARGEST = 1.25

/**
 * How many messages a send may have and still be one of a familiar size: sizes are log-normal. 0 without a send.
 */
export function familiarSize(state: VolumeState, beforeMinute: number): number {
  const sizes = sendSizes(state, beforeMinute)
  const largest = sizes.reduce((most, size) => Math.max(most, size), 0)
  if (largest === 0) return 0
  const logs = sizes.filter((size) => size >= MAIN_SHARE * largest).map((size) => Math.log(size))
  const mean = logs.reduce((sum, log) => sum + log, 0) / logs.length
  const variance = logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / Math.max(1, logs.length - 1)
  const usual = Math.exp(mean + DEVIATIONS * Math.max(SPREAD_MIN, Math.sqrt(variance)))
  return Math.min(OVER_LARGEST_MAX * largest, Math.max(OVER_LARGEST * largest, usual))
}

/** Messages of the send that is under way at the head: back to the first gap. */
export function presentSend(state: VolumeState): { start: number; messages: number } {
  const settled = (state.settledHour + 1) * 60
  let last = state.headMinute
  let start = last
  let messages = 0
  for (let minute = last; minute >= settled && last - minute <= GAP_MINUTES; minute -= 1) {
    const count = inMinute(state, minute)
    if (count === 0) continue
    messages += count
    last = minute
    start = minute
  }
  const { openSend } = state
  return openSend.messages > 0 && last - openSend.last <= GAP_MINUTES
    ? { start: openSend.start, messages: messages + openSend.messages }
    : { start, messages }
}

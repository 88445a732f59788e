import { hourOfMinute, HOURS_PER_DAY, minuteOf, MINUTES_PER_HOUR } from '../clock.ts'
import type { EvidenceSink } from '../evidence.ts'
import { closeHours } from './closed-windows.ts'
import { forgetSlots } from './hour-limits.ts'
import { setSendsTrained } from './sends.ts'
import { judgeFrom, type VolumeGiven } from './spike.ts'
import { ensureProfile, LEARNING_AGE_DAYS, LEARNING_DAYS } from './volume-profile.ts'
import { learnLate, moveHead } from './volume-settle.ts'
import {
  addMessage,
  inMinute,
  JUDGED_LATENESS_MINUTES,
  RING_HOURS,
  RING_MINUTES,
  setBit,
  sumBefore,
  sumOfHours,
  type VolumeState,
} from './volume-state.ts'

/**
 * Counts one message (event time, seconds) and judges the windows it is in. What comes later than ten minutes against
 * the key's own head is counted and judged no more.
 */
export function countMessage(
  state: VolumeState,
  message: { readonly timestamp: number },
  given: VolumeGiven,
  sink: EvidenceSink,
): void {
  const minute = minuteOf(message.timestamp)
  if (minute > state.headMinute) moveHead(state, minute)
  noteMinute(state, minute)
  addMessage(state, minute)
  if (!given.judged || minute < state.headMinute - JUDGED_LATENESS_MINUTES) return
  judgeFrom(state, minute, given, sink)
}

const DAY_MINUTES = HOURS_PER_DAY * MINUTES_PER_HOUR

/** After so long without a message, what came before it was a stray if it was no more than a handful. */
const STRAY_GAP_MINUTES = 7 * DAY_MINUTES
const STRAY_MESSAGES_MAX = 10

/** Keeps the first and last minute and the longest gap; a stray message of weeks ago does not make a key old. */
function noteMinute(state: VolumeState, minute: number): void {
  if (minute <= state.lastMinute) {
    if (minute < state.firstMinute) state.firstMinute = minute
    return
  }
  const gap = minute - state.lastMinute
  if (state.lastMinute === -1) {
    state.firstMinute = minute
  } else if (gap >= MINUTES_PER_HOUR) {
    if (gap >= STRAY_GAP_MINUTES && hadStraysOnly(state)) state.firstMinute = minute
    else state.longestGapHours = Math.max(state.longestGapHours, Math.floor(gap / MINUTES_PER_HOUR))
  }
  state.lastMinute = minute
}

function hadStraysOnly(state: VolumeState): boolean {
  const head = hourOfMinute(state.headMinute)
  const sent = sumOfHours(state, head - RING_HOURS + 1, head)
  const old = state.lastMinute - state.firstMinute > STRAY_GAP_MINUTES
  return sent <= STRAY_MESSAGES_MAX && state.sends.length === 0 && !old
}

/** Event time is complete up to this minute. May skip far ahead; the outcome is that of going step by step. */
export function advanceVolume(
  state: VolumeState,
  minute: number,
  given: VolumeGiven,
  sink: EvidenceSink,
): void {
  if (state.lastMinute === -1) return
  closeHours(state, minute, given, sink)
}

/**
 * Takes minutes out of training because an incident holds them, or puts them back because it was a false alarm; both
 * ends included. Minutes that have not come yet are left alone: say it again once they have.
 */
export function setVolumeTraining(
  state: VolumeState,
  minutes: { readonly startMinute: number; readonly endMinute: number },
  trained: boolean,
): void {
  const head = hourOfMinute(state.headMinute)
  const first = Math.max(0, hourOfMinute(minutes.startMinute), head - RING_HOURS + 1)
  const last = Math.min(hourOfMinute(minutes.endMinute), head)
  let changed = false
  for (let hour = first; hour <= last; hour += 1) {
    if (!setBit(state, hour, trained)) continue
    changed = true
    if (trained) learnLate(state, hour)
  }
  setSendsTrained(state, minutes, trained)
  if (!changed) return
  sumBefore(state)
  learnAnew(state)
}

/**
 * Accepts a new normal: what was before this minute no longer sets level and season. The key's largest windows and
 * how its messages cluster stay known; they are forgotten in their time.
 */
export function acceptVolume(state: VolumeState, fromMinute: number): void {
  state.acceptedHour = Math.max(state.acceptedHour, hourOfMinute(fromMinute))
  state.ramp = { hourly: 0, daily: 0, hourlyStart: 0, dailyStart: 0 }
  learnAnew(state)
}

function learnAnew(state: VolumeState): void {
  state.profileHour = -1
  forgetSlots(state)
}

export type VolumeMaturity = {
  readonly activeDays: number
  /** The first minute of sustained traffic; −1 before the first message. */
  readonly firstMinute: number
  readonly learning: boolean
  /** While learning: the minute by which it will be over if the key goes on as it does. */
  readonly learningUntil?: number
  /** Expected in the busiest hour of the week. */
  readonly busyHour: number
  /** The longest time without a message between two of them, hours. */
  readonly longestGapHours: number
  /** The latest minute with a message; −1 before the first. */
  readonly lastMinute: number
  /** The key works in bursts: newsletters, batches, statements. */
  readonly burstKey: boolean
}

/** How well the key is known at this minute. */
export function volumeMaturity(state: VolumeState, minute: number): VolumeMaturity {
  ensureProfile(state, hourOfMinute(Math.max(state.headMinute, 0)))
  const { learnt, firstMinute, longestGapHours, lastMinute } = state
  const known = {
    activeDays: learnt.activeDays,
    firstMinute,
    busyHour: learnt.busyHour,
    longestGapHours,
    lastMinute,
    burstKey: learnt.burstKey,
  }
  if (!learnt.learning) return { ...known, learning: false }
  const daysWatched = Math.max(1, (minute - firstMinute) / DAY_MINUTES)
  const daysToGo =
    (LEARNING_DAYS - learnt.activeDays) * Math.max(1, daysWatched / Math.max(1, learnt.activeDays))
  return {
    ...known,
    learning: true,
    learningUntil: Math.min(
      minute + Math.ceil(daysToGo) * DAY_MINUTES,
      Math.max(firstMinute, state.acceptedHour * MINUTES_PER_HOUR) + LEARNING_AGE_DAYS * DAY_MINUTES,
    ),
  }
}

/**
 * Messages of the minutes from start to end, both included: by the minute within the last two hours, by whole hours
 * before that.
 */
export function messagesBetween(state: VolumeState, startMinute: number, endMinute: number): number {
  const last = Math.min(endMinute, state.headMinute)
  const oldestMinute = Math.max(startMinute, state.headMinute - RING_MINUTES + 1)
  const firstWholeHour = Math.ceil(oldestMinute / MINUTES_PER_HOUR)
  if (startMinute === oldestMinute) return sumOfMinutes(state, startMinute, last)
  const head = hourOfMinute(state.headMinute)
  const firstHour = Math.max(hourOfMinute(startMinute), head - RING_HOURS + 1)
  const lastHour = Math.min(hourOfMinute(last), firstWholeHour - 1)
  return sumOfHours(state, firstHour, lastHour) + sumOfMinutes(state, firstWholeHour * MINUTES_PER_HOUR, last)
}

function sumOfMinutes(state: VolumeState, first: number, last: number): number {
  let sum = 0
  for (let minute = first; minute <= last; minute += 1) sum += inMinute(state, minute)
  return sum
}

export { createVolume, type VolumeState } from './volume-state.ts'
export { decodeVolume, encodeVolume } from './volume-codec.ts'
export type { VolumeGiven } from './spike.ts'
export { describeVolume } from './describe-volume.ts'

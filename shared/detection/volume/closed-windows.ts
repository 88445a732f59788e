import { hourOfMinute, HOURS_PER_DAY, MINUTES_PER_HOUR } from '../clock.ts'
import type { EvidenceSink } from '../evidence.ts'
import { learnDay } from './calendar.ts'
import { judgeDrop } from './drop.ts'
import { isYoung } from './hour-limits.ts'
import { judgeDailyRamp, judgeHourlyRamp } from './ramp.ts'
import type { VolumeGiven } from './spike.ts'
import { ensureProfile, expectedInHour, LEARNING_DAYS } from './volume-profile.ts'
import { moveHead } from './volume-settle.ts'
import { inHour, isTrained, oldestHour, RING_HOURS, type VolumeState } from './volume-state.ts'

/**
 * So long after the last message nothing of it is left to judge: the rings are empty, and so is the profile, which is
 * made once a day.
 */
const QUIET_HOURS = RING_HOURS + 2 * HOURS_PER_DAY

/**
 * Event time is complete up to this minute: judges every hour that has closed since the last call, in order. The hours
 * of a long quiet are all the same, so their middle is passed over: a timestamp of long ago must cost nobody seconds.
 */
export function closeHours(state: VolumeState, minute: number, given: VolumeGiven, sink: EvidenceSink): void {
  const last = hourOfMinute(minute + 1) - 1
  if (state.closedHour === -1) state.closedHour = hourOfMinute(state.firstMinute) - 1
  const quietFrom = hourOfMinute(state.lastMinute) + QUIET_HOURS
  const lively = last - 2 * HOURS_PER_DAY
  const oldest = hourOfMinute(state.headMinute) - RING_HOURS + 1
  let hour = Math.max(state.closedHour + 1, oldest)
  while (hour <= last) {
    moveHead(state, hour * MINUTES_PER_HOUR + MINUTES_PER_HOUR - 1)
    state.closedHour = hour
    closeHour(state, hour, given, sink)
    hour = hour >= quietFrom && hour < lively ? lively : hour + 1
  }
  state.closedHour = Math.max(state.closedHour, last)
  moveHead(state, minute)
}

function closeHour(state: VolumeState, hour: number, given: VolumeGiven, sink: EvidenceSink): void {
  ensureProfile(state, hour)
  const { learnt } = state
  if (isYoung(state) || learnt.activeDays < LEARNING_DAYS) return
  judgeDrop(state, hour, given, sink)
  if (!learnt.burstKey) judgeHourlyRamp(state, hour, given, sink)
  if ((hour + 1) % HOURS_PER_DAY !== 0) return
  const day = Math.floor(hour / HOURS_PER_DAY)
  if (!learnt.burstKey) judgeDailyRamp(state, day, given, sink)
  // Yesterday has been in quarantine for a day, and the present profile does not rest on it.
  learnCalendar(state, day - 1)
}

/** A day with fewer messages, expected and seen, says nothing about the calendar. */
const CALENDAR_MESSAGES_MIN = 20

function learnCalendar(state: VolumeState, day: number): void {
  const first = day * HOURS_PER_DAY
  if (first < oldestHour(state)) return
  let seen = 0
  let expected = 0
  for (let hour = first; hour < first + HOURS_PER_DAY; hour += 1) {
    if (!isTrained(state, hour)) return
    seen += inHour(state, hour)
    expected += expectedInHour(state, hour)
  }
  if (Math.max(seen, expected) < CALENDAR_MESSAGES_MIN) return
  learnDay(state, day, Math.log((seen + 0.5) / (expected + 0.5)))
}

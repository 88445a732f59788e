import { moment, number } from './alert-text.ts'
import { minuteOf } from './clock.ts'
import type { DetectionSettings } from './detection-settings.ts'
import { POINTS_MAX, type EvidenceSink } from './evidence.ts'
import type { KeyState } from './key-state.ts'
import { surpriseOf, usualInterval } from './statistics/negative-binomial.ts'
import { messagesBetween, volumeMaturity } from './volume/volume-watch.ts'

/** A key is dormant after so long, and after so many times its own longest pause. */
const DORMANT_DAYS = 14
const DORMANT_PAUSES = 3
const ACTIVE_DAYS_MIN = 5
const SHOWN_SHARE = 0.75
/** What a dormant key sends in its first day counts as its waking. */
const WAKING_SECONDS = 24 * 3600
/** Nearly enough to wake somebody at once, and enough with the tenth message. */
const WOKE_POINTS = 4.5
const WOKE_POINTS_PER_MESSAGE = 0.2
const WOKE_POINTS_MAX = 6.5

/** Notes that a key wakes; to be asked before its message is counted. */
export function noteWaking(state: KeyState, timestamp: number): void {
  if (state.headSeconds === -1 || timestamp <= state.headSeconds) return
  const quietDays = (timestamp - state.headSeconds) / 86_400
  if (quietDays < DORMANT_DAYS) return
  // A key that has shown itself for a shorter time than it was quiet has shown no habit to break.
  if (state.headSeconds - state.firstSeconds < SHOWN_SHARE * (timestamp - state.headSeconds)) return
  const { longestGapHours, activeDays } = volumeMaturity(state.volume, Math.floor(state.headSeconds / 60))
  if (activeDays < ACTIVE_DAYS_MIN) return
  if (quietDays * 24 < DORMANT_PAUSES * longestGapHours) return
  state.woke = { startSeconds: timestamp, quietDays, messages: 0 }
}

export function judgeWaking(state: KeyState, timestamp: number, sink: EvidenceSink): void {
  const { woke } = state
  if (woke === undefined) return
  if (timestamp - woke.startSeconds > WAKING_SECONDS) {
    state.woke = undefined
    return
  }
  woke.messages += 1
  const points = Math.min(WOKE_POINTS_MAX, WOKE_POINTS + WOKE_POINTS_PER_MESSAGE * woke.messages)
  if (!sink.wants('key.dormant_woke', points)) return
  const days = Math.floor(woke.quietDays)
  sink.report({
    signal: 'key.dormant_woke',
    points,
    startSeconds: woke.startSeconds,
    windowSeconds: Math.max(1, timestamp - woke.startSeconds),
    observed: days,
    expected: 0,
    expectedLow: 0,
    expectedHigh: DORMANT_DAYS,
    messages: woke.messages,
    holdMinutes: 60,
    text: `it woke after ${number(days)} days of silence and sent ${number(woke.messages)} ${woke.messages === 1 ? 'message' : 'messages'}`,
    details: { quiet_days: days },
  })
}

/** How long a key is new to a source that was known before, from how many messages on, and what that is worth. */
const NEW_MINUTES = 24 * 60
const NEW_MESSAGES = 50
const NEW_POINTS = 2.5
const NEW_HOLD_MINUTES = 60

/**
 * A name that nobody has seen sends: no reason to wake anybody, but one to look at the rest with less patience. Names
 * are the sender's own claim.
 */
export function judgeNewKey(state: KeyState, minute: number, sink: EvidenceSink): void {
  const firstMinute = minuteOf(state.firstSeconds)
  if (minute - firstMinute > NEW_MINUTES || !sink.wants('key.new', NEW_POINTS)) return
  const messages = messagesBetween(state.volume, firstMinute, minute)
  if (messages < NEW_MESSAGES) return
  sink.report({
    signal: 'key.new',
    points: NEW_POINTS,
    startSeconds: state.firstSeconds,
    windowSeconds: Math.max(1, (minute - firstMinute) * 60),
    observed: messages,
    expected: 0,
    expectedLow: 0,
    expectedHigh: 0,
    messages,
    holdMinutes: NEW_HOLD_MINUTES,
    text: `its name was first seen at ${moment(firstMinute)} and has sent ${number(messages)} messages`,
    details: { new_key: true },
  })
}

const RETIRED_POINTS = 12

/** A retired key must not send at all. */
export function judgeRetired(state: KeyState, timestamp: number, sink: EvidenceSink): void {
  if (!sink.wants('key.retired_used', RETIRED_POINTS)) return
  const since = state.evidence.get('key.retired_used')?.startSeconds ?? timestamp
  const messages = Math.max(1, messagesBetween(state.volume, minuteOf(since), minuteOf(timestamp)))
  sink.report({
    signal: 'key.retired_used',
    points: RETIRED_POINTS,
    startSeconds: since,
    windowSeconds: 1,
    observed: messages,
    expected: 0,
    expectedLow: 0,
    expectedHigh: 0,
    messages,
    holdMinutes: 60,
    text: 'a key that was retired sends again',
    details: {},
  })
}

const WINDOW_MINUTES = 60
/** Spread of the hourly number of unattributed messages, and what is expected where none was ever seen. */
const DISPERSION = 2
const MEAN_MIN = 0.05
/** Points with the number of messages that the settings ask for: enough to wake somebody. */
const POINTS_AT_MIN = 6.5
/** Where some mail is unattributed anyway, so many times that number are needed. */
const MIN_WHERE_USUAL = 2.5

/** Mail that no rule attributes, where practically everything is attributed: the usual face of a stolen key. */
export function judgeUnattributed(
  state: KeyState,
  given: {
    readonly minute: number
    readonly settings: DetectionSettings
    readonly habit: { readonly perDay: number; readonly few: boolean }
  },
  sink: EvidenceSink,
): void {
  const { minute, settings, habit } = given
  const startMinute = minute - WINDOW_MINUTES + 1
  const messages = messagesBetween(state.volume, startMinute, minute)
  // Such mail comes by day: an hour may have a sixth of the day's.
  const mean = Math.max(MEAN_MIN, habit.perDay / 6)
  const enough = settings.unattributedMin * (habit.few ? 1 : MIN_WHERE_USUAL)
  const points = Math.min(
    surpriseOf(messages, { mean, dispersion: DISPERSION }),
    (POINTS_AT_MIN * messages) / enough,
    POINTS_MAX,
  )
  if (!sink.wants('key.unattributed', points)) return
  const { high } = usualInterval({ mean, dispersion: DISPERSION })
  sink.report({
    signal: 'key.unattributed',
    points,
    startSeconds: Math.max(
      startMinute * 60,
      state.evidence.get('key.unattributed')?.startSeconds ?? firstOf(state, startMinute, minute),
    ),
    windowSeconds: WINDOW_MINUTES * 60,
    observed: messages,
    expected: mean,
    expectedLow: 0,
    expectedHigh: high,
    messages,
    holdMinutes: WINDOW_MINUTES,
    text:
      `${number(messages)} messages in an hour that no attribution rule matches, where ` +
      (habit.few ? 'practically all are attributed' : `${number(high)} at most are usual`),
    details: { window_minutes: WINDOW_MINUTES, usual_per_day: Math.round(habit.perDay * 10) / 10 },
  })
}

/** The time of the first minute with messages. */
function firstOf(state: KeyState, startMinute: number, minute: number): number {
  for (let at = startMinute; at < minute; at += 1) {
    if (messagesBetween(state.volume, at, at) > 0) return at * 60
  }
  return minute * 60
}

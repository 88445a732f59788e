import { HOURS_PER_DAY, HOURS_PER_WEEK, hourOfWeek } from '../clock.ts'
import { expectedInHour, trainingWindow } from './volume-profile.ts'
import { inHour, isTrained, oldestHour, type VolumeState } from './volume-state.ts'

/** Days with messages before a key can be said to sleep. */
const ACTIVE_DAYS_MIN = 5
/** An hour with more than this share of the busiest one is no sleeping hour, whatever is found in it. */
const BUSY_SHARE_MAX = 0.02
/** Nor is one with more than a message in four hours. */
const RATE_MAX = 0.25
/** Watched hours after which an hour of the week speaks for itself: three weeks with both its neighbours. */
const OWN_HOURS_MIN = 9
const KIND_HOURS_MIN = 12
/** So many messages would have come had the hour been like the others: e^−4 is one chance in 55. */
const MISSED_MESSAGES_MIN = 4
/** Added to messages seen and hours watched: none seen in fifteen hours is a rate of 0.02, not of 0. */
const PRIOR_MESSAGES = 0.3

/** Mondays, say, that are all empty are days of rest when chance would make them so less often than one in thirty. */
const REST_SURPRISE_MIN = 1.5
const REST_DAYS_MIN = 3

/**
 * Messages an hour to be expected in a sleeping hour, and 0 where the hour is not known to be one. An hour of a day
 * on which the key works sleeps when neither it nor its neighbours had messages, although they would have had some
 * had they been like the key's other hours. A day of the week is a day of rest when the key worked on none of them. A
 * key that works in bursts sleeps nearly always and may wake at any time, so nothing can be said of it.
 */
export function sleepingRate(state: VolumeState, hour: number): number {
  const { learnt } = state
  if (learnt.activeDays < ACTIVE_DAYS_MIN || learnt.burstKey) return 0
  const busy = BUSY_SHARE_MAX * learnt.busyHour
  // The shrunken profile gives an empty hour a part of its neighbours' and of the other days' messages.
  if (expectedInHour(state, hour) > 10 * busy) return 0
  const seen = seenAround(state, hour)
  const workingShare = Math.max(0.02, 1 - learnt.emptyDays)
  if (seen.workedDays === 0) {
    const surprise = -seen.days * Math.log10(Math.max(0.02, 1 - workingShare))
    if (seen.days < REST_DAYS_MIN || surprise < REST_SURPRISE_MIN) return 0
    return PRIOR_MESSAGES / (3 * seen.days + 1)
  }
  const own = seen.hours >= OWN_HOURS_MIN
  const hours = own ? seen.hours : seen.kindHours
  const messages = own ? seen.messages : seen.kindMessages
  if (hours < (own ? OWN_HOURS_MIN : KIND_HOURS_MIN)) return 0
  if ((learnt.flat / workingShare) * hours < MISSED_MESSAGES_MIN) return 0
  const rate = (messages + PRIOR_MESSAGES) / (hours + 1)
  return messages / hours <= Math.min(busy, RATE_MAX) ? rate : 0
}

/**
 * What was seen on days with messages in this hour of the week and its neighbours, and at this time on all working
 * days or weekends; and on how many of the same days of the week there was any message.
 */
function seenAround(state: VolumeState, hour: number) {
  const window = trainingWindow(state, state.profileHour)
  const weekend = isWeekend(hour)
  const seen = { messages: 0, hours: 0, kindMessages: 0, kindHours: 0, days: 0, workedDays: 0 }
  for (let day = 1; hour - day * HOURS_PER_DAY >= window.first - 1; day += 1) {
    const middle = hour - day * HOURS_PER_DAY
    if (isWeekend(middle) !== weekend || middle + 1 >= window.end) continue
    const own = (day * HOURS_PER_DAY) % HOURS_PER_WEEK === 0
    const worked = workedOn(state, middle)
    if (own) {
      seen.days += 1
      if (worked) seen.workedDays += 1
    }
    if (!worked) continue
    for (let past = middle - 1; past <= middle + 1; past += 1) {
      if (past < window.first || !isTrained(state, past)) continue
      const messages = inHour(state, past)
      seen.kindMessages += messages
      seen.kindHours += 1
      if (own) {
        seen.messages += messages
        seen.hours += 1
      }
    }
  }
  return seen
}

/** Whether the hour's day had any message. */
function workedOn(state: VolumeState, hour: number): boolean {
  const first = Math.floor(hour / HOURS_PER_DAY) * HOURS_PER_DAY
  for (let past = Math.max(first, oldestHour(state)); past < first + HOURS_PER_DAY; past += 1) {
    if (inHour(state, past) > 0 && isTrained(state, past)) return true
  }
  return false
}

function isWeekend(hour: number): boolean {
  return hourOfWeek(hour) >= 5 * HOURS_PER_DAY
}

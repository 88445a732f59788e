import { HOURS_PER_DAY, HOURS_PER_WEEK, hourOfWeek } from '../clock.ts'
import { expectedInHour, trainingWindow } from './volume-profile.ts'
import { inHour, isTrained, type VolumeState } from './volume-state.ts'

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

/**
 * Messages an hour to be expected in a sleeping hour, and 0 where the hour is not known to be one: neither it nor its
 * neighbours had messages, and had they been like the key's other hours they would have had some. A key that works
 * in bursts sleeps nearly always and may wake at any time, so nothing can be said of it.
 */
export function sleepingRate(state: VolumeState, hour: number): number {
  const { learnt } = state
  if (learnt.activeDays < ACTIVE_DAYS_MIN || learnt.burstKey) return 0
  const busy = BUSY_SHARE_MAX * learnt.busyHour
  // The shrunken profile gives an empty hour a part of its neighbours' and of the other days' messages.
  if (expectedInHour(state, hour) > 10 * busy) return 0
  const seen = seenAround(state, hour)
  const own = seen.hours >= OWN_HOURS_MIN
  const hours = own ? seen.hours : seen.kindHours
  const messages = own ? seen.messages : seen.kindMessages
  if (hours < (own ? OWN_HOURS_MIN : KIND_HOURS_MIN)) return 0
  if (learnt.flat * hours < MISSED_MESSAGES_MIN) return 0
  const rate = (messages + PRIOR_MESSAGES) / (hours + 1)
  return messages / hours <= Math.min(busy, RATE_MAX) ? rate : 0
}

/** What was seen in this hour of the week and its neighbours, and at this time on all working days or weekends. */
function seenAround(state: VolumeState, hour: number) {
  const window = trainingWindow(state, state.profileHour)
  const weekend = isWeekend(hour)
  const seen = { messages: 0, hours: 0, kindMessages: 0, kindHours: 0 }
  for (let day = 1; hour - day * HOURS_PER_DAY >= window.first - 1; day += 1) {
    const middle = hour - day * HOURS_PER_DAY
    if (isWeekend(middle) !== weekend) continue
    const own = (day * HOURS_PER_DAY) % HOURS_PER_WEEK === 0
    for (let past = middle - 1; past <= middle + 1; past += 1) {
      if (past < window.first || past >= window.end || !isTrained(state, past)) continue
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

function isWeekend(hour: number): boolean {
  return hourOfWeek(hour) >= 5 * HOURS_PER_DAY
}

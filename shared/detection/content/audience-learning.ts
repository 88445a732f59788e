import { shareOf, strangerShare, temperedSum, type AudienceWatch } from './audience-state.ts'
import { endDayOfDomains, learntOf, OTHER, todayOf, UNSEEN } from './domain-memory.ts'
import { learnDay } from './overdispersion.ts'

const DAILY_DECAY = 0.98

/** Ends a day: learns it, or forgets it where something was wrong with it. */
export function endDayOfAudience(watch: AudienceWatch, learn: boolean): void {
  if (learn) {
    learnMixSpread(watch)
    learnStrangerSpread(watch)
  }
  endDayOfDomains(watch.domains, learn)
  watch.temperedTotal = temperedSum(watch.domains)
  watch.strangers = watch.strangers * DAILY_DECAY + (learn ? watch.strangersToday : 0)
  watch.lookedUp = watch.lookedUp * DAILY_DECAY + (learn ? watch.lookedUpToday : 0)
  watch.strangersToday = 0
  watch.lookedUpToday = 0
}

/** Messages that the shares must rest on before a day is held against them. */
const LEARNT_MIN = 30
/** A class is looked at by itself when at least this many of the day's messages were to be expected in it. */
const EXPECTED_MIN = 0.5

function learnMixSpread({ domains, mixSpread }: AudienceWatch): void {
  if (domains.total < LEARNT_MIN) return
  let messages = domains.otherToday + domains.unseenToday
  for (let place = 0; place < domains.size; place += 1) messages += todayOf(domains, place)
  let chiSquare = 0
  let classes = 0
  const rest = { seen: 0, expected: 0 }
  const add = (seen: number, share: number) => {
    const expected = share * messages
    if (expected < EXPECTED_MIN) {
      rest.seen += seen
      rest.expected += expected
      return
    }
    chiSquare += (seen - expected) ** 2 / expected
    classes += 1
  }
  let unseen = domains.unseenToday
  for (let place = 0; place < domains.size; place += 1) {
    if (learntOf(domains, place) > 0) add(todayOf(domains, place), shareOf(domains, place))
    else unseen += todayOf(domains, place)
  }
  add(domains.otherToday, shareOf(domains, OTHER))
  add(unseen, shareOf(domains, UNSEEN))
  if (rest.expected > 0.05) {
    chiSquare += (rest.seen - rest.expected) ** 2 / Math.max(EXPECTED_MIN, rest.expected)
    classes += 1
  }
  learnDay(mixSpread, { chiSquare, freedom: classes - 1, messages })
}

function learnStrangerSpread(watch: AudienceWatch): void {
  const { strangersToday: seen, lookedUpToday: messages } = watch
  if (watch.lookedUp < LEARNT_MIN || messages === 0) return
  const share = strangerShare(watch)
  const chiSquare = (seen - messages * share) ** 2 / (messages * share * (1 - share))
  learnDay(watch.strangerSpread, { chiSquare, freedom: 1, messages })
}

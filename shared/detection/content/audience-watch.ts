import { createBottomK, sight, type BottomK } from '../statistics/bottom-k.ts'
import { mixed } from '../statistics/hash-text.ts'
import { reportAudience } from './audience-evidence.ts'
import {
  addDomain,
  clearWindow,
  createDomainMemory,
  endDayOfDomains,
  learntOf,
  OTHER,
  placeOfDomain,
  setToday,
  setWindow,
  todayOf,
  UNSEEN,
  placeWindowOf,
  type DomainMemory,
} from './domain-memory.ts'
import { concentrationOf, createOverdispersion, learnDay, type Overdispersion } from './overdispersion.ts'
import type { EvidenceSink } from '../evidence.ts'

/** An e-process that is restarted whenever it says nothing: Page's CUSUM of log10 likelihood ratios. */
export type Suspicion = {
  points: number
  messages: number
  firstSeconds: number
  lastSeconds: number
}

/** Whom a key mails: which domains, and how many people it never mailed before. */
export type AudienceWatch = {
  readonly domains: DomainMemory
  readonly seenDomains: BottomK
  readonly seenRecipients: BottomK
  /** Sum of the square roots of the learnt shares; follows from them. */
  temperedTotal: number
  readonly mixSpread: Overdispersion
  readonly strangerSpread: Overdispersion
  /** Recipients looked up and found new: learnt, and of today. */
  strangers: number
  lookedUp: number
  strangersToday: number
  lookedUpToday: number
  mix: Suspicion
  stranger: Suspicion & { strangers: number; domains: number[]; perDomain: number[] }
  /** The last recipients: several messages to one person are one choice. */
  readonly recent: Uint32Array
  recentAt: number
}

export type AudienceGiven = {
  readonly timestamp: number
  readonly recipient: number
  readonly domain: string
  readonly domainHash: number
  readonly judged: boolean
  readonly activeDays: number
}

export const SEEN_DOMAINS = 128
export const SEEN_RECIPIENTS = 256
const RECENT = 8
/** One message says at most this much: models are wrong about single events. */
const STEP_MAX = 1
/** Suspicion grows no further, so that it passes as soon as usual messages come again. */
const SUSPICION_MAX = 8
/** Weight of the tempered shares in the alternative before the window's own counts speak. */
const ALTERNATIVE_PRIOR = 4
/** How often a stranger is met when the audience is another one. */
const STRANGER_ALTERNATIVE = 0.9
const STRANGERS_USUAL = 0.75
const DAILY_DECAY = 0.98
/** Suspicion that is not fed for so long is dropped. */
const FORGET_SECONDS = 24 * 3600

export function createAudienceWatch(): AudienceWatch {
  return {
    domains: createDomainMemory(),
    seenDomains: createBottomK(SEEN_DOMAINS),
    seenRecipients: createBottomK(SEEN_RECIPIENTS),
    temperedTotal: 1,
    mixSpread: createOverdispersion(0.08, 4),
    strangerSpread: createOverdispersion(0.1, 4),
    strangers: 0,
    lookedUp: 0,
    strangersToday: 0,
    lookedUpToday: 0,
    mix: noSuspicion(),
    stranger: { ...noSuspicion(), strangers: 0, domains: [], perDomain: [] },
    recent: new Uint32Array(RECENT),
    recentAt: 0,
  }
}

function noSuspicion(): Suspicion {
  return { points: 0, messages: 0, firstSeconds: 0, lastSeconds: 0 }
}

/** Counts one message, and judges whom the latest ones went to. */
export function countRecipient(watch: AudienceWatch, given: AudienceGiven, sink: EvidenceSink): void {
  if (given.domain === '' || given.recipient === 0) return
  const { recent, recentAt } = watch
  const isRepeat = recent.includes(given.recipient)
  recent[recentAt] = given.recipient
  watch.recentAt = (recentAt + 1) % RECENT
  const place = countDomain(watch, given)
  const sighting = sight(watch.seenRecipients, mixed(given.recipient))
  if (sighting !== 'outside the sample') {
    watch.lookedUpToday += 1
    if (sighting === 'new') watch.strangersToday += 1
  }
  if (isRepeat || !given.judged) return
  suspectMix(watch, place, given)
  if (sighting !== 'outside the sample') suspectStrangers(watch, sighting === 'new', given)
  reportAudience(watch, given.activeDays, sink)
}

/** Answers the domain's class: a place, `OTHER` or `UNSEEN`. */
function countDomain({ domains, seenDomains }: AudienceWatch, { domain, domainHash }: AudienceGiven): number {
  const place = placeOfDomain(domains, domainHash)
  if (place >= 0) {
    setToday(domains, place, todayOf(domains, place) + 1)
    return learntOf(domains, place) > 0 ? place : UNSEEN
  }
  const isNew = sight(seenDomains, domainHash) === 'new'
  const added = addDomain(domains, domainHash, domain)
  if (added >= 0) setToday(domains, added, 1)
  if (isNew) {
    domains.unseenToday += added >= 0 ? 0 : 1
    return UNSEEN
  }
  if (added < 0) domains.otherToday += 1
  return OTHER
}

/** Added to each class, so that nothing is impossible; and as many classes as are assumed for it. */
const SMALLEST = 0.3
const CLASSES = 10

/** The learnt share of a class. */
export function shareOf(domains: DomainMemory, place: number): number {
  const count =
    place === UNSEEN ? domains.unseenCount : place === OTHER ? domains.otherCount : learntOf(domains, place)
  return (count + SMALLEST) / (domains.total + SMALLEST * CLASSES)
}

export function windowOf(domains: DomainMemory, place: number): number {
  if (place === UNSEEN) return domains.unseenWindow
  return place === OTHER ? domains.otherWindow : placeWindowOf(domains, place)
}

function countInWindow(domains: DomainMemory, place: number): void {
  if (place === UNSEEN) domains.unseenWindow += 1
  else if (place === OTHER) domains.otherWindow += 1
  else setWindow(domains, place, Math.min(65_535, placeWindowOf(domains, place) + 1))
}

/**
 * Likelihood ratio of "other recipients than usual" against "as usual, give or take this key's own days". As usual is
 * Pólya's urn with the learnt shares and the learnt concentration, so that a key whose days differ is not surprised
 * by one more odd day. The alternative leans to what is rare (square roots of the shares) and to what the window has
 * shown so far.
 */
function suspectMix(watch: AudienceWatch, place: number, given: AudienceGiven): void {
  const { domains, mix } = watch
  if (startAnew(mix, given.timestamp)) clearWindow(domains)
  const share = shareOf(domains, place)
  const before = windowOf(domains, place)
  const concentration = concentrationOf(watch.mixSpread)
  const usual = (concentration * share + before) / (concentration + mix.messages)
  const tempered = Math.sqrt(share) / watch.temperedTotal
  const other = (ALTERNATIVE_PRIOR * tempered + before) / (ALTERNATIVE_PRIOR + mix.messages)
  countInWindow(domains, place)
  step(mix, Math.log10(other / usual), given.timestamp)
}

export function temperedSum(domains: DomainMemory): number {
  let sum = Math.sqrt(shareOf(domains, OTHER)) + Math.sqrt(shareOf(domains, UNSEEN))
  for (let place = 0; place < domains.size; place += 1) {
    if (learntOf(domains, place) > 0) sum += Math.sqrt(shareOf(domains, place))
  }
  return sum
}

/** The same for "never mailed before". Strangers of one domain are one choice the more they are: the k-th counts 1/k. */
function suspectStrangers(watch: AudienceWatch, isStranger: boolean, given: AudienceGiven): void {
  const { stranger } = watch
  if (startAnew(stranger, given.timestamp)) {
    stranger.strangers = 0
    stranger.domains = []
    stranger.perDomain = []
  }
  const share = strangerShare(watch)
  // A key that mails strangers anyway is not surprised by more of them.
  if (share > STRANGERS_USUAL) return
  const concentration = concentrationOf(watch.strangerSpread)
  const usual = (concentration * share + stranger.strangers) / (concentration + stranger.messages)
  if (isStranger) {
    const weight = 1 / occurrence(stranger, given.domainHash)
    stranger.strangers += 1
    step(stranger, weight * Math.max(0, Math.log10(STRANGER_ALTERNATIVE / usual)), given.timestamp)
  } else {
    step(stranger, Math.min(0, Math.log10((1 - STRANGER_ALTERNATIVE) / (1 - usual))), given.timestamp)
  }
}

export function strangerShare({ strangers, lookedUp }: AudienceWatch): number {
  return Math.min(0.99, (strangers + 1) / (lookedUp + 4))
}

const STRANGER_DOMAINS_MAX = 16

function occurrence(stranger: AudienceWatch['stranger'], domainHash: number): number {
  const at = stranger.domains.indexOf(domainHash)
  if (at === -1) {
    if (stranger.domains.length >= STRANGER_DOMAINS_MAX) return 1
    stranger.domains.push(domainHash)
    stranger.perDomain.push(1)
    return 1
  }
  const times = (stranger.perDomain[at] ?? 0) + 1
  stranger.perDomain[at] = times
  return times
}

function startAnew(suspicion: Suspicion, timestamp: number): boolean {
  const isOver = suspicion.points > 0 && timestamp - suspicion.lastSeconds > FORGET_SECONDS
  if (suspicion.points > 0 && !isOver) return false
  suspicion.points = 0
  suspicion.messages = 0
  suspicion.firstSeconds = timestamp
  suspicion.lastSeconds = timestamp
  return true
}

function step(suspicion: Suspicion, logRatio: number, timestamp: number): void {
  suspicion.messages += 1
  const points = suspicion.points + Math.max(-STEP_MAX, Math.min(STEP_MAX, logRatio))
  suspicion.points = Math.min(SUSPICION_MAX, Math.max(0, points))
  suspicion.firstSeconds = Math.min(suspicion.firstSeconds, timestamp)
  suspicion.lastSeconds = Math.max(suspicion.lastSeconds, timestamp)
}

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

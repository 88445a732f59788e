import { sight } from '../statistics/bottom-k.ts'
import { mixed } from '../statistics/hash-text.ts'
import { reportAudience } from './audience-evidence.ts'
import {
  RECENT,
  shareOf,
  strangerShare,
  windowOf,
  type AudienceWatch,
  type Suspicion,
} from './audience-state.ts'
import {
  addDomain,
  clearWindow,
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
import { concentrationOf } from './overdispersion.ts'
import type { EvidenceSink } from '../evidence.ts'

export type AudienceGiven = {
  readonly timestamp: number
  readonly recipient: number
  readonly domain: string
  readonly domainHash: number
  readonly judged: boolean
  readonly activeDays: number
}

/** One message says at most this much: models are wrong about single events. */
const STEP_MAX = 1
/** Suspicion grows no further, so that it passes as soon as usual messages come again. */
const SUSPICION_MAX = 8
/** Weight of the tempered shares in the alternative before the window's own counts speak. */
const ALTERNATIVE_PRIOR = 4
/** How often a stranger is met when the audience is another one. */
const STRANGER_ALTERNATIVE = 0.9
const STRANGERS_USUAL = 0.75
/** Suspicion that is not fed for so long is dropped. */
const FORGET_SECONDS = 24 * 3600

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

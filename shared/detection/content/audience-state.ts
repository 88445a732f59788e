import { createBottomK, type BottomK } from '../statistics/bottom-k.ts'
import {
  createDomainMemory,
  learntOf,
  OTHER,
  placeWindowOf,
  UNSEEN,
  type DomainMemory,
} from './domain-memory.ts'
import { createOverdispersion, type Overdispersion } from './overdispersion.ts'

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

export const SEEN_DOMAINS = 128
export const SEEN_RECIPIENTS = 256
export const RECENT = 8

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

export function temperedSum(domains: DomainMemory): number {
  let sum = Math.sqrt(shareOf(domains, OTHER)) + Math.sqrt(shareOf(domains, UNSEEN))
  for (let place = 0; place < domains.size; place += 1) {
    if (learntOf(domains, place) > 0) sum += Math.sqrt(shareOf(domains, place))
  }
  return sum
}

export function strangerShare({ strangers, lookedUp }: AudienceWatch): number {
  return Math.min(0.99, (strangers + 1) / (lookedUp + 4))
}

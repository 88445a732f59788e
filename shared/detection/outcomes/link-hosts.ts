import { cutText } from '#shared/domain/normalise-text.ts'
import { createBottomK, sight, type BottomK } from '../statistics/bottom-k.ts'
import { dayOfMinute, HELD_DAYS_MAX } from './outcome-counts.ts'
import { registrableDomain } from './registrable-domain.ts'

/** The domains that people reach by the links in one key's mail. Bounded: about 300 bytes, 2 KiB at most. */
export type LinkHosts = {
  known: KnownHost[]
  /** Not trained yet: seen for the first time today, or within an incident. */
  fresh: FreshHost[]
  /** The day being counted, UTC; −1 before the first click. */
  day: number
  clicksToday: number
  freshToday: number
  /** Of the past, older days counting less: days with clicks, clicks, domains that were new. */
  pastDays: number
  pastClicks: number
  newHosts: number
  /** The shares that new domains had of the clicks when they were new: sum and number. */
  newShareSum: number
  newShareCount: number
}

export type KnownHost = { readonly host: string; clicks: number; lastDay: number }

export type FreshHost = {
  readonly host: string
  readonly firstMinute: number
  lastMinute: number
  clicks: number
  /** Different recipients: exact up to the sample's size, an estimate above it. */
  people: number
  readonly recipients: BottomK
  /** Clicks on known domains since the first click on this one. */
  others: number
}

const KNOWN_MAX = 12
const FRESH_MAX = 4
/** Recipients sampled: above so many, the number of people is known to about a sixth. */
export const RECIPIENTS_MAX = 32
const HOST_LENGTH_MAX = 80
/** A domain without a click for so long is forgotten, days. */
const FORGET_DAYS = 60
const HALF_LIFE_DAYS = 40
const DECAY = 0.5 ** (1 / HALF_LIFE_DAYS)
/** People click for days: a domain that is new stays so for two days after its first. */
const FRESH_DAYS = 2
/** Before a key has so many clicks, every domain is new and none is news. */
const LEARNT_CLICKS = 20
const LEARNT_DAYS = 2

export function createLinkHosts(): LinkHosts {
  return {
    known: [],
    fresh: [],
    day: -1,
    clicksToday: 0,
    freshToday: 0,
    pastDays: 0,
    pastClicks: 0,
    newHosts: 0,
    newShareSum: 0,
    newShareCount: 0,
  }
}

/** Whether the key's links are known well enough for a new one to be news. */
export function isLearnt({ pastClicks, pastDays }: LinkHosts): boolean {
  return pastClicks >= LEARNT_CLICKS && pastDays >= LEARNT_DAYS
}

/**
 * Counts one click of a person; `day` is the click's. Answers the domain's entry when it is not known yet: a host
 * below a known domain is no news.
 */
export function countClick(
  hosts: LinkHosts,
  click: { readonly host: string; readonly minute: number; readonly recipient: number; readonly day: number },
): FreshHost | undefined {
  const host = cutText(registrableDomain(click.host), HOST_LENGTH_MAX)
  if (hosts.day === -1) hosts.day = click.day
  hosts.clicksToday += 1
  const known = hosts.known.find((entry) => entry.host === host)
  if (known !== undefined) {
    known.clicks += 1
    known.lastDay = Math.max(known.lastDay, click.day)
    for (const entry of hosts.fresh) if (click.minute >= entry.firstMinute) entry.others += 1
    return undefined
  }
  const entry =
    hosts.fresh.find((candidate) => candidate.host === host) ?? addFresh(hosts, host, click.minute)
  entry.clicks += 1
  entry.lastMinute = Math.max(entry.lastMinute, click.minute)
  if (sight(entry.recipients, spread(click.recipient)) === 'new') {
    entry.people = Math.max(entry.people, peopleIn(entry.recipients))
  }
  return entry
}

const HASHES = 2 ** 32

/** Distinct values behind a sample: (k − 1) / the share of all hashes below the largest one kept (Bar-Yossef et al.). */
function peopleIn({ hashes, size, capacity }: BottomK): number {
  return size < capacity
    ? size
    : Math.max(size, Math.round(((size - 1) * HASHES) / ((hashes[size - 1] ?? 0) + 1)))
}

/** Spreads values evenly over 32 bits, each to another one (the finalizer of MurmurHash3, Appleby). */
function spread(value: number): number {
  let bits = value >>> 0
  bits = Math.imul(bits ^ (bits >>> 16), 0x85eb_ca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2_ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}

function addFresh(hosts: LinkHosts, host: string, minute: number): FreshHost {
  const made: FreshHost = {
    host,
    firstMinute: minute,
    lastMinute: minute,
    clicks: 0,
    people: 0,
    recipients: createBottomK(RECIPIENTS_MAX),
    others: 0,
  }
  hosts.freshToday += 1
  if (hosts.fresh.length >= FRESH_MAX) {
    const fewest = Math.min(...hosts.fresh.map(({ clicks }) => clicks))
    hosts.fresh.splice(
      hosts.fresh.findIndex(({ clicks }) => clicks === fewest),
      1,
    )
  }
  hosts.fresh = [...hosts.fresh, made]
  return made
}

/**
 * Ends the days before `today`: their clicks are learnt, and domains that have been new for long enough become known.
 * What was clicked on a day that is kept out stays new.
 */
export function closeClickDays(hosts: LinkHosts, today: number, isHeld: (day: number) => boolean): void {
  if (hosts.day === -1 || today <= hosts.day) return
  if (hosts.clicksToday > 0 && !isHeld(hosts.day)) trainDay(hosts)
  hosts.clicksToday = 0
  hosts.freshToday = 0
  hosts.day = today
  const fresh = isLearnt(hosts) ? FRESH_DAYS : 0
  promote(hosts, (entry) => dayOfMinute(entry.firstMinute) < today - fresh && !isHeldBetween(entry, isHeld))
  // What is left was kept out for so long that nobody will call its alarm false any more.
  hosts.fresh = hosts.fresh.filter(({ firstMinute }) => dayOfMinute(firstMinute) > today - HELD_DAYS_MAX)
  hosts.known = hosts.known.filter(({ lastDay }) => lastDay > today - FORGET_DAYS)
}

function trainDay(hosts: LinkHosts): void {
  const learnt = isLearnt(hosts)
  hosts.pastDays = hosts.pastDays * DECAY + 1
  hosts.pastClicks = hosts.pastClicks * DECAY + hosts.clicksToday
  hosts.newHosts = hosts.newHosts * DECAY + (learnt ? hosts.freshToday : 0)
  hosts.newShareSum *= DECAY
  hosts.newShareCount *= DECAY
}

function isHeldBetween(entry: FreshHost, isHeld: (day: number) => boolean): boolean {
  const first = dayOfMinute(entry.firstMinute)
  const last = dayOfMinute(entry.lastMinute)
  for (let day = first; day <= last; day += 1) if (isHeld(day)) return true
  return false
}

/** Makes new domains known: those that have been clicked in trained days alone, or all of them when accepted. */
export function promote(hosts: LinkHosts, trains: (entry: FreshHost) => boolean): void {
  const learnt = isLearnt(hosts)
  for (const entry of hosts.fresh) {
    if (!trains(entry)) continue
    if (learnt) {
      hosts.newShareSum += entry.people / (entry.people + entry.others)
      hosts.newShareCount += 1
    }
    const lastDay = dayOfMinute(entry.lastMinute)
    hosts.known = [...hosts.known, { host: entry.host, clicks: entry.clicks, lastDay }]
  }
  hosts.fresh = hosts.fresh.filter((entry) => !trains(entry))
  if (hosts.known.length <= KNOWN_MAX) return
  hosts.known.sort((a, b) => b.lastDay - a.lastDay || b.clicks - a.clicks)
  hosts.known.length = KNOWN_MAX
}

import { number } from '../alert-text.ts'
import { POINTS_MIN, type EvidenceSink } from '../evidence.ts'
import { logIncompleteBeta } from '../statistics/special-functions.ts'
import { isLearnt, type FreshHost, type LinkHosts } from './link-hosts.ts'

/** Pseudo-counts: a key that never linked to a new domain may do so on one in three of its next days' worth. */
const NEW_A_DAY = 0.3
const NEW_A_CLICK = 0.5
/** However stable a key, a deployment can add a link: new alone is worth no more than this. */
const NEWNESS_MAX = 2.5

/** The share of the clicks that a new link gets where it is added to the usual ones, and the weight of that opinion. */
const ADDED_SHARE = 0.05
const ADDED_WEIGHT = 3

/** While three quarters of the clicks go where they always went, a link was added; nobody replaced the mail. */
const ADDED_MAX = 3
const REPLACED_FROM = 0.25
const REPLACED_FULLY = 0.4
const REPLACED_MAX = 7
/** One person's click may be a forwarded message or a mistake; two are little. */
const PEOPLE_LIMITS: Readonly<Record<number, number>> = { 1: 2, 2: 3 }
const YOUNG_MAX = 3
/** Clicks of mail that an incident sent go on for days; they are no news once it has been told. */
const AFTERMATH_MINUTES = 3 * 1440
const HOLD_MINUTES = 360

/**
 * Leaves evidence when people's clicks go to a domain that this key has never linked to.
 *
 * Points are the sum of two surprises. That a new domain comes at all: −log10 of how often the key's days brought
 * one (a gamma–Poisson rate, or per click where that is more usual). And that it takes the clicks over: a link added
 * by a deployment is clicked beside the old ones, while mail that a thief sends has no old links, so among the
 * clicks since the first new one the new domain has many or all. −log10 P(Bin(clicks, usual share of new domains) ≥
 * people who clicked the new one); the usual share is learnt from what the key's new domains had when they were new.
 * As long as the old domains keep three quarters of the clicks it is added, and worth three points at most.
 */
export function judgeLinkHost(
  hosts: LinkHosts,
  entry: FreshHost,
  given: { readonly minute: number; readonly fromMinute: number; readonly mature: boolean },
  sink: EvidenceSink,
): void {
  if (!isLearnt(hosts)) return
  if (entry.firstMinute < given.fromMinute && given.minute < given.fromMinute + AFTERMATH_MINUTES) return
  const points = Math.min(linkPoints(hosts, entry), given.mature ? REPLACED_MAX : YOUNG_MAX)
  if (points < POINTS_MIN || !sink.wants('novelty.url_domain', points)) return
  const all = entry.clicks + entry.others
  const usual = hosts.known.toSorted((a, b) => b.clicks - a.clicks)[0]?.host
  const usually = usual === undefined ? '' : ` (usually ${usual})`
  sink.report({
    signal: 'novelty.url_domain',
    points,
    startSeconds: entry.firstMinute * 60,
    windowSeconds: Math.max(1, entry.lastMinute - entry.firstMinute) * 60,
    observed: entry.people,
    expected: 0,
    expectedLow: 0,
    expectedHigh: 0,
    messages: entry.people,
    holdMinutes: HOLD_MINUTES,
    text:
      `${number(entry.clicks)} of the last ${number(all)} clicks went to ${entry.host}, ` +
      `where its links never led before${usually}`,
    details: {
      link_domain: entry.host,
      clicks: entry.clicks,
      people: entry.people,
      clicks_on_known_domains: entry.others,
      usual_domain: usual ?? null,
      known_domains: hosts.known.length,
    },
  })
}

export function linkPoints(hosts: LinkHosts, { people, others }: FreshHost): number {
  const perDay = (hosts.newHosts + NEW_A_DAY) / (hosts.pastDays + 1)
  const perClick = (hosts.newHosts + NEW_A_CLICK) / (hosts.pastClicks + 1)
  const newness = Math.min(NEWNESS_MAX, Math.max(0, -Math.log10(Math.max(perDay, perClick))))
  const share = (ADDED_SHARE * ADDED_WEIGHT + hosts.newShareSum) / (ADDED_WEIGHT + hosts.newShareCount)
  const takenOver = -logIncompleteBeta(people, others + 1, share, 1 - share) / Math.LN10
  const part = people / (people + others)
  const replaced = Math.min(1, Math.max(0, (part - REPLACED_FROM) / (REPLACED_FULLY - REPLACED_FROM)))
  const limit = ADDED_MAX + (REPLACED_MAX - ADDED_MAX) * replaced
  return Math.min(newness + takenOver, limit, PEOPLE_LIMITS[people] ?? Infinity)
}

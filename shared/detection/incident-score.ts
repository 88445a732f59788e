import type { Signal } from '#shared/domain/alert.ts'
import { POINTS_MAX, type Evidence } from './evidence.ts'

/** Evidence of one group looks at one change from several sides; groups look at different things. */
export const evidenceGroups = ['sender', 'audience', 'volume', 'outcome', 'key'] as const
export type EvidenceGroup = (typeof evidenceGroups)[number]

const groupOfFamily: Readonly<Record<string, EvidenceGroup>> = {
  volume: 'volume',
  rate: 'outcome',
  mix: 'audience',
  novelty: 'sender',
}

export function groupOf(signal: Signal): EvidenceGroup {
  if (signal === 'novelty.url_domain') return 'outcome'
  return groupOfFamily[signal.slice(0, signal.indexOf('.'))] ?? 'key'
}

/** Further evidence of one group counts less than half: it mostly rests on the same change. */
const SAME_GROUP = 0.4
/** No group but the key's own says more than this, whatever its arithmetic: models are wrong in the far tail. */
const GROUP_MAX = 9

/**
 * A key that stops is shown on the boards and wakes nobody by itself: services are switched off every week, and nothing
 * leaves while a key is silent.
 */
const DROP_MAX = 2

export type Score = {
  readonly total: number
  readonly groups: Readonly<Record<EvidenceGroup, number>>
}

/**
 * Adds up what is known against an entity. Points are logarithms of probabilities, so those of independent groups add;
 * within a group the strongest counts whole and the others less than half.
 */
export function scoreOf(evidence: Iterable<Pick<Evidence, 'signal' | 'points'>>): Score {
  const strongest = { sender: 0, audience: 0, volume: 0, outcome: 0, key: 0 }
  const sums = { sender: 0, audience: 0, volume: 0, outcome: 0, key: 0 }
  for (const { signal, points } of evidence) {
    const group = groupOf(signal)
    const counted = Math.min(points, signal === 'volume.drop' ? DROP_MAX : POINTS_MAX)
    sums[group] += counted
    if (counted > strongest[group]) strongest[group] = counted
  }
  let leading = 0
  for (const group of evidenceGroups) {
    // A burst, a ramp and mail at night are one count seen thrice.
    const further = group === 'volume' ? 0 : SAME_GROUP * (sums[group] - strongest[group])
    const points = strongest[group] + further
    sums[group] = group === 'key' ? points : Math.min(GROUP_MAX, points)
    leading = Math.max(leading, sums[group])
  }
  let total = 0
  let isLeadingAdded = false
  for (const group of evidenceGroups) {
    const isLeading = !isLeadingAdded && sums[group] === leading
    if (isLeading) isLeadingAdded = true
    total += isLeading ? leading : beyondFaint(sums[group])
  }
  return { total, groups: sums }
}

/** Most keys have a point of something on most days: that adds nothing to what is clear. From two points on all counts. */
const FAINT = 1
const CLEAR = 2

function beyondFaint(points: number): number {
  if (points >= CLEAR) return points
  return Math.max(0, (points - FAINT) * (CLEAR / (CLEAR - FAINT)))
}

/** Several kinds of faint evidence are an unlucky hour; one of them must be clear, or together they must be more. */
const LEADING_MIN = 3
const SEVERAL_MIN = 6.5

/** Messages that strange content needs before it wakes anybody, if they go to fewer domains than `DOMAINS_MIN`. */
const FEW_DOMAINS_MESSAGES = 40
const DOMAINS_MIN = 3
const MESSAGES_MIN = 3
/** So many messages are no test, whatever is strange about them. */
const MANY_MESSAGES = 400
/** From so many points on the other groups' evidence is an event of its own. */
const CONCLUSIVE = 4

/**
 * Whether enough happened to wake somebody. A few test mails to colleagues are as strange as a theft, but go to one
 * domain; a theft goes to many people.
 */
export function hasImpact(evidence: Iterable<Evidence>, { total, groups }: Score): boolean {
  const leading = evidenceGroups.reduce((most, group) => Math.max(most, groups[group]), 0)
  if (leading < LEADING_MIN && total < SEVERAL_MIN) return false
  if (groups.key >= CONCLUSIVE || groups.outcome >= CONCLUSIVE || groups.volume >= CONCLUSIVE) return true
  for (const { signal, messages, domains } of evidence) {
    if (messages >= MANY_MESSAGES) return true
    const group = groupOf(signal)
    if (group !== 'sender' && group !== 'audience') continue
    if (messages >= FEW_DOMAINS_MESSAGES) return true
    if (messages >= MESSAGES_MIN && (domains ?? DOMAINS_MIN) >= DOMAINS_MIN) return true
  }
  return false
}

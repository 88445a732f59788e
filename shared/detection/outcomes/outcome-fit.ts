import { shareDistribution, type ShareDistribution } from '../statistics/beta-binomial.ts'
import {
  attemptsOf,
  bouncesOf,
  DROPPED,
  pairsOf,
  pairsOfKind,
  totalsOf,
  TOTAL_DAYS,
  type OutcomeCounts,
} from './outcome-counts.ts'
import type { OutcomeKind } from './outcome-kinds.ts'

/** Pairs of failures that the opinion about variation weighs. */
const VARIATION_WEIGHT = 6
/** However even a key looks, like days differ by this much: a quarter, as squared coefficient of variation. */
const VARIATION_MIN = 0.06
/** Complaints are counted per day but belong to earlier days' messages, so evenness is not to be believed. */
const VARIATION_MIN_LATE = 0.3
const VARIATION_MAX = 20

/** What share of a key's messages usually fails in one way. */
export type OutcomeFit = {
  readonly share: number
  /** The share of the hours and days ahead: they differ from each other, and the mean is not known exactly. */
  readonly distribution: ShareDistribution
  /** Failures on a usual day with traffic. */
  readonly aDay: number
}

/** Messages that can fail in this way. */
export function messagesFor(kind: OutcomeKind, column: (index: number) => number): number {
  const attempts = attemptsOf(column)
  if (kind.timing === 'late') return attempts - bouncesOf(column)
  return kind.column === DROPPED ? attempts + column(DROPPED) : attempts
}

/**
 * Fits the share's distribution from the days that have trained: the mean shrunk to what keys usually have
 * (gamma–Poisson), the variation between two-hour cells by moments of pairs, E[k(k − 1)] = n(n − 1) m²(1 + v),
 * shrunk likewise.
 */
export function fitOf(counts: OutcomeCounts, kind: OutcomeKind): OutcomeFit {
  const totals = totalsOf(counts)
  const column = (index: number) => totals[index] ?? 0
  const messages = messagesFor(kind, column)
  const failures = Math.min(column(kind.column), messages)
  const share = (failures + kind.usualWeight) / (messages + kind.usualWeight / kind.usualShare)
  const variation = variationOf(kind, { totals, messages, failures })
  const cells = messages ** 2 / Math.max(1, pairsOf(totals))
  const uncertainty = 1 / (failures + kind.usualWeight) + variation / (cells + 1)
  return {
    share,
    distribution: shareDistribution(share, (1 + variation) * (1 + uncertainty) - 1),
    aDay: (share * messages) / Math.max(1, totals[TOTAL_DAYS] ?? 0),
  }
}

function variationOf(
  kind: OutcomeKind,
  given: { readonly totals: readonly number[]; readonly messages: number; readonly failures: number },
): number {
  const { totals, messages, failures } = given
  const shown = pairsOfKind(totals, kind.column)
  const even = messages === 0 ? 0 : (failures / messages) ** 2 * pairsOf(totals)
  const ratio = (shown + VARIATION_WEIGHT * (1 + kind.variation)) / (even + VARIATION_WEIGHT)
  const least = kind.timing === 'late' ? VARIATION_MIN_LATE : VARIATION_MIN
  return Math.min(VARIATION_MAX, Math.max(least, ratio - 1))
}

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

/** The opinion about variation weighs so many pairs of failures, and as much as so many cells: one newsletter shows none. */
const VARIATION_PAIRS = 6
const VARIATION_CELLS = 5
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
  /** Days with traffic that it rests on. */
  readonly days: number
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
  const cells = messages ** 2 / Math.max(1, pairsOf(totals))
  const variation = variationOf(kind, { totals, messages, failures, cells })
  const uncertainty = 1 / (failures + kind.usualWeight) + variation / (cells + 1)
  const days = totals[TOTAL_DAYS] ?? 0
  return {
    share,
    distribution: shareDistribution(share, (1 + variation) * (1 + uncertainty) - 1),
    aDay: (share * messages) / Math.max(1, days),
    days,
  }
}

function variationOf(
  kind: OutcomeKind,
  given: {
    readonly totals: readonly number[]
    readonly messages: number
    readonly failures: number
    readonly cells: number
  },
): number {
  const { totals, messages, failures, cells } = given
  const shown = pairsOfKind(totals, kind.column)
  const even = messages === 0 ? 0 : (failures / messages) ** 2 * pairsOf(totals)
  const weight = Math.max(VARIATION_PAIRS, (VARIATION_CELLS * even) / Math.max(1, cells))
  const ratio = (shown + weight * (1 + kind.variation)) / (even + weight)
  const least = kind.timing === 'late' ? VARIATION_MIN_LATE : VARIATION_MIN
  return Math.min(VARIATION_MAX, Math.max(least, ratio - 1))
}

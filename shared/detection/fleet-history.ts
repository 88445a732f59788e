import { surpriseOf, type CountDistribution } from './statistics/negative-binomial.ts'

/** Keys whose evidence opens within so many minutes count as one co-occurrence. */
export const WINDOW_MINUTES = 10
const WINDOWS_PER_DAY = (24 * 60) / WINDOW_MINUTES
/** What windows showed counts half after a fortnight. */
const KEPT = 0.5 ** (1 / (14 * WINDOWS_PER_DAY))
/** The opinion before anything is known weighs three days. */
const PRIOR_WINDOWS = 3 * WINDOWS_PER_DAY
/** Pairs of keys in one window that the opinion about clustering weighs, and the clustering itself. */
const PRIOR_PAIRS = 3
const PRIOR_DISPERSION = 1
const DISPERSION_MIN = 0.2
const DISPERSION_MAX = 50

/** How many keys' evidence usually opens in the same ten minutes: sums over past windows, older ones counting less. */
export type CoOccurrence = { windows: number; keys: number; pairs: number }

export function createCoOccurrence(): CoOccurrence {
  return { windows: 0, keys: 0, pairs: 0 }
}

/** Learns from one window that is over. */
export function learnWindow(history: CoOccurrence, keys: number): void {
  history.windows = history.windows * KEPT + 1
  history.keys = history.keys * KEPT + keys
  history.pairs = history.pairs * KEPT + keys * (keys - 1)
}

/**
 * The distribution of the number of keys in one window. A negative binomial, because jobs of many keys run at the
 * same hours, and what is odd about them is odd together; its dispersion by moments of pairs, E[N(N − 1)] =
 * m²(1 + φ). `openingsADay` is what one key has before anything is known.
 */
export function expectedKeys(
  { windows, keys, pairs }: CoOccurrence,
  given: { readonly liveKeys: number; readonly openingsADay: number },
): CountDistribution {
  const prior = (given.openingsADay * given.liveKeys) / WINDOWS_PER_DAY
  const mean = (keys + prior * PRIOR_WINDOWS) / (windows + PRIOR_WINDOWS)
  const even = windows === 0 ? 0 : keys ** 2 / windows
  const dispersion = (pairs + PRIOR_PAIRS * (1 + PRIOR_DISPERSION)) / (even + PRIOR_PAIRS) - 1
  return { mean, dispersion: Math.min(DISPERSION_MAX, Math.max(DISPERSION_MIN, dispersion)) }
}

/** How surprising it is that so many keys come together: −log10 P(N ≥ keys). */
export function surpriseOfKeys(keys: number, distribution: CountDistribution): number {
  return surpriseOf(keys, distribution)
}

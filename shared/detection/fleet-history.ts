import type { CountDistribution } from './statistics/negative-binomial.ts'

const MINUTES_PER_DAY = 24 * 60
/** What windows showed counts half after so many days. */
const HALF_LIFE_DAYS = 14
/** The opinion before anything is known weighs so many days. */
const PRIOR_DAYS = 3
/** Pairs of keys in one window that the opinion about clustering weighs, and the clustering itself. */
const PRIOR_PAIRS = 3
const PRIOR_DISPERSION = 1
const DISPERSION_MIN = 0.2
const DISPERSION_MAX = 50

/** How many keys' evidence usually opens in the same minutes: sums over past windows, older ones counting less. */
export type CoOccurrence = {
  readonly windowMinutes: number
  windows: number
  keys: number
  pairs: number
}

export function createCoOccurrence(windowMinutes: number): CoOccurrence {
  return { windowMinutes, windows: 0, keys: 0, pairs: 0 }
}

/** Learns from one window that is over. */
export function learnWindow(history: CoOccurrence, keys: number): void {
  const kept = 0.5 ** (history.windowMinutes / (HALF_LIFE_DAYS * MINUTES_PER_DAY))
  history.windows = history.windows * kept + 1
  history.keys = history.keys * kept + keys
  history.pairs = history.pairs * kept + keys * (keys - 1)
}

/**
 * The distribution of the number of keys in one window. A negative binomial, because jobs of many keys run at the
 * same hours, and what is odd about them is odd together; its dispersion by moments of pairs, E[N(N − 1)] =
 * m²(1 + φ). `openingsADay` is what one key has before anything is known.
 */
export function expectedKeys(
  { windowMinutes, windows, keys, pairs }: CoOccurrence,
  given: { readonly liveKeys: number; readonly openingsADay: number },
): CountDistribution {
  const windowsADay = MINUTES_PER_DAY / windowMinutes
  const prior = given.openingsADay * given.liveKeys * PRIOR_DAYS
  const mean = (keys + prior) / (windows + PRIOR_DAYS * windowsADay)
  const even = windows === 0 ? 0 : keys ** 2 / windows
  const dispersion = (pairs + PRIOR_PAIRS * (1 + PRIOR_DISPERSION)) / (even + PRIOR_PAIRS) - 1
  return { mean, dispersion: Math.min(DISPERSION_MAX, Math.max(DISPERSION_MIN, dispersion)) }
}

/**
 * How much a share varies from day to day beyond chance, as the correlation ρ between two messages of one day: 0 =
 * independent, 1 = a whole day goes one way. Pólya's urn with concentration κ = 1/ρ − 1 has just this correlation.
 */
export type Overdispersion = {
  /** Weighted sum of the days' estimates of ρ, and the weights. */
  sum: number
  weight: number
}

const DAILY_DECAY = 0.98
const CONCENTRATION_MIN = 2
const CONCENTRATION_MAX = 60

/** `rho` is assumed until as many days as `days` say otherwise. */
export function createOverdispersion(rho: number, days: number): Overdispersion {
  return { sum: rho * days, weight: days }
}

/**
 * Learns one day: `chiSquare` is Pearson's statistic of its `messages` against the shares known before, which is about
 * freedom × (1 + (messages − 1) ρ) under the urn (Mosimann, On the compound multinomial distribution, 1962).
 */
export function learnDay(
  state: Overdispersion,
  day: { readonly chiSquare: number; readonly freedom: number; readonly messages: number },
): void {
  if (day.messages < 5 || day.freedom < 1) return
  const rho = Math.min(1, Math.max(0, (day.chiSquare / day.freedom - 1) / (day.messages - 1)))
  state.sum = state.sum * DAILY_DECAY + rho
  state.weight = state.weight * DAILY_DECAY + 1
}

export function concentrationOf({ sum, weight }: Overdispersion): number {
  const rho = sum / weight
  return Math.min(CONCENTRATION_MAX, Math.max(CONCENTRATION_MIN, 1 / Math.max(rho, 1e-6) - 1))
}

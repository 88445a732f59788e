import type { HourlyRule } from './hourly-baseline.ts'

/** Both rules need so many messages more (or fewer) than they expect, as the engine's own volume signals do. */
const EXCESS_MIN = 30

type Busiest = { hours: number; messages: number }

const OVER_BUSIEST = 3
/** A key's first week sets its limit and says nothing: without that, every key would page on its first day. */
const LEARNING_HOURS = 7 * 24

/** A limit per key: three times the busiest hour that it has had. */
export const staticThreshold: HourlyRule<Busiest> = {
  name: 'static threshold',
  createState: () => ({ hours: 0, messages: 0 }),
  isHigh: ({ hours, messages }, count) =>
    hours >= LEARNING_HOURS && count > OVER_BUSIEST * messages && count - messages >= EXCESS_MIN,
  isLow: () => false,
  learn: (state, count) => {
    state.hours += 1
    state.messages = Math.max(state.messages, count)
  },
}

type Band = { readonly counts: number[] }

const BAND_HOURS = 26
const BAND_DEVIATIONS = 3

/** Mean and deviation of the last 26 hours: what a dashboard's band does, which knows neither nights nor weeks. */
export const deviationBand: HourlyRule<Band> = {
  name: '26-hour band',
  createState: () => ({ counts: [] }),
  isHigh: ({ counts }, count) => {
    if (counts.length < BAND_HOURS) return false
    const { mean, deviation } = momentsOf(counts)
    return count > mean + BAND_DEVIATIONS * deviation && count - mean >= EXCESS_MIN
  },
  isLow: ({ counts }, count) => {
    if (counts.length < BAND_HOURS) return false
    const { mean, deviation } = momentsOf(counts)
    return count < mean - BAND_DEVIATIONS * deviation && mean - count >= EXCESS_MIN
  },
  learn: ({ counts }, count) => {
    counts.push(count)
    if (counts.length > BAND_HOURS) counts.shift()
  },
}

function momentsOf(counts: readonly number[]) {
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length
  const squares = counts.reduce((sum, count) => sum + (count - mean) ** 2, 0)
  return { mean, deviation: Math.sqrt(squares / (counts.length - 1)) }
}

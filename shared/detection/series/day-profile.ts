import { medianOf } from '../statistics/median.ts'
import { addValue, createSortedWindow, quantile, type SortedWindow } from '../statistics/sorted-window.ts'

const SLOT_SECONDS = 300
const SLOTS_PER_DAY = 288
/** A week, so that a weekend finds the weekend before. */
const DAYS = 7
/** Jobs are not punctual: the slot before and the slot after belong to the same time. */
const NEIGHBOURS = [-1, 0, 1] as const
/** One day may be an accident. */
const DAYS_MIN = 2
const SLOTS = SLOTS_PER_DAY * (DAYS + 1)
/** Rows over which it is learnt whether the profile foretells anything. */
const TRIAL_ROWS = 1500
const TRIAL_ROWS_MIN = 100
/** The profile must leave less than this share of the usual deviation unexplained. */
const UNEXPLAINED_MAX = 0.65

/** What a series had at the same time of earlier days, in slots of five minutes, and how well that foretold it. */
export type DayProfile = {
  /** Which slot since the epoch each place of the ring holds. */
  readonly slots: Float64Array
  readonly sums: Float64Array
  readonly counts: Float64Array
  readonly recent: SortedWindow
  trialRows: number
  unexplained: number
  usual: number
}

export function createDayProfile(): DayProfile {
  return {
    slots: new Float64Array(SLOTS).fill(Number.NaN),
    sums: new Float64Array(SLOTS),
    counts: new Float64Array(SLOTS),
    recent: createSortedWindow(TRIAL_ROWS),
    trialRows: 0,
    unexplained: 0,
    usual: 0,
  }
}

/**
 * How far a value lies from the middle of what the last seven days had at this time; undefined where fewer than two
 * of them had anything. `isPeriodic` says whether to believe in days at all: whether until now the profile explained
 * a good part of how far the series strays from its median. Then the value becomes part of the profile.
 */
export function deviationFromDays(
  profile: DayProfile,
  timestampSeconds: number,
  value: number,
): { readonly deviation: number; readonly isPeriodic: boolean } | undefined {
  const slot = Math.floor(timestampSeconds / SLOT_SECONDS)
  const earlier = valuesOfDaysBefore(profile, slot)
  remember(profile, slot, value)
  if (earlier.length < DAYS_MIN) return undefined
  const deviation = value - medianOf(earlier)
  const isPeriodic =
    profile.trialRows >= TRIAL_ROWS_MIN && profile.unexplained < UNEXPLAINED_MAX * profile.usual
  const weight = 1 / Math.min(TRIAL_ROWS, profile.trialRows + 1)
  profile.trialRows += 1
  profile.unexplained += weight * (Math.abs(deviation) - profile.unexplained)
  profile.usual += weight * (Math.abs(value - quantile(profile.recent, 0.5)) - profile.usual)
  return { deviation, isPeriodic }
}

function remember(profile: DayProfile, slot: number, value: number): void {
  addValue(profile.recent, value)
  const place = placeOf(slot)
  if (profile.slots[place] !== slot) {
    profile.slots[place] = slot
    profile.sums[place] = 0
    profile.counts[place] = 0
  }
  profile.sums[place] = (profile.sums[place] ?? 0) + value
  profile.counts[place] = (profile.counts[place] ?? 0) + 1
}

/** One mean for each earlier day that has values at about this time. */
function valuesOfDaysBefore(profile: DayProfile, slot: number): number[] {
  const means: number[] = []
  for (let day = 1; day <= DAYS; day += 1) {
    let sum = 0
    let count = 0
    for (const neighbour of NEIGHBOURS) {
      const near = slot - day * SLOTS_PER_DAY + neighbour
      const place = placeOf(near)
      if (profile.slots[place] !== near) continue
      sum += profile.sums[place] ?? 0
      count += profile.counts[place] ?? 0
    }
    if (count > 0) means.push(sum / count)
  }
  return means
}

function placeOf(slot: number): number {
  return ((slot % SLOTS) + SLOTS) % SLOTS
}

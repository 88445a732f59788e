import {
  daysBetween,
  fitTail,
  levelFor,
  type Tail,
  type TailPrior,
} from './statistics/peaks-over-threshold.ts'

/** The largest score of each of the last days, from which the score that wakes somebody is learnt. */
export type KeyCalibration = {
  /** The day being watched (days since the epoch); −1 before the first. */
  day: number
  largestToday: number
  /** Oldest first; days without traffic have none. */
  maxima: number[]
  /** An incident was open on this day: it says nothing about what is usual. */
  disturbed: boolean
  tail: Tail
}

const DAYS_KEPT = 60
/** A day's score counts up to this: an attack that woke nobody must not buy silence for the next one. */
const LEARNT_MAX = 5
/** In its first days everything about a key is new; that is no measure for later. */
const FIRST_DAYS = 3
const FIRST_DAYS_MAX = 1.5
/**
 * Before a key has shown its own: one day in five has a score over 1.5, and larger ones thin out by a factor of ten
 * for every 1.3 points. A dozen days of its own weigh as much.
 */
const PRIOR: TailPrior = { threshold: 1.5, exceedingShare: 0.2, meanExcess: 0.55, shape: 0.05, days: 12 }

export function createCalibration(): KeyCalibration {
  return { day: -1, largestToday: 0, maxima: [], disturbed: false, tail: fitTail([], PRIOR) }
}

/** Moves on to a day with traffic; what the day before showed is learnt. */
export function moveCalibration(state: KeyCalibration, day: number, disturbed: boolean): void {
  if (day <= state.day) return
  if (state.day !== -1 && !state.disturbed) {
    const most = state.maxima.length < FIRST_DAYS ? FIRST_DAYS_MAX : LEARNT_MAX
    state.maxima.push(Math.min(most, rounded(state.largestToday)))
    if (state.maxima.length > DAYS_KEPT) state.maxima.shift()
    state.tail = fitTail(state.maxima, PRIOR)
  }
  state.day = day
  state.largestToday = 0
  state.disturbed = disturbed
}

export function restoreCalibration(
  saved: Pick<KeyCalibration, 'day' | 'largestToday' | 'maxima' | 'disturbed'>,
): KeyCalibration {
  return { ...saved, maxima: [...saved.maxima], tail: fitTail(saved.maxima, PRIOR) }
}

/** The score that this key reaches by itself once in so many days with traffic. */
export function limitOf({ tail }: KeyCalibration, days: number): number {
  return levelFor(tail, days)
}

/** How many days with traffic lie between two such scores of this key. */
export function daysBetweenScores({ tail }: KeyCalibration, score: number): number {
  return daysBetween(tail, score)
}

function rounded(score: number): number {
  return Math.round(score * 100) / 100
}

import { daysBetween } from '../statistics/peaks-over-threshold.ts'
import {
  addValue,
  countAtMost,
  countBelow,
  createSortedWindow,
  quantile,
  type SortedWindow,
} from '../statistics/sorted-window.ts'
import { POINTS_MAX } from '../evidence.ts'

/**
 * How many rows a series is judged against. Two weeks of five-minute rows and a little more: long enough that what
 * happens once a week is known, short enough that last month's incident is forgotten.
 */
export const MEMORY_ROWS = 5000

/** Fewer values than these say nothing about what is rare. */
const VALUES_MIN = 20
/** The tail beyond the largest value is fitted to so many of the largest. */
const PEAKS = 10
/** Fixed: ten peaks cannot tell one shape from another. A little heavier than exponential. */
const SHAPE = 0.2
/** A tail's scale is at least this share of the distance between the quartiles, so that ten equal peaks set no wall. */
const SCALE_OF_QUARTILES = 0.05

export type Rarity = { readonly window: SortedWindow }

export function createRarity(): Rarity {
  return { window: createSortedWindow(MEMORY_ROWS) }
}

/**
 * How rare a value is among the last ones of its kind, on whichever side it lies: −log10 of the share of rows that
 * reach it. Within the range seen that share is counted; beyond it, it comes from a generalised Pareto tail. Then
 * the value joins the others.
 *
 * `resolution`: differences smaller than this are noise of the arithmetic.
 */
export function rarityOf({ window }: Rarity, value: number, resolution: number): number {
  const points =
    window.size < VALUES_MIN
      ? 0
      : Math.max(pointsAbove(window, value, resolution), pointsBelow(window, value, resolution))
  addValue(window, value)
  return Math.min(POINTS_MAX, points)
}

function pointsAbove(window: SortedWindow, value: number, resolution: number): number {
  const count = window.size - countBelow(window, value)
  if (count > 0) return pointsOfCount(window, count)
  return pointsBeyond(window, resolution, {
    value,
    peak: (rank) => window.ascending[window.size - 1 - rank] ?? 0,
  })
}

function pointsBelow(window: SortedWindow, value: number, resolution: number): number {
  const count = countAtMost(window, value)
  if (count > 0) return pointsOfCount(window, count)
  return pointsBeyond(window, resolution, { value: -value, peak: (rank) => -(window.ascending[rank] ?? 0) })
}

function pointsOfCount(window: SortedWindow, count: number): number {
  return Math.log10((window.size + 1) / (count + 0.5))
}

function pointsBeyond(
  window: SortedWindow,
  resolution: number,
  side: { value: number; peak: (rank: number) => number },
): number {
  const peaks = Math.min(PEAKS, window.size >> 2)
  const threshold = side.peak(peaks)
  let excess = 0
  for (let rank = 0; rank < peaks; rank += 1) excess += side.peak(rank) - threshold
  const quartiles = quantile(window, 0.75) - quantile(window, 0.25)
  const scale = Math.max(excess / peaks, SCALE_OF_QUARTILES * quartiles, resolution) * (1 - SHAPE)
  // Over a higher threshold a generalised Pareto tail is one again, with its scale grown by shape × the step; from
  // the largest value on, which half a row in all is expected to exceed, it joins the counted part without a jump.
  const step = side.peak(0) - threshold
  const tail = {
    threshold: step,
    exceedingShare: 0.5 / (window.size + 1),
    scale: scale + SHAPE * step,
    shape: SHAPE,
  }
  return Math.log10(daysBetween(tail, side.value - threshold))
}
